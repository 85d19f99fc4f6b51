"""What an execution tells about a deployment; pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from lambdas.common.releases import release_key
from lambdas.common.status import Phase, StackRef, Status
from lambdas.saas.pipeline_watch.executions import UNDER_WAY, ActionRun, Execution

_REVISION = r"(?P<revision>[A-Za-z0-9._-]{1,64})"
_RELEASE_KEY = re.compile(re.escape(release_key("REVISION")).replace("REVISION", _REVISION))


@dataclass(frozen=True, kw_only=True)
class Observation:
    """What is written about the deployment; an empty `revision` or `stacks` leaves what is known as it is."""

    phase: Phase
    reason: str = ""
    revision: str = ""
    stacks: tuple[StackRef, ...] = ()


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
        outcome = f"rolling back to {target}"
    elif rollback.status == "Succeeded":
        outcome = f"rolled back to {target}"
    elif rollback.status == "Stopped":
        outcome = f"the rollback to {target} was stopped"
    else:
        outcome = f"the rollback to {target} failed: {own_reason}"
    deployed = revision if rollback.status == "Succeeded" else ""
    return Observation(phase=Phase.FAILED, reason=f"{reason}; {outcome}", revision=deployed)


def revision_of_source(runs: Iterable[ActionRun]) -> str:
    """Name the release that the source action fetched; empty when no action fetched a release.

    What the action fetched counts before what it is configured with: a start can override the configured key.
    """
    for run in runs:
        if run.category != "Source":
            continue
        key = run.variables.get("ObjectKey") or run.configuration.get("S3ObjectKey", "")
        if match := _RELEASE_KEY.fullmatch(key):
            return match["revision"]
    return ""
