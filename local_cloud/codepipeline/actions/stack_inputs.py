"""What a CloudFormation action gives to a stack: template, parameters, tags, capabilities, role.

https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-CloudFormation.html
"""

from __future__ import annotations

import json
from typing import Any

from local_cloud.codepipeline.actions.context import Context
from local_cloud.codepipeline.errors import configuration_error


def stack_arguments(context: Context) -> dict[str, Any]:
    """The arguments that CreateStack, UpdateStack and CreateChangeSet share."""
    parameters, tags = _template_configuration(context)
    parameters.update(_overrides(context))
    arguments: dict[str, Any] = {
        "StackName": context.setting("StackName"),
        "TemplateBody": context.read_reference(context.setting("TemplatePath")).decode(),
        "Parameters": [{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
        "Capabilities": [item.strip() for item in context.optional("Capabilities").split(",") if item.strip()],
        "Tags": [{"Key": key, "Value": value} for key, value in tags.items()],
    }
    if role := context.optional("RoleArn"):
        arguments["RoleARN"] = role
    return arguments


def _template_configuration(context: Context) -> tuple[dict[str, str], dict[str, str]]:
    reference = context.optional("TemplateConfiguration")
    if not reference:
        return {}, {}
    document = _object(context.read_reference(reference), what=f"TemplateConfiguration {reference}")
    if document.get("StackPolicy"):
        raise configuration_error("The local cloud does not apply a StackPolicy of a TemplateConfiguration")
    return _strings(document.get("Parameters", {})), _strings(document.get("Tags", {}))


def _overrides(context: Context) -> dict[str, str]:
    overrides = context.json_setting("ParameterOverrides", {})
    return _strings({key: _parameter(context, value) for key, value in overrides.items()})


def _parameter(context: Context, value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    if list(value) == ["Fn::GetParam"]:
        artifact, path, key = value["Fn::GetParam"]
        document = _object(context.read(artifact=artifact, path=path), what=f"{artifact}::{path}")
        if key not in document:
            raise configuration_error(f"{artifact}::{path} has no key {key}")
        return document[key]
    if list(value) == ["Fn::GetArtifactAtt"]:
        artifact, attribute = value["Fn::GetArtifactAtt"]
        return _artifact_attribute(context, artifact=artifact, attribute=attribute)
    raise configuration_error(f"ParameterOverrides knows Fn::GetParam and Fn::GetArtifactAtt, not {list(value)}")


def _artifact_attribute(context: Context, *, artifact: str, attribute: str) -> str:
    place = context.run.inputs.get(artifact)
    if place is None:
        raise configuration_error(f"Artifact {artifact} is not an input of action {context.action.name}")
    if attribute == "BucketName":
        return place.bucket
    if attribute == "ObjectKey":
        return place.key
    if attribute == "URL":
        return f"https://s3.{context.action.region}.amazonaws.com/{place.bucket}/{place.key}"
    raise configuration_error(f"Fn::GetArtifactAtt knows BucketName, ObjectKey and URL, not {attribute}")


def _object(body: bytes, *, what: str) -> dict[str, Any]:
    try:
        document = json.loads(body)
    except ValueError as error:
        raise configuration_error(f"{what} is not valid JSON: {error}") from error
    if not isinstance(document, dict):
        raise configuration_error(f"{what} is not a JSON object")
    return document


def _strings(values: dict[str, Any]) -> dict[str, str]:
    return {key: ",".join(map(str, value)) if isinstance(value, list) else str(value) for key, value in values.items()}
