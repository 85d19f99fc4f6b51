"""Whether a deployment's turn comes, and what is said of it; pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lambdas.saas.model.release_turns import TIMEOUT, Ending
from lambdas.saas.model.runs import Ring, RingState, Run, RunState
from lambdas.saas.model.status import Outcome, Phase, Status

# Why the machine has a turn again: somebody holds the deployment, or something is amiss.
BUSY, FAULT = "Busy", "Fault"


@dataclass(frozen=True, kw_only=True)
class Standing:
    """Where a run stands: itself, one of its rings, and the name of the run in force."""

    run: Run | None
    ring: Ring | None
    current: str


def superseded(standing: Standing, run: str) -> bool:
    """Whether another run is in force."""
    return standing.current != run or standing.run is None or standing.ring is None


def why_held(standing: Standing) -> str:
    """Tell why no further deployment of the ring is begun; empty when it may be."""
    run, ring = standing.run, standing.ring
    if run and run.state != RunState.RUNNING:
        return f"the run is {run.state}"
    if ring and ring.state != RingState.ADVANCING:
        return f"ring {ring.name} is {ring.state}"
    if ring and ring.spent:
        return f"the line was stopped: {ring.failed} of ring {ring.name} failed, {ring.allowed_failures} may"
    return ""


def revision_before(status: Status, *, run: str, revision: str) -> str:
    """Where the deployment comes from: what is deployed, unless that is known to be the new revision already."""
    if status.revision_before and (status.release_run == run or status.revision_deployed == revision):
        return status.revision_before
    return "" if status.revision_deployed == revision else status.revision_deployed


def was_begun(status: Status) -> bool:
    """Whether the newest run has done anything to the deployment, beside counting it."""
    return bool(status.revision_before or status.release_execution_id)


def given_up(status: Status, error: Mapping[str, Any], *, revision: str, minutes: int) -> Ending:
    """Say of a deployment that was begun that its end is not waited for any longer."""
    back = status.release_outcome == Outcome.ROLLING_BACK
    what = f"rollback of release {revision}" if back else f"release {revision}"
    told = f"the {what} did not end within {minutes} minutes" if error.get("Error") == TIMEOUT else said(error)
    outcome = Outcome.ROLLBACK_FAILED if back else Outcome.FAILED
    return Ending(outcome=outcome, phase=Phase.FAILED, reason=told, told=told)


def was_held(error: Mapping[str, Any]) -> bool:
    """Whether a turn came to nothing because somebody else was at work on the deployment all the time."""
    return error.get("Error") == BUSY


def said(error: Mapping[str, Any]) -> str:
    """An error of the state machine, in words."""
    return str(error.get("Cause") or error.get("Error") or "the state machine does not say why")
