"""Operations on pipelines and executions: create, update, delete, start, stop, retry, roll back."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Mapping, Sequence
from typing import Any

from local_cloud.codepipeline import engine, events, host, store, variables
from local_cloud.codepipeline.definition import Definition, Stage, parse_definition
from local_cloud.codepipeline.errors import ServiceError
from local_cloud.codepipeline.executions import Execution, Halt, Trigger
from local_cloud.codepipeline.store import Pipeline
from local_cloud.codepipeline.validation import check_definition, check_document, with_defaults

_log = logging.getLogger(__name__)
# https://docs.aws.amazon.com/codepipeline/latest/userguide/limits.html
_MAX_RUNNING = 50


_announced_triggers: dict[str, Trigger] = {}


def announce_trigger(token: str, trigger: Trigger) -> None:
    """Name what is behind the start that will come with this client request token."""
    _announced_triggers[token] = trigger


def _definition(document: Mapping[str, Any], *, version: int, region: str) -> Definition:
    check_document(document)
    definition = parse_definition(with_defaults(document, version=version), region=region)
    check_definition(definition, region=region)
    return definition


def create(document: Mapping[str, Any], *, tags: Mapping[str, str]) -> Pipeline:
    """Create a pipeline and start its first execution, as AWS does."""
    region = host.region()
    definition = _definition(document, version=1, region=region)
    pipeline = Pipeline(account=host.account(), region=region, definition=definition, tags=dict(tags))
    store.add(pipeline)
    if all(default is not None for default in definition.variable_defaults.values()):
        start(pipeline, trigger=Trigger(type="CreatePipeline"))
    else:
        _log.warning("Pipeline %s is not started: a variable has no default", definition.name)
    return pipeline


def update(document: Mapping[str, Any]) -> Pipeline:
    """Replace a pipeline's structure; running executions end as Cancelled."""
    pipeline = store.find(document["name"])
    definition = _definition(document, version=pipeline.definition.version + 1, region=pipeline.region)
    with pipeline.changed:
        pipeline.definition = definition
        pipeline.updated = time.time()
        _halt_all(pipeline, Halt.CANCEL)
    return pipeline


def delete(name: str) -> None:
    """Delete a pipeline; its running executions end."""
    pipeline = store.remove(name)
    if pipeline is not None:
        _halt_all(pipeline, Halt.CANCEL)


def _halt_all(pipeline: Pipeline, halt: Halt) -> None:
    with pipeline.changed:
        for execution in pipeline.executions.values():
            if not execution.ended:
                execution.halt = halt
        pipeline.changed.notify_all()


def start(
    pipeline: Pipeline,
    *,
    trigger: Trigger,
    given: Mapping[str, str] | None = None,
    overrides: Mapping[str, Mapping[str, str]] | None = None,
    token: str | None = None,
) -> Execution:
    """Start an execution; the same client request token starts only one."""
    definition = pipeline.definition
    with pipeline.changed:
        if token and token in pipeline.tokens:
            return pipeline.executions[pipeline.tokens[token]]
        _check_room(pipeline)
        resolved = variables.pipeline_variables(defaults=definition.variable_defaults, given=given or {})
        execution = Execution(
            definition=definition,
            trigger=_announced_triggers.pop(token or "", trigger),
            variables=resolved,
            overrides={action: dict(revisions) for action, revisions in (overrides or {}).items()},
        )
        pipeline.executions[execution.id] = execution
        if token:
            pipeline.tokens[token] = execution.id
        _run(pipeline, execution, stages=definition.stages)
    return execution


def _run(
    pipeline: Pipeline, execution: Execution, *, stages: Sequence[Stage], skip: frozenset[str] = frozenset()
) -> None:
    def roll_back(stage: Stage) -> None:
        _roll_back_failed(pipeline, execution, stage=stage)

    engine.start(pipeline, execution, plan=engine.Plan(stages=stages, roll_back=roll_back, skip=skip))


