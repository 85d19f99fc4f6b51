"""`retire`, `suspend` and `activate`, which change what a row asks for, and `plan retire`."""

from __future__ import annotations

import sys
from datetime import timedelta

import typer

from cli.common.errors import ConflictError, NotFoundError, UsageError
from cli.common.output import Output
from cli.saas.commands.status import read_details
from cli.saas.retirement import Retirement, plan_retirement
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


def plan_retire(session: SaasSession, output: Output, *, deployment_id: str) -> None:
    """Show what a retirement would delete and keep; nothing is changed."""
    plan = _retirement_of(session, deployment_id)
    output.result(plan.document(), plan.lines())


def _retirement_of(session: SaasSession, deployment_id: str) -> Retirement:
    """Make the plan from what is recorded of the deployment.

    Raises:
        NotFoundError: nothing is known of it.
    """
    status = session.statuses.get(deployment_id)
    if status is None:
        raise NotFoundError(f"nothing is known of {deployment_id}, so nothing would be deleted")
    lifecycle = session.configuration.toolchain.lifecycle
    return plan_retirement(
        status,
        session.statuses.all() if status.support_stacks else (),  # only a support stack may have other users
        grace=timedelta(hours=lifecycle.grace_hours),
        archive=lifecycle.archive,
        now=clock.now(),
    )


def _consent(session: SaasSession, output: Output, deployment_id: str) -> None:
    if output.as_json or not sys.stdin.isatty():
        raise UsageError(f"retiring {deployment_id} deletes it: say --yes, after `granary plan retire {deployment_id}`")
    for line in _retirement_of(session, deployment_id).lines():
        output.say(line)
    typer.confirm(f"Retire {deployment_id}?", abort=True, err=True)
