"""What the end of an execution means to the release that waits for it; pure."""

from __future__ import annotations

from lambdas.saas.model.release_turns import Ending
from lambdas.saas.model.status import BAD_OUTCOMES, Observation, Outcome, Phase, Status
from lambdas.saas.pipeline_watch.executions import OVERTAKEN, UNDER_WAY, Execution


def ending(status: Status, newest: Execution, seen: Observation, *, release: str) -> Ending | None:
    """Tell how a release ended for a deployment; None while its pipeline runs.

    `newest` is the execution that answers for the release (`telling.answering`), `seen` what it tells, `release` the
    revision that the run is about.
    """
    if newest.status in UNDER_WAY or newest.status in OVERTAKEN:
        return None
    if status.release_outcome == Outcome.ROLLING_BACK:
        return _back(status, newest, seen, release)
    if seen.phase is Phase.ACTIVE and newest.revision == status.revision_wanted:
        return Ending(outcome=Outcome.SUCCEEDED, phase=Phase.ACTIVE)
    reason = seen.reason
    if seen.phase is Phase.ACTIVE:
        reason = f"the pipeline deployed {_named(newest.revision)} where release {release} was to be deployed"
    return Ending(outcome=Outcome.FAILED, phase=Phase.FAILED, reason=reason, told=reason)


def kept_reason(status: Status, newest: Execution, seen: Observation) -> str:
    """What a deployment's reason is after a look: what a release has said of this execution stays."""
    said = status.release_outcome in BAD_OUTCOMES
    same = newest.id == status.execution_id and seen.phase is status.phase
    # Whatever a release says ends with its own reason; else an execution has told more since.
    its_own = bool(status.reason) and status.reason.endswith(status.release_reason)
    return status.reason if said and same and its_own else seen.reason


def _back(status: Status, newest: Execution, seen: Observation, release: str) -> Ending:
    cause = status.release_reason or "an alarm was raised"
    if newest.status == "Succeeded" and seen.revision == status.revision_wanted:
        reason = f"release {release} failed here and was rolled back to {status.revision_wanted}: {cause}"
        return Ending(outcome=Outcome.ROLLED_BACK, phase=Phase.ACTIVE, reason=reason, told=cause)
    went = seen.reason
    if newest.status == "Succeeded" and not newest.rollback:
        went = f"the pipeline deployed {_named(newest.revision)}, not {status.revision_wanted}"
    told = f"{cause}; the rollback to {status.revision_wanted} failed: {went}"
    return Ending(outcome=Outcome.ROLLBACK_FAILED, phase=Phase.FAILED, reason=f"release {release}: {told}", told=told)


def _named(revision: str) -> str:
    return f"revision {revision}" if revision else "an unknown revision"