def _check_room(pipeline: Pipeline) -> None:
    if sum(not execution.ended for execution in pipeline.executions.values()) >= _MAX_RUNNING:
        raise ServiceError(
            "ConcurrentPipelineExecutionsLimitExceededException",
            f"Pipeline {pipeline.definition.name} has {_MAX_RUNNING} executions in progress: wait for one to end",
        )


def stop(pipeline: Pipeline, execution: Execution, *, abandon: bool, reason: str | None) -> None:
    """Stop an execution: wait for its running actions, or abandon them."""
    with pipeline.changed:
        if execution.ended:
            raise ServiceError(
                "PipelineExecutionNotStoppableException",
                f"Execution {execution.id} has ended as {execution.status}",
            )
        if execution.halt is not None and not (abandon and execution.halt is Halt.STOP):
            raise ServiceError("DuplicatedStopRequestException", f"Execution {execution.id} is already stopping")
        execution.halt = Halt.ABANDON if abandon else Halt.STOP
        execution.stop_reason = reason
        execution.status = "Stopping"
        change = events.of_pipeline(pipeline, execution)
        pipeline.changed.notify_all()
    events.announce(pipeline, change)


def retry(pipeline: Pipeline, execution: Execution, *, stage: Stage, mode: str) -> None:
    """Run a failed or stopped stage again in the same execution, and go on from there."""
    with pipeline.changed:
        if execution.status not in ("Failed", "Stopped") or execution.stages.get(stage.name) not in (
            "Failed",
            "Stopped",
        ):
            raise ServiceError(
                "StageNotRetryableException", f"Stage {stage.name} has not failed in execution {execution.id}"
            )
        if execution.definition is not pipeline.definition:
            raise ServiceError(
                "StageNotRetryableException",
                "The pipeline definition has changed since the execution started",
            )
        execution.status, execution.halt, execution.status_summary = "InProgress", None, None
        execution.attempt += 1
        pipeline.stages[stage.name].manual_retries += 1
        following = execution.definition.stages[execution.definition.stages.index(stage) :]
        _run(pipeline, execution, stages=following, skip=engine.to_skip(execution, stage, mode=mode))


def roll_back(pipeline: Pipeline, *, stage: Stage, target: Execution, trigger: Trigger) -> Execution:
    """Run one stage with the sources, artifacts and variables of an execution that succeeded in it."""
    if target.stages.get(stage.name) != "Succeeded" or target.type != "STANDARD":
        raise ServiceError(
            "UnableToRollbackStageException", f"Execution {target.id} has not succeeded in stage {stage.name}"
        )
    if target.definition.version != pipeline.definition.version:
        raise ServiceError(
            "PipelineExecutionOutdatedException",
            f"Execution {target.id} ran version {target.definition.version} of the pipeline; "
            f"it is at version {pipeline.definition.version} now",
        )
    execution = Execution(
        definition=target.definition,
        trigger=trigger,
        type="ROLLBACK",
        rollback_target=target.id,
        variables=dict(target.variables),
        artifacts=dict(target.artifacts),
        namespaces=dict(target.namespaces),
        source_revisions=list(target.source_revisions),
    )
    with pipeline.changed:
        _check_room(pipeline)
        pipeline.executions[execution.id] = execution
        _run(pipeline, execution, stages=[stage])
    return execution


def _roll_back_failed(pipeline: Pipeline, failed: Execution, *, stage: Stage) -> None:
    """The stage's onFailure ROLLBACK: to the last execution that succeeded in it, when there is one."""
    with pipeline.changed:
        others = [one for one in pipeline.executions.values() if one is not failed and one.type == "STANDARD"]
        earlier = [one for one in others if one.stages.get(stage.name) == "Succeeded"]
    reason = f"No execution has succeeded in stage {stage.name}"
    if earlier:
        try:
            trigger = Trigger(type="AutomatedRollback", detail=json.dumps({"FailedPipelineExecutionId": failed.id}))
            roll_back(pipeline, stage=stage, target=earlier[-1], trigger=trigger)
        except ServiceError as error:
            reason = error.message
        else:
            return
    with pipeline.changed:
        failed.status_summary = f"The stage {stage.name} could not be rolled back: {reason}"
