"""Project settings that ministack forgets, kept for API calls and CloudFormation alike."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from ministack.services import codebuild as ministack_codebuild
from ministack.services.cloudformation import provisioners

_KEPT = (
    "secondarySources",
    "secondarySourceVersions",
    "secondaryArtifacts",
    "queuedTimeoutInMinutes",
    "cache",
    "logsConfig",
    "concurrentBuildLimit",
    "vpcConfig",
    "fileSystemLocations",
    "buildBatchConfig",
    "autoRetryLimit",
    "projectVisibility",
    "resourceAccessRole",
)
_NUMBERS = ("queuedTimeoutInMinutes", "concurrentBuildLimit", "timeoutInMinutes")
_RESOURCE_TYPE = "AWS::CodeBuild::Project"


def register() -> None:
    """Wrap ministack's project functions and its CloudFormation resource."""
    _wrap_api()
    _wrap_cloudformation()


def overridden(project: Mapping[str, Any], data: Mapping[str, Any]) -> dict[str, Any]:
    """The project as one StartBuild call wants it."""
    result = {**project, "source": dict(project["source"]), "environment": dict(project["environment"])}
    _override(
        result["source"],
        data,
        {"type": "sourceTypeOverride", "location": "sourceLocationOverride", "buildspec": "buildspecOverride"},
    )
    _override(
        result["environment"],
        data,
        {
            "type": "environmentTypeOverride",
            "image": "imageOverride",
            "computeType": "computeTypeOverride",
            "privilegedMode": "privilegedModeOverride",
        },
    )
    _override(
        result,
        data,
        {
            "sourceVersion": "sourceVersion",
            "artifacts": "artifactsOverride",
            "secondarySources": "secondarySourcesOverride",
            "secondaryArtifacts": "secondaryArtifactsOverride",
            "secondarySourceVersions": "secondarySourcesVersionOverride",
            "logsConfig": "logsConfigOverride",
            "timeoutInMinutes": "timeoutInMinutesOverride",
            "queuedTimeoutInMinutes": "queuedTimeoutInMinutesOverride",
            "encryptionKey": "encryptionKeyOverride",
            "serviceRole": "serviceRoleOverride",
            "cache": "cacheOverride",
        },
    )
    declared = {item["name"]: item for item in project["environment"].get("environmentVariables") or ()}
    declared |= {item["name"]: item for item in data.get("environmentVariablesOverride") or ()}
    result["environment"]["environmentVariables"] = [{"type": "PLAINTEXT", **item} for item in declared.values()]
    return result


def _override(target: dict[str, Any], data: Mapping[str, Any], names: Mapping[str, str]) -> None:
    target.update({field: data[override] for field, override in names.items() if data.get(override) is not None})


def _wrap_api() -> None:
    create, update = ministack_codebuild._create_project, ministack_codebuild._update_project
    shape = ministack_codebuild._project_shape

    def create_project(data: dict[str, Any]) -> Any:
        response = create(data)
        return _with_kept(data, response)

    def update_project(data: dict[str, Any]) -> Any:
        response = update(data)
        return _with_kept(data, response)

    def project_shape(project: dict[str, Any]) -> dict[str, Any]:
        return {**shape(project), **{name: project[name] for name in _KEPT if name in project}}

    ministack_codebuild._create_project = create_project
    ministack_codebuild._update_project = update_project
    ministack_codebuild._project_shape = project_shape


def _with_kept(data: Mapping[str, Any], response: tuple[int, dict[str, str], bytes]) -> Any:
    if response[0] != HTTPStatus.OK:
        return response
    project = ministack_codebuild._projects[data["name"]]
    project.update({name: data[name] for name in _KEPT if name in data})
    return ministack_codebuild.json_response({"project": ministack_codebuild._project_shape(project)})


def _wrap_cloudformation() -> None:
    handlers = provisioners._RESOURCE_HANDLERS[_RESOURCE_TYPE]
    create, update = handlers["create"], handlers["update"]

    def create_resource(logical_id: str, props: dict[str, Any], stack_name: str) -> tuple[str, dict[str, Any]]:
        physical_id, attributes = create(logical_id, props, stack_name)
        _take_properties(physical_id, props)
        return physical_id, attributes

    def update_resource(
        physical_id: str, old_props: dict[str, Any], new_props: dict[str, Any], stack_name: str
    ) -> tuple[str, dict[str, Any]]:
        new_id, attributes = update(physical_id, old_props, new_props, stack_name)
        _take_properties(new_id, new_props)
        return new_id, attributes

    handlers["create"], handlers["update"] = create_resource, update_resource


def _take_properties(name: str, props: Mapping[str, Any]) -> None:
    project = ministack_codebuild._projects[name]
    for field in _KEPT:
        project.pop(field, None)
    given = {name[0].lower() + name[1:]: value for name, value in props.items()}
    project.update({field: _api_value(field, given[field]) for field in _KEPT if field in given})
    if "EncryptionKey" in props:
        project["encryptionKey"] = props["EncryptionKey"]


def _api_value(field: str, value: Any) -> Any:
    if field in _NUMBERS:
        return int(value)
    if isinstance(value, list):
        return [provisioners._codebuild_cfn_to_api(item) for item in value]
    return provisioners._codebuild_cfn_to_api(value)
