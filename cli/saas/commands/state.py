"""`retire`, `suspend` and `activate`: what a row asks for."""

from __future__ import annotations

import sys

import typer

from cli.common.errors import ConflictError, NotFoundError, UsageError
from cli.common.output import Output
from cli.saas.commands.plan_retire import retirement_of
from cli.saas.commands.status import read_details
from cli.saas.rows import RowWriter
from cli.saas.session import SaasSession
from cli.saas.wanted import ask
from lambdas.common import clock
from lambdas.saas.model.record import Wanted, parse_row

_COMES = {
    Wanted.ACTIVE: "it is brought back within a minute",
    Wanted.SUSPENDED: "its pipeline is disabled and releases leave it out, what is deployed stays",
    Wanted.RETIRED: "it is deleted after the grace period; until then `granary activate {id}` keeps it",
}


def want(session: SaasSession, output: Output, *, deployment_id: str, state: Wanted, sure: bool = True) -> None:
    """Write `state` into the row, as update-item does; the factory does the rest.

    Raises:
        ConflictError: the deployment stands where this cannot be asked for.
        UsageError: the consent to a retirement is missing.
    """
    details = read_details(session, deployment_id)
    # A row that asks for a change which is not made may still be retired.
    wish = None if details.row is None else parse_row(details.row, session.policy)
    asked = ask(deployment_id, wish, details.status, state=state, now=clock.now())
    if asked.refused:
        raise ConflictError(asked.refused)
    if not asked.already:
        if not sure:
            _consent(session, output, deployment_id)
        rows = RowWriter(client=session.client("dynamodb"), table=session.names.deployments_table)
        if not rows.want(deployment_id, state):
            raise NotFoundError(f"{deployment_id} has no row any more: put the row back, with `state` as you want it")
    document = {"id": deployment_id, "state": str(state), "changed": not asked.already}
    said = "asked for that already" if asked.already else _COMES[state].format(id=deployment_id)
    output.answer(document, said=f"{deployment_id}: state is {state}; {said}.")


def _consent(session: SaasSession, output: Output, deployment_id: str) -> None:
    if output.as_json or not sys.stdin.isatty():
        raise UsageError(f"retiring {deployment_id} deletes it: say --yes, after `granary plan retire {deployment_id}`")
    for line in retirement_of(session, deployment_id).lines():
        output.say(line)
    typer.confirm(f"Retire {deployment_id}?", abort=True, err=True)
