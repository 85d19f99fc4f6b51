"""What a person should do next about a deployment; pure."""

from __future__ import annotations

from lambdas.common.record import DeploymentRecord, InvalidRow, Wanted
from lambdas.common.status import Outcome, Phase, Status

Wish = DeploymentRecord | InvalidRow | None

_WAITING = {
    Phase.PENDING: "nothing: the next provisioning build takes it up",
    Phase.PROVISIONING: "nothing: it is being deployed for the first time, or anew",
    Phase.UPDATING: "nothing: another revision is being deployed",
    Phase.ACTIVE: "nothing: it is deployed",
    Phase.MOVING: "nothing: the new place is deployed before the old one is deleted",
}
_ENDS = {
    Phase.FAILED: "remove the cause that the reason names, then run `granary retry {id}`",
    Phase.INVALID: "nothing: the row has been corrected since, and is taken up by itself",
    Phase.SUSPENDED: "nothing, or bring it back with `granary activate {id}`",
    Phase.RETIRING: "nothing, or keep it{until} with `granary activate {id}`",
    Phase.RETIRED: "nothing: it is retired; the row can be deleted",
    Phase.RETIRED_WITH_WARNINGS: "delete by hand what the warnings name; the row can be deleted",
}


def next_step(deployment_id: str, wish: Wish, status: Status | None) -> str:
    """Tell what to do, beginning with `nothing` when it is nothing."""
    if status is None:
        return "nothing: the row is taken up within minutes" if wish else "put a row for it"
    if wish is None:
        return _without_row(status)
    if isinstance(wish, InvalidRow):
        return f"correct the row: {wish.reason}"
    return _of_phase(deployment_id, wish, status)


def _without_row(status: Status) -> str:
    if status.phase is Phase.RETIRED:
        return "nothing: it is retired"
    if status.phase is Phase.RETIRED_WITH_WARNINGS:
        return "delete by hand what the warnings name"
    if status.phase is Phase.RETIRING:
        return "nothing: it is being deleted"
    return "put the row back to keep it, or put it back with its state retired to have it deleted"


def _of_phase(deployment_id: str, wish: DeploymentRecord, status: Status) -> str:
    if status.phase is Phase.ACTIVE and status.release_outcome in (Outcome.FAILED, Outcome.ROLLED_BACK):
        return "remove the cause that the release failed for here, then run `granary resume`"
    if status.phase in _ENDS:
        until = f" until {status.retire_after}" if status.retire_after else ""
        return _ENDS[status.phase].format(id=deployment_id, until=until)
    if wish.state != Wanted.ACTIVE:
        return f"nothing: it is about to be {wish.state}"
    return _WAITING[status.phase]
