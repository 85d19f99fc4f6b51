"""`adopt`: consent to taking over the stacks that stand under a tenant's names, as the plan has it that was shown."""

from __future__ import annotations

from cli.common.errors import ConflictError, NotFoundError
from cli.common.output import Output
from cli.saas.commands.repair import consent
from cli.saas.commands.status import read_details
from cli.saas.details import Details, waiting_plan
from cli.saas.rows import RowWriter
from cli.saas.session import SaasSession


def adopt(session: SaasSession, output: Output, *, deployment_id: str, digest: str = "", sure: bool = False) -> None:
    """Write the consent into the row, after showing the plan; before there is one, have it made.

    Raises:
        ConflictError: the plan is another one than `digest` names, or there is none.
    """
    details = read_details(session, deployment_id)
    if details.row is None:
        raise NotFoundError(f"{deployment_id} has no row: put one first")
    given = _asked(details, digest)
    consent(output, _what(details), f"Take over what stands under the names of {deployment_id}?", sure=sure)
    rows = RowWriter(client=session.client("dynamodb"), table=session.names.deployments_table)
    if not rows.adopt(deployment_id, given or True):
        raise NotFoundError(f"{deployment_id} has no row any more")
    said = (
        f"{deployment_id}: its row consents to {given or 'what replaces and removes nothing'}; `granary status` tells"
    )
    output.answer({"id": deployment_id, "allow_adopt": given or True}, said=f"{said} how it goes.")


def _asked(details: Details, digest: str) -> str:
    """The digest to consent to; empty where no plan was shown yet."""
    plan = waiting_plan(details.status)
    if plan is None and digest:
        raise ConflictError(f"nothing waits for consent at {details.id}: see `granary status {details.id}`")
    if plan and digest not in ("", plan.digest):
        raise ConflictError(
            f"the plan of {details.id} is {plan.digest} now: look at it with `granary status {details.id}`"
        )
    return plan.digest if plan else ""


def _what(details: Details) -> list[str]:
    plan = waiting_plan(details.status)
    if plan is None:
        return [f"{details.id}: takes over what stands, if that replaces and removes nothing; else the plan is shown"]
    return [f"{details.id}: {plan.digest}, of {plan.at}: {plan.summary}", *plan.changes]
