"""Why an execution failed, in words for the person who has to act on it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Protocol

from lambdas.common.errors import GranaryError
from lambdas.saas.pipeline_watch.executions import ActionRun, Execution, latest_runs
from lambdas.saas.pipeline_watch.stacks import EXECUTING_MODES, Place

# CodePipeline's and CloudFormation's clocks are not one clock.
_CLOCK_SKEW = timedelta(seconds=5)
# CodePipeline does not wait for a place in CodeBuild's queue: the action fails with CodeBuild's error.
_AT_ITS_LIMIT = "AccountLimitExceededException"


class Evidence(Protocol):
    """Port to what the services behind the actions know of a failure.

    Both raise GranaryError when that cannot be read, and answer None when there is nothing to tell.
    """

    def stack_failure(self, stack: str, *, place: Place, since: datetime) -> str | None: ...
    def build_failure(self, build_id: str) -> str | None: ...


def explain(execution: Execution, runs: Sequence[ActionRun], *, home: Place, evidence: Evidence) -> str:
    """Name the failing stage and action, the action's own message, and the cause that lies behind it."""
    failed = sorted((run for run in latest_runs(runs) if run.status == "Failed"), key=lambda run: run.updated)
    if not failed:
        return execution.summary or "the execution failed, although none of its actions did: open the execution"
    first = failed[0]
    message = first.message.strip() or "failed without a message"
    try:
        cause = _cause(first, home=home, evidence=evidence)
    except GranaryError as error:
        cause = f"the cause could not be read: {error}"
    known = [message] if cause is None or cause in message else [message, cause]
    return f"stage {first.stage}, action {first.name}: {'; '.join(known)}"


def found_no_capacity(runs: Sequence[ActionRun]) -> bool:
    """Whether an execution failed for nothing but a build that CodeBuild would not even begin."""
    failed = [run for run in latest_runs(runs) if run.status == "Failed"]
    return bool(failed) and all(
        run.provider == "CodeBuild" and not run.external_id and _AT_ITS_LIMIT in run.message for run in failed
    )


def _cause(run: ActionRun, *, home: Place, evidence: Evidence) -> str | None:
    if run.provider == "CodeBuild" and run.external_id:
        return evidence.build_failure(run.external_id)
    # Preparing a change set leaves no events: the newest ones would be an older operation's.
    if run.provider == "CloudFormation" and run.configuration.get("ActionMode") in EXECUTING_MODES:
        return evidence.stack_failure(
            run.configuration["StackName"],
            place=home.of(account=run.account, region=run.region),
            since=run.started - _CLOCK_SKEW,
        )
    return None
