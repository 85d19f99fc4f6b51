"""The newest run of a task, one item for each, and what a job does about it; pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from lambdas.common.clock import Stamp, moment
from lambdas.common.versioned_json import Text
from lambdas.saas.model.tasks import Task


class TaskState(StrEnum):
    """Where a run stands; before it is `RUNNING`, nobody knows whether it has begun."""

    BEGINNING = "beginning"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


class Step(StrEnum):
    """What a job does."""

    BEGIN = "begin"
    BEGIN_AGAIN = "begin_again"  # the same attempt: whoever was to begin it has died
    FOLLOW = "follow"
    WAIT = "wait"
    DONE = "done"
    FAIL = "fail"


@dataclass(frozen=True, kw_only=True)
class TaskRun(Text):
    """A task's run in an execution of the pipeline; a retry of the stage that failed is another `attempt`.

    `job` is the pipeline's that began the attempt, `until` when it has to be over. `held_until` is how long nobody else
    begins it, of what would be begun twice. `ref` is what runs: an ARN, or the id of a build.
    """

    id: str
    execution: str
    attempt: int
    job: str
    state: TaskState
    task: Task
    began: Stamp
    until: Stamp
    held_until: Stamp = ""
    ref: str = ""
    said: str = ""


def step(run: TaskRun | None, *, execution: str, job: str, first: bool, now: datetime) -> Step:
    """Tell what a job does; `first` is one that begins an action, and not one that CodePipeline asks again with.

    What succeeded in an execution is not run again in it; what failed is by a retry of the stage, which is another job.
    """
    if run is None or run.execution != execution:
        return Step.BEGIN
    if run.state is TaskState.SUCCEEDED:
        return Step.DONE
    if run.state is TaskState.FAILED:
        return Step.BEGIN if first and job != run.job else Step.FAIL
    if run.state is TaskState.RUNNING:
        return Step.FOLLOW
    held = bool(run.held_until) and now < moment(run.held_until)
    return Step.WAIT if held else Step.BEGIN_AGAIN
