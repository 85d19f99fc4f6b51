"""The engine's state in the API's words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from local_cloud.codepipeline.definition import Action, ActionType
from local_cloud.codepipeline.executions import ActionExecution, Execution, S3Location, SourceRevision
from local_cloud.codepipeline.store import Pipeline

View = dict[str, Any]


def _present(**values: Any) -> View:
    return {key: value for key, value in values.items() if value is not None}


def pipeline_summary(pipeline: Pipeline) -> View:
    """An item of ListPipelines."""
    definition = pipeline.definition
    return {
        "name": definition.name,
        "version": definition.version,
        "pipelineType": definition.pipeline_type,
        "executionMode": definition.execution_mode,
        "created": pipeline.created,
        "updated": pipeline.updated,
    }


def _trigger(execution: Execution) -> View:
    return {"triggerType": execution.trigger.type, "triggerDetail": execution.trigger.detail}


def _rollback(execution: Execution) -> View | None:
    target = execution.rollback_target
    return {"rollbackTargetPipelineExecutionId": target} if target else None


def execution_detail(execution: Execution) -> View:
    """GetPipelineExecution."""
    return _present(
        pipelineName=execution.definition.name,
        pipelineVersion=execution.definition.version,
        pipelineExecutionId=execution.id,
        status=execution.status,
        statusSummary=execution.status_summary,
        artifactRevisions=[_artifact_revision(revision) for revision in execution.source_revisions],
        variables=[{"name": name, "resolvedValue": value} for name, value in execution.variables.items()],
        trigger=_trigger(execution),
        executionMode=execution.definition.execution_mode,
        executionType=execution.type,
        rollbackMetadata=_rollback(execution),
    )


def _artifact_revision(revision: SourceRevision) -> View:
    return {
        "name": revision.artifact,
        "revisionId": revision.revision_id,
        "revisionSummary": revision.summary,
        "revisionUrl": revision.url,
    }


def execution_summary(execution: Execution) -> View:
    """An item of ListPipelineExecutions."""
    return _present(
        pipelineExecutionId=execution.id,
        status=execution.status,
        statusSummary=execution.status_summary,
        startTime=execution.started,
        lastUpdateTime=execution.updated,
        sourceRevisions=[
            {
                "actionName": revision.action,
                "revisionId": revision.revision_id,
                "revisionSummary": revision.summary,
                "revisionUrl": revision.url,
            }
            for revision in execution.source_revisions
        ],
        trigger=_trigger(execution),
        stopTrigger={"reason": execution.stop_reason} if execution.stop_reason else None,
        executionMode=execution.definition.execution_mode,
        executionType=execution.type,
        rollbackMetadata=_rollback(execution),
    )


def action_type(kind: ActionType) -> View:
    """An action type id."""
    return {
        "category": kind.category,
        "owner": kind.owner,
        "provider": kind.provider,
        "version": kind.version,
    }


def _artifacts(places: Mapping[str, S3Location]) -> list[View]:
    return [{"name": name, "s3location": {"bucket": place.bucket, "key": place.key}} for name, place in places.items()]


def _error(run: ActionExecution) -> View | None:
    return {"code": run.error_code, "message": run.error_message} if run.error_code else None


def action_detail(execution: Execution, run: ActionExecution) -> View:
    """An item of ListActionExecutions."""
    action = run.action
    result = _present(
        externalExecutionId=run.external_id,
        externalExecutionSummary=run.summary,
        externalExecutionUrl=run.external_url,
        errorDetails=_error(run),
        logStreamARN=run.log_stream_arn,
    )
    return _present(
        pipelineExecutionId=execution.id,
        actionExecutionId=run.id,
        pipelineVersion=execution.definition.version,
        stageName=run.stage,
        actionName=action.name,
        startTime=run.started,
        lastUpdateTime=run.updated,
        updatedBy=run.updated_by,
        status=run.status,
        input=_present(
            actionTypeId=action_type(action.type),
            configuration=dict(action.configuration),
            resolvedConfiguration=dict(run.configuration),
            roleArn=action.role_arn,
            region=action.region,
            inputArtifacts=_artifacts(run.inputs),
            namespace=action.namespace,
        ),
        output={
            "outputArtifacts": _artifacts(run.outputs) if run.status == "Succeeded" else [],
            "executionResult": result,
            "outputVariables": run.output_variables,
        },
    )


def pipeline_state(pipeline: Pipeline) -> View:
    """GetPipelineState."""
    return {
        "pipelineName": pipeline.definition.name,
        "pipelineVersion": pipeline.definition.version,
        "stageStates": [_stage_state(pipeline, stage.name) for stage in pipeline.definition.stages],
        "created": pipeline.created,
        "updated": pipeline.updated,
    }


def _stage_state(pipeline: Pipeline, stage: str) -> View:
    state = pipeline.stage_state(stage)
    latest = state.latest
    inbound = [_inbound(execution) for execution in state.waiting if execution.halt is None]
    transition = _present(
        enabled=state.disabled_reason is None,
        lastChangedAt=state.changed_at,
        disabledReason=state.disabled_reason,
    )
    retries = _present(
        autoStageRetryAttempt=state.auto_retries or None, manualStageRetryAttempt=state.manual_retries or None
    )
    actions = pipeline.definition.stage(stage)
    return _present(
        stageName=stage,
        inboundExecution=inbound[-1] if inbound else None,
        inboundExecutions=inbound,
        inboundTransitionState=transition,
        actionStates=[_action_state(pipeline, stage, action) for action in (actions.actions if actions else ())],
        latestExecution=_latest(latest, stage) if latest else None,
        retryStageMetadata=retries or None,
    )


def _inbound(execution: Execution) -> View:
    return {"pipelineExecutionId": execution.id, "status": "InProgress", "type": execution.type}


def _latest(execution: Execution, stage: str) -> View:
    status = execution.stages.get(stage, "InProgress")
    return {"pipelineExecutionId": execution.id, "status": status, "type": execution.type}


def _action_state(pipeline: Pipeline, stage: str, action: Action) -> View:
    runs = (execution.latest(stage=stage, action=action.name) for execution in pipeline.executions.values())
    run = max((run for run in runs if run), key=lambda run: run.started, default=None)
    if run is None:
        return {"actionName": action.name}
    latest = _present(
        actionExecutionId=run.id,
        status=run.status,
        summary=run.error_message or run.summary,
        lastStatusChange=run.updated,
        token=run.token,
        lastUpdatedBy=run.updated_by,
        externalExecutionId=run.external_id,
        externalExecutionUrl=run.external_url,
        errorDetails=_error(run),
        logStreamARN=run.log_stream_arn,
    )
    return {"actionName": action.name, "latestExecution": latest}
