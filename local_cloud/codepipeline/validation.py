"""Checks of a pipeline structure: AWS's own rules, and what the local cloud cannot execute.

https://docs.aws.amazon.com/codepipeline/latest/userguide/reference-pipeline-structure.html
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from local_cloud.codepipeline.actions.registry import EXECUTORS
from local_cloud.codepipeline.definition import Action, Definition, Stage
from local_cloud.codepipeline.errors import ActionFailed, ServiceError

_MAX_RUN_ORDER = 999
_MIN_STAGES = 2


def with_defaults(document: Mapping[str, Any], *, version: int) -> dict[str, Any]:
    """The document as AWS stores it: with its version, type and execution mode."""
    defaults = {"executionMode": "SUPERSEDED", "pipelineType": "V1"}
    return {**defaults, **document, "version": version}


def check_document(document: Mapping[str, Any]) -> None:
    """Refuse what cannot be read as a definition, and features that would silently do nothing here."""
    if bool(document.get("artifactStore")) == bool(document.get("artifactStores")):
        raise ServiceError("InvalidStructureException", "Give either artifactStore or artifactStores")
    if document.get("triggers"):
        raise ServiceError("ValidationException", "The local cloud does not execute Git triggers: remove triggers")
    for stage in document["stages"]:
        _check_conditions(stage)
        for action in stage["actions"]:
            _check_action_features(action)


def _check_conditions(stage: Mapping[str, Any]) -> None:
    on_failure = stage.get("onFailure", {})
    if stage.get("beforeEntry") or stage.get("onSuccess") or on_failure.get("conditions"):
        raise ServiceError(
            "InvalidStageDeclarationException",
            f"Stage {stage['name']}: the local cloud does not evaluate stage conditions",
        )
    if on_failure.get("result") == "SKIP":
        raise ServiceError("InvalidStageDeclarationException", f"Stage {stage['name']}: SKIP needs a condition")


def _check_action_features(action: Mapping[str, Any]) -> None:
    for feature in ("commands", "outputVariables", "environmentVariables"):
        if action.get(feature):
            raise ServiceError(
                "InvalidActionDeclarationException",
                f"Action {action['name']}: the local cloud does not execute an action's {feature}",
            )


def check_definition(definition: Definition, *, region: str) -> None:
    """Refuse a structure that CodePipeline refuses; ``region`` is the pipeline's own."""
    _check_stages(definition)
    _check_type(definition)
    if region not in definition.stores:
        raise ServiceError("InvalidStructureException", f"There is no artifact store in the pipeline's Region {region}")
    available: set[str] = set()
    for position, stage in enumerate(definition.stages):
        _check_stage(stage, is_first=position == 0)
        for group in stage.groups():
            for action in group:
                _check_action(action, definition=definition, available=available)
            available.update(output for action in group for output in action.outputs)
    _check_unique(_all_outputs(definition), what="output artifact", code="InvalidStructureException")
    _check_unique(_namespaces(definition), what="namespace", code="InvalidStructureException")


def _all_outputs(definition: Definition) -> list[str]:
    return [output for stage in definition.stages for action in stage.actions for output in action.outputs]


def _namespaces(definition: Definition) -> list[str]:
    return [action.namespace for stage in definition.stages for action in stage.actions if action.namespace]


def _check_unique(names: Iterable[str], *, what: str, code: str) -> None:
    doubles = sorted(name for name, count in Counter(names).items() if count > 1)
    if doubles:
        raise ServiceError(code, f"More than one {what} has the name {', '.join(doubles)}")


def _check_stages(definition: Definition) -> None:
    if len(definition.stages) < _MIN_STAGES:
        raise ServiceError("InvalidStructureException", "Pipeline should have at least two stages")
    names = [stage.name for stage in definition.stages]
    _check_unique(names, what="stage", code="InvalidStructureException")
    if definition.stages[0].on_failure == "ROLLBACK":
        raise ServiceError("InvalidStageDeclarationException", "The source stage cannot roll back")


def _check_type(definition: Definition) -> None:
    if definition.pipeline_type == "V2":
        return
    if definition.variable_defaults or definition.execution_mode != "SUPERSEDED":
        raise ServiceError("ValidationException", "Variables and execution modes other than SUPERSEDED need type V2")
    if any(stage.on_failure != "FAIL" for stage in definition.stages):
        raise ServiceError("ValidationException", "onFailure needs pipeline type V2")


def _check_stage(stage: Stage, *, is_first: bool) -> None:
    if not stage.actions:
        raise ServiceError("InvalidStageDeclarationException", f"Stage {stage.name} has no action")
    names = [action.name for action in stage.actions]
    _check_unique(names, what=f"action of stage {stage.name}", code="InvalidStageDeclarationException")
    sources = [action.type.category == "Source" for action in stage.actions]
    if is_first and not all(sources):
        raise ServiceError("InvalidStructureException", f"Stage {stage.name}: the first stage holds only sources")
    if not is_first and any(sources):
        raise ServiceError("InvalidStructureException", f"Stage {stage.name}: only the first stage holds sources")


def _invalid(action: Action, message: str) -> ServiceError:
    return ServiceError("InvalidActionDeclarationException", f"Action {action.name}: {message}")


def _check_action(action: Action, *, definition: Definition, available: set[str]) -> None:
    executor = EXECUTORS.get(str(action.type))
    if executor is None:
        raise _invalid(action, f"the local cloud does not execute the action type {action.type}")
    missing = sorted(executor.required - action.configuration.keys())
    if missing:
        raise _invalid(action, f"configuration lacks {', '.join(missing)}")
    if len(action.inputs) not in executor.inputs or len(action.outputs) not in executor.outputs:
        raise _invalid(action, f"{len(action.inputs)} input and {len(action.outputs)} output artifacts do not fit")
    if unknown := [name for name in action.inputs if name not in available]:
        raise _invalid(action, f"no earlier action has the output artifact {', '.join(unknown)}")
    if not 1 <= action.run_order <= _MAX_RUN_ORDER:
        raise _invalid(action, f"runOrder {action.run_order} is not within 1 and {_MAX_RUN_ORDER}")
    if action.region not in definition.stores:
        raise _invalid(action, f"there is no artifact store in its Region {action.region}")
    try:
        executor.check(action.configuration)
    except ActionFailed as error:
        raise _invalid(action, error.message) from error
    if bool(action.configuration.get("OutputFileName")) != (action.type.category == "Deploy" and bool(action.outputs)):
        raise _invalid(action, "OutputFileName and an output artifact go together")
