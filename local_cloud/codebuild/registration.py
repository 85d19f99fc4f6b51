"""How CodeBuild requests reach the engine: what IAM evaluates of them, and operations that are refused."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from ministack import app as ministack_app
from ministack.core import iam_evaluator
from ministack.core.responses import get_account_id, get_region
from ministack.core.router import extract_access_key_id
from ministack.services import codebuild as ministack_codebuild
from ministack.services import tagging

from local_cloud.server import iam_gaps
from local_cloud.server.responses import Response, error

_SERVED = {
    "CreateProject",
    "UpdateProject",
    "DeleteProject",
    "BatchGetProjects",
    "ListProjects",
    "StartBuild",
    "StopBuild",
    "BatchGetBuilds",
    "ListBuilds",
    "ListBuildsForProject",
    "BatchDeleteBuilds",
}

# What asks for several at once, and where it names them.
_OF_SEVERAL = {"BatchGetBuilds": "ids", "BatchGetProjects": "names"}

# Condition keys of StartBuild, and the parameters that they are about; CodeBuild has more of them.
# https://docs.aws.amazon.com/service-authorization/latest/reference/list_awscodebuild.html
_OVERRIDES = {
    "codebuild:artifacts": "artifactsOverride",
    "codebuild:autoRetryLimit": "autoRetryLimitOverride",
    "codebuild:cache": "cacheOverride",
    "codebuild:encryptionKey": "encryptionKeyOverride",
    "codebuild:environment.certificate": "certificateOverride",
    "codebuild:environment.computeType": "computeTypeOverride",
    "codebuild:environment.fleet.fleetArn": "fleetOverride",
    "codebuild:environment.image": "imageOverride",
    "codebuild:environment.imagePullCredentialsType": "imagePullCredentialsTypeOverride",
    "codebuild:environment.privilegedMode": "privilegedModeOverride",
    "codebuild:environment.registryCredential": "registryCredentialOverride",
    "codebuild:environment.type": "environmentTypeOverride",
    "codebuild:logsConfig": "logsConfigOverride",
    "codebuild:secondaryArtifacts": "secondaryArtifactsOverride",
    "codebuild:secondarySources": "secondarySourcesOverride",
    "codebuild:serviceRole": "serviceRoleOverride",
    "codebuild:source.buildspec": "buildspecOverride",
    "codebuild:source.location": "sourceLocationOverride",
}
_VARIABLES = "codebuild:environment.environmentVariables.name"


def refuse_unsupported() -> None:
    """Answer operations that nobody executes with an error that names the local cloud."""

    async def handler(method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, Any]) -> Any:
        operation = headers.get("x-amz-target", "").rsplit(".", 1)[-1]
        if operation not in _SERVED:
            return error("InvalidInputException", f"The local cloud does not execute {operation}.")
        denied = _denied_projects(operation, headers, body) if operation in _OF_SEVERAL else None
        if denied is not None:
            return denied
        return await ministack_codebuild.handle_request(method, path, headers, body, query)

    ministack_app.SERVICE_HANDLERS["codebuild"] = handler


def authorize_builds() -> None:
    """Evaluate requests about builds on the ARN of their project, as AWS does (ministack takes `*`), and overrides."""
    iam_gaps.resource_of("codebuild", _project_of)
    iam_gaps.context_of("codebuild", _overrides_of)
    tagging._RESOURCE_TAG_COLLECTORS["codebuild"] = _tags  # for aws:ResourceTag


def _tags() -> Iterator[tuple[str, list[dict[str, str]]]]:
    for project in ministack_codebuild._projects.values():
        yield project["arn"], [{"Key": tag["key"], "Value": tag["value"]} for tag in project["tags"]]


def _overrides_of(request: iam_gaps.Request) -> dict[str, Any]:
    if request.operation != "StartBuild":
        return {}
    given = {key: request.body[name] for key, name in _OVERRIDES.items() if request.body.get(name) is not None}
    if variables := request.body.get("environmentVariablesOverride"):
        given[_VARIABLES] = [variable["name"] for variable in variables]
    return given


def _project_of(request: iam_gaps.Request) -> str | None:
    named = request.body.get("id") or request.body.get(_OF_SEVERAL.get(request.operation, "ids"))
    first = named[0] if isinstance(named, list) and named else named
    if not isinstance(first, str):
        return None
    project = _project_name(first)
    return f"arn:aws:codebuild:{request.region}:{request.account}:project/{project}"


def _project_name(build: str) -> str:
    return build.rsplit("build/", 1)[-1].split(":", 1)[0]


def _denied_projects(operation: str, headers: dict[str, str], body: bytes) -> Response | None:
    """ministack evaluates one resource a request; a request about several projects needs the other ones, too."""
    region, account = get_region(), get_account_id()
    projects = sorted({_project_name(named) for named in json.loads(body or b"{}").get(_OF_SEVERAL[operation]) or ()})
    for project in projects:
        arn = f"arn:aws:codebuild:{region}:{account}:project/{project}"
        denied = iam_evaluator.enforce(
            extract_access_key_id(headers), f"codebuild:{operation}", "codebuild", region, resource_arn=arn
        )
        if denied:
            return error(
                "AccessDeniedException",
                f"User: {iam_evaluator.caller_arn()} is not authorized "
                f"to perform: codebuild:{operation} on resource: {arn}",
            )
    return None
