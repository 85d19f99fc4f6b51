"""Which deployments a release takes up; pure."""

from __future__ import annotations

from collections.abc import Mapping

from lambdas.saas.model.lifecycle import retirement_failed
from lambdas.saas.model.record import DeploymentRecord, Wanted
from lambdas.saas.model.status import Phase, Status

_OUT_OF_USE: Mapping[Phase, str] = {
    Phase.PENDING: "its row waits for a provisioning build",
    Phase.SUSPENDED: "it is suspended",
    Phase.MOVING: "it is being moved",
    Phase.RETIRING: "it is being retired",
    Phase.RETIRED: "it was retired",
    Phase.RETIRED_WITH_WARNINGS: "it was retired",
    Phase.INVALID: "its row was corrected, and no build has taken it up yet",
}


def why_not(wish: DeploymentRecord, status: Status | None) -> str:
    """Tell why a release leaves a deployment out; empty when it takes it up.

    A deployment that never deployed anything is left to provisioning: there is nothing that it could go back to.
    """
    if wish.state != Wanted.ACTIVE or wish.revision:
        return _what_its_row_says(wish)
    if status is None or status.pipeline_stack is None:
        gone = "its pipeline is gone, and " if status and status.revision_deployed else ""
        return f"{gone}it is not provisioned yet"
    if retirement_failed(status):
        return "its retirement failed, and goes on"
    if status.phase in _OUT_OF_USE:
        refused = status.phase is Phase.INVALID and status.refused_by
        return f"release {status.refused_by} refuses its row" if refused else _OUT_OF_USE[status.phase]
    if not status.revision_deployed:
        return f"its pipeline has not deployed anything yet ({status.phase})"
    return ""


def _what_its_row_says(wish: DeploymentRecord) -> str:
    if wish.state != Wanted.ACTIVE:
        return f"its row asks for it to be {wish.state}"
    until = f" until {wish.revision_until}" if wish.revision_until else ""
    return f"its row pins {wish.revision}{until}{f': {wish.revision_reason}' if wish.revision_reason else ''}"


def is_there(status: Status, *revisions: str) -> bool:
    """Whether one of these revisions is deployed, which are the same for it, and nothing else is being done."""
    return status.phase is Phase.ACTIVE and status.revision_deployed in revisions
