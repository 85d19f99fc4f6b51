"""Operations on executions."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import Any

from local_cloud.codepipeline import lifecycle, store, views
from local_cloud.codepipeline.definition import Stage
from local_cloud.codepipeline.errors import ServiceError
from local_cloud.codepipeline.executions import Trigger
from local_cloud.codepipeline.paging import page
from local_cloud.codepipeline.store import Pipeline

Request = Mapping[str, Any]
Answer = dict[str, Any]
_SOURCE_OVERRIDES = {"S3": ("S3_OBJECT_VERSION_ID", "S3_OBJECT_KEY"), "CodeCommit": ("COMMIT_ID",)}


def source_overrides(pipeline: Pipeline, revisions: list[dict[str, str]]) -> dict[str, dict[str, str]]:
    """``sourceRevisions`` by action and type."""
    sources = {action.name: action.type.provider for action in pipeline.definition.stages[0].actions}
    overrides: dict[str, dict[str, str]] = defaultdict(dict)
    for revision in revisions:
        action, kind = revision["actionName"], revision["revisionType"]
        if action not in sources:
            raise ServiceError("ValidationException", f"{action} is not a source action of the pipeline")
        if kind not in _SOURCE_OVERRIDES[sources[action]]:
            raise ServiceError("ValidationException", f"The source {action} has no revisions of type {kind}")
        overrides[action][kind] = revision["revisionValue"]
    return dict(overrides)


def _start(request: Request) -> Answer:
    pipeline = store.find(request["name"])
    execution = lifecycle.start(
        pipeline,
        trigger=Trigger(type="StartPipelineExecution"),
        given={item["name"]: item["value"] for item in request.get("variables", [])},
        overrides=source_overrides(pipeline, request.get("sourceRevisions", [])),
        token=request.get("clientRequestToken"),
    )
    return {"pipelineExecutionId": execution.id}


def _stop(request: Request) -> Answer:
    pipeline = store.find(request["pipelineName"])
    execution = pipeline.execution(request["pipelineExecutionId"])
    lifecycle.stop(pipeline, execution, abandon=request.get("abandon", False), reason=request.get("reason"))
    return {"pipelineExecutionId": execution.id}


def _get(request: Request) -> Answer:
    pipeline = store.find(request["pipelineName"])
    with pipeline.changed:
        return {"pipelineExecution": views.execution_detail(pipeline.execution(request["pipelineExecutionId"]))}


def _list(request: Request) -> Answer:
    pipeline = store.find(request["pipelineName"])
    stage = request.get("filter", {}).get("succeededInStage", {}).get("stageName")
    with pipeline.changed:
        items = [
            views.execution_summary(execution)
            for execution in reversed(pipeline.executions.values())
            if stage is None or execution.stages.get(stage) == "Succeeded"
        ]
    return page(items, request, key="pipelineExecutionSummaries", size=100)


def _list_actions(request: Request) -> Answer:
    pipeline = store.find(request["pipelineName"])
    wanted = _wanted_execution(request)
    with pipeline.changed:
        executions = [pipeline.execution(wanted)] if wanted else list(pipeline.executions.values())
        runs = [(execution, run) for execution in executions for run in execution.actions]
        items = [
            views.action_detail(execution, run) for execution, run in sorted(runs, key=lambda pair: -pair[1].started)
        ]
    return page(items, request, key="actionExecutionDetails", size=100)


def _wanted_execution(request: Request) -> str | None:
    chosen = request.get("filter", {})
    latest = chosen.get("latestInPipelineExecution", {})
    wanted: str | None = chosen.get("pipelineExecutionId") or latest.get("pipelineExecutionId")
    return wanted


def _list_rules(request: Request) -> Answer:
    """Always empty: pipelines with stage conditions are refused."""
    pipeline = store.find(request["pipelineName"])
    if wanted := _wanted_execution(request):
        pipeline.execution(wanted)
    return {"ruleExecutionDetails": []}


def _stage(pipeline: Pipeline, name: str) -> Stage:
    pipeline.stage_state(name)
    return next(stage for stage in pipeline.definition.stages if stage.name == name)


def _retry(request: Request) -> Answer:
    pipeline = store.find(request["pipelineName"])
    stage = _stage(pipeline, request["stageName"])
    execution = pipeline.execution(request["pipelineExecutionId"])
    lifecycle.retry(pipeline, execution, stage=stage, mode=request["retryMode"])
    return {"pipelineExecutionId": execution.id}


def _roll_back(request: Request) -> Answer:
    pipeline = store.find(request["pipelineName"])
    stage = _stage(pipeline, request["stageName"])
    target = pipeline.execution(request["targetPipelineExecutionId"])
    trigger = Trigger(type="ManualRollback")
    return {"pipelineExecutionId": lifecycle.roll_back(pipeline, stage=stage, target=target, trigger=trigger).id}


OPERATIONS: Mapping[str, Callable[[Request], Answer]] = {
    "StartPipelineExecution": _start,
    "StopPipelineExecution": _stop,
    "GetPipelineExecution": _get,
    "ListPipelineExecutions": _list,
    "ListActionExecutions": _list_actions,
    "ListRuleExecutions": _list_rules,
    "RetryStageExecution": _retry,
    "RollbackStage": _roll_back,
}
