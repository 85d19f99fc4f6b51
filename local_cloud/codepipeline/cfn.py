"""AWS::CodePipeline::Pipeline: conversion of its properties to the API's document, and its provisioner.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-codepipeline-pipeline.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from local_cloud.codepipeline import host, lifecycle, store
from local_cloud.codepipeline.executions import Trigger
from local_cloud.server.json_api import problems, service_model

TYPE_NAME = "AWS::CodePipeline::Pipeline"
# Properties that are not part of the pipeline structure.
_OWN = frozenset({"RestartExecutionOnUpdate", "DisableInboundStageTransitions", "Tags", "ArtifactStores"})
Properties = Mapping[str, Any]


def document(properties: Properties, *, name: str) -> dict[str, Any]:
    """The API's document: member names in camelCase and typed values, both by the API's own model."""
    shape = service_model("codepipeline").shape_for("PipelineDeclaration")
    structure = {key: value for key, value in properties.items() if key not in _OWN}
    converted: dict[str, Any] = _convert(structure, shape, path="Pipeline")
    if stores := properties.get("ArtifactStores"):
        store_shape = service_model("codepipeline").shape_for("ArtifactStore")
        converted["artifactStores"] = {
            item["Region"]: _convert(item["ArtifactStore"], store_shape, path="ArtifactStores") for item in stores
        }
    result = {**converted, "name": name}
    if found := problems(result, shape):
        raise ValueError("; ".join(found))
    return result


def _convert(value: Any, shape: Any, *, path: str) -> Any:
    if shape.type_name == "structure":
        return _convert_structure(value, shape, path=path)
    if shape.type_name == "list":
        return [_convert(item, shape.member, path=f"{path}[]") for item in value]
    if shape.type_name == "map":
        return {key: _convert(item, shape.value, path=f"{path}.{key}") for key, item in value.items()}
    if shape.type_name == "integer":
        return int(value)
    if isinstance(value, bool):
        return str(value).lower()
    return str(value)


def _convert_structure(value: Properties, shape: Any, *, path: str) -> dict[str, Any]:
    members = {name[0].upper() + name[1:]: (name, member) for name, member in shape.members.items()}
    unknown = sorted(set(value) - set(members))
    if unknown:
        raise ValueError(f"{path} has no property {', '.join(unknown)}; it knows {', '.join(sorted(members))}")
    return {members[key][0]: _convert(item, members[key][1], path=f"{path}.{key}") for key, item in value.items()}


def _tags(properties: Properties) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in properties.get("Tags", [])}


def _apply_transitions(pipeline: store.Pipeline, properties: Properties) -> None:
    disabled = {item["StageName"]: item["Reason"] for item in properties.get("DisableInboundStageTransitions", [])}
    with pipeline.changed:
        for stage in pipeline.definition.stages:
            pipeline.stage_state(stage.name).disabled_reason = disabled.get(stage.name)
        pipeline.changed.notify_all()


def _attributes(pipeline: store.Pipeline) -> dict[str, str]:
    return {"Version": str(pipeline.definition.version)}


def _create(logical_id: str, properties: Properties, stack: str) -> tuple[str, dict[str, str]]:
    name = properties.get("Name") or host.physical_name(stack=stack, logical_id=logical_id)
    pipeline = lifecycle.create(document(properties, name=name), tags=_tags(properties))
    _apply_transitions(pipeline, properties)
    return name, _attributes(pipeline)


def _update(physical_id: str, _old: Properties, new: Properties, stack: str) -> tuple[str, dict[str, str]]:
    """In place; another ``Name`` is a replacement, whose predecessor CloudFormation deletes."""
    if new.get("Name", physical_id) != physical_id:
        return _create(physical_id, new, stack)
    pipeline = lifecycle.update(document(new, name=physical_id))
    pipeline.tags = _tags(new)
    _apply_transitions(pipeline, new)
    if str(new.get("RestartExecutionOnUpdate", "false")).lower() == "true":
        lifecycle.start(pipeline, trigger=Trigger(type="StartPipelineExecution", detail="RestartExecutionOnUpdate"))
    return physical_id, _attributes(pipeline)


def _delete(physical_id: str, _properties: Properties) -> None:
    lifecycle.delete(physical_id)


def register() -> None:
    """Teach CloudFormation the type."""
    host.add_resource_type(TYPE_NAME, {"create": _create, "update": _update, "delete": _delete})
