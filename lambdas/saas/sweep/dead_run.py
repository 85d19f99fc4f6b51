"""Whether a release's run is dead: its execution is over, and the run does not say so; pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from lambdas.common.clock import since
from lambdas.saas.model.runs import Run, RunState

# https://docs.aws.amazon.com/step-functions/latest/apireference/API_DescribeExecution.html
_OVER = frozenset({"ABORTED", "FAILED", "SUCCEEDED", "TIMED_OUT"})
# DescribeExecution is eventually consistent: for some time it may not know an execution that was started just now.
UNKNOWN_GRACE = timedelta(minutes=10)
# A cause has up to 32,768 characters.
_CAUSE_SHOWN = 1_000


@dataclass(frozen=True, kw_only=True)
class Execution:
    """A run's execution; `status` is empty when Step Functions knows none, `given` is its input."""

    arn: str
    status: str = ""
    error: str = ""
    cause: str = ""
    given: Mapping[str, Any] = field(default_factory=dict)


def may_be_dead(run: Run | None) -> bool:
    """Whether the run in force is to be looked at: it goes on, or was not written yet (None)."""
    return run is None or run.state == RunState.RUNNING


def why_dead(run: Run | None, execution: Execution, now: datetime) -> str:
    """Tell why nobody goes on with a run that `may_be_dead`, and what to do; empty while somebody may.

    The machine writes how a run ends before its execution does, so the execution has to be read before that is told.
    """
    if not execution.status:
        fresh = run is not None and since(run.started_at, now) <= UNKNOWN_GRACE
        return "" if fresh else _told("Step Functions knows no execution of this run")
    if execution.status not in _OVER:
        return ""
    details = ": ".join(filter(None, (execution.error, execution.cause)))[:_CAUSE_SHOWN]
    return _told(f"the execution of this run is {execution.status}{f' ({details})' if details else ''}")


def _told(fact: str) -> str:
    return f"{fact}, so nobody goes on with it: run `granary resume`"
