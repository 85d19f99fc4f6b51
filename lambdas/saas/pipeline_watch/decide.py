"""What an execution tells about a deployment; pure."""

from __future__ import annotations

from lambdas.saas.model.next_steps import ROLLING_BACK
from lambdas.saas.model.status import Observation, Phase, Status
from lambdas.saas.pipeline_watch.executions import UNDER_WAY, Execution


def under_way(status: Status) -> Observation:
    """Tell a first deployment from an update."""
    return Observation(phase=Phase.UPDATING if status.revision_deployed else Phase.PROVISIONING)


def stopped(execution: Execution) -> Observation:
    """Tell that someone stopped the execution; CodePipeline keeps the reason given, not the name."""
    given = execution.stop_reason.strip() or "no reason was given"
    return Observation(phase=Phase.FAILED, reason=f"stopped by request: {given}")


def rolled_back(rollback: Execution, *, reason: str, revision: str, own_reason: str) -> Observation:
    """Tell why a rollback became necessary, and how it went.

    `reason` is why the execution before it failed, `revision` what the rollback goes back to (empty: unknown),
    `own_reason` why the rollback itself failed (empty unless it did).
    """
    target = revision or "an unknown revision"
    if rollback.status in UNDER_WAY:
        outcome = f"{ROLLING_BACK} {target}"
    elif rollback.status == "Succeeded":
        outcome = f"rolled back to {target}"
    elif rollback.status == "Stopped":
        outcome = f"the rollback to {target} was stopped"
    else:
        outcome = f"the rollback to {target} failed: {own_reason}"
    deployed = revision if rollback.status == "Succeeded" else ""
    return Observation(phase=Phase.FAILED, reason=f"{reason}; {outcome}", revision=deployed)
