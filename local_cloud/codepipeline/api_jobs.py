"""Operations of job workers and approvers."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from local_cloud.codepipeline import host, jobs, store
from local_cloud.codepipeline.errors import ServiceError
from local_cloud.codepipeline.executions import ActionExecution, Execution
from local_cloud.codepipeline.store import Pipeline

Request = Mapping[str, Any]
Answer = dict[str, Any]


def _approve(request: Request) -> Answer:
    pipeline = store.find(request["pipelineName"])
    pipeline.stage_state(request["stageName"])
    with pipeline.changed:
        execution, run = _awaiting(pipeline, stage=request["stageName"], action=request["actionName"])
        if run.token != request["token"]:
            raise ServiceError("InvalidApprovalTokenException", "The token is not the one of the waiting approval")
        if run.id in execution.approvals:
            raise ServiceError("ApprovalAlreadyCompletedException", "The approval already has a result")
        execution.approvals[run.id] = {**request["result"], "by": host.caller_arn()}
        pipeline.changed.notify_all()
    return {"approvedAt": time.time()}


def _awaiting(pipeline: Pipeline, *, stage: str, action: str) -> tuple[Execution, ActionExecution]:
    declared = pipeline.definition.stage(stage)
    if declared is None or action not in [item.name for item in declared.actions]:
        raise ServiceError("ActionNotFoundException", f"Stage {stage} has no action {action}")
    runs = [
        (execution, run)
        for execution in pipeline.executions.values()
        if (run := execution.latest(stage=stage, action=action))
    ]
    waiting = [pair for pair in runs if pair[1].status == "InProgress"]
    if not waiting:
        code = "ApprovalAlreadyCompletedException" if runs else "ValidationException"
        raise ServiceError(code, f"No approval is waiting in action {action} of stage {stage}")
    return waiting[-1]


def _success(request: Request) -> Answer:
    details = request.get("executionDetails", {})
    result = jobs.Result(
        continuation_token=request.get("continuationToken"),
        variables=dict(request.get("outputVariables", {})),
        external_id=details.get("externalExecutionId"),
        summary=details.get("summary"),
    )
    jobs.put_result(request["jobId"], result)
    return {}


def _failure(request: Request) -> Answer:
    details = request["failureDetails"]
    jobs.put_result(request["jobId"], jobs.Result(failure=(details["type"], details["message"])))
    return {}


def _details(request: Request) -> Answer:
    job = jobs.find_job(request["jobId"])
    data = {**job.data, "pipelineContext": job.context}
    return {"jobDetails": {"id": job.id, "accountId": job.pipeline.account, "data": data}}


OPERATIONS: Mapping[str, Callable[[Request], Answer]] = {
    "PutApprovalResult": _approve,
    "PutJobSuccessResult": _success,
    "PutJobFailureResult": _failure,
    "GetJobDetails": _details,
}
