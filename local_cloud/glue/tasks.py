"""Tasks of state machines that start a run, and with `.sync` wait for its end.

https://docs.aws.amazon.com/step-functions/latest/dg/connect-glue.html
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from contextvars import ContextVar
from typing import Any

from ministack.core.responses import get_account_id, get_region
from ministack.services import stepfunctions

from local_cloud.glue import jobs
from local_cloud.glue.record import Run
from local_cloud.server.json_api import ServiceError
from local_cloud.server.step_functions import authorize, current_execution, is_stopped

_RESOURCE = "arn:aws:states:::glue:startJobRun"
# What the machine's role needs, and for `.sync` besides.
_STARTING, _WAITING = ("StartJobRun",), ("GetJobRun", "GetJobRuns", "BatchStopJobRun")
_POLL_SECONDS = 0.1
# Set when a task with a time-out is over: ministack leaves its thread alone.
_over: ContextVar[threading.Event | None] = ContextVar("whether the task is over", default=None)


def register() -> None:
    """Add the integration; once, before it serves."""
    stepfunctions._SERVICE_DISPATCH[_RESOURCE] = _start_job_run
    invoke = stepfunctions._invoke_resource_with_timeout

    def invoke_with_timeout(resource: str, data: Any, seconds: float) -> Any:
        over = threading.Event()
        scope = _over.set(over)
        try:
            return invoke(resource, data, seconds)
        finally:
            over.set()
            _over.reset(scope)

    stepfunctions._invoke_resource_with_timeout = invoke_with_timeout


def _start_job_run(resource: str, data: Mapping[str, Any]) -> dict[str, Any]:
    execution, waits = current_execution(), resource.endswith(".sync")
    job = f"arn:aws:glue:{get_region()}:{get_account_id()}:job/{data.get('JobName')}"
    for action in (*_STARTING, *(_WAITING if waits else ())):
        authorize(execution, f"glue:{action}", job, what="a run of a job")
    try:
        answer = jobs.OPERATIONS["StartJobRun"](data)
    except ServiceError as error:
        raise stepfunctions._ExecutionError(f"Glue.{error.code}", error.message) from error
    return _ended(jobs.run_of(answer["JobRunId"]), execution) if waits else answer


def _ended(run: Run, execution: Mapping[str, Any]) -> dict[str, Any]:
    """The run's record once it has succeeded; a task that ends before stops the run."""
    over = _over.get()
    while not run.finished.wait(_POLL_SECONDS):
        if is_stopped(execution) or (over is not None and over.is_set()):
            jobs.stop(run)
            run.finished.wait()
    if run.record["JobRunState"] != "SUCCEEDED":
        raise stepfunctions._ExecutionError("States.TaskFailed", run.cause())
    return run.for_step_functions()
