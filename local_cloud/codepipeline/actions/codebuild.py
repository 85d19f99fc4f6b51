"""Build/CodeBuild and Test/CodeBuild: runs a build with the input artifacts as its sources.

https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-CodeBuild.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from local_cloud.codebuild import pipeline_builds
from local_cloud.codepipeline import host
from local_cloud.codepipeline.actions.context import Context, Outcome
from local_cloud.codepipeline.errors import ActionAbandoned, ActionFailed, configuration_error
from local_cloud.codepipeline.executions import Halt

REQUIRED = frozenset({"ProjectName"})
# Settings that would change what is built, and that the local cloud does not execute.
_REFUSED = frozenset({"BatchEnabled", "CombineArtifacts"})
_TIMEOUT_MINUTES = 8 * 60


def run(context: Context) -> Outcome:
    """Start the build and follow it to its end; exported variables become output variables."""
    codebuild = context.client("codebuild")
    build_id = _start(context, codebuild)
    context.describe(external_id=build_id)
    try:
        build = _follow(context, codebuild, build_id)
    except ActionAbandoned:
        # A changed definition cancels the execution but not the build that changed it: self-mutation goes on.
        if context.execution.halt is Halt.ABANDON:
            codebuild.stop_build(id=build_id)
        raise
    context.run.log_stream_arn = build.get("logs", {}).get("cloudWatchLogsArn")
    if build["buildStatus"] != "SUCCEEDED":
        raise ActionFailed("JobFailed", _failure(build))
    exported = build.get("exportedEnvironmentVariables", [])
    return Outcome(
        variables={item["name"]: item["value"] for item in exported},
        written=frozenset(context.action.outputs),
    )


def _primary(context: Context) -> str:
    primary = context.optional("PrimarySource")
    if not primary and len(context.action.inputs) > 1:
        raise configuration_error("PrimarySource is required: the action has more than one input artifact")
    name = primary or context.action.inputs[0]
    if name not in context.run.inputs:
        raise configuration_error(f"PrimarySource {name} is not an input artifact of the action")
    return name


def _start(context: Context, codebuild: Any) -> str:
    primary, token = _primary(context), context.run.id
    pipeline_builds.expect(
        token=token,
        sources={name: (place.bucket, place.key) for name, place in context.run.inputs.items()},
        primary=primary,
        artifacts={name: (place.bucket, place.key) for name, place in context.run.outputs.items()},
        kms_key_id=context.store.kms_key_id,
        initiator=f"codepipeline/{context.pipeline.definition.name}",
        resolved_version=context.execution.artifacts[primary].revision,
    )
    answer = codebuild.start_build(
        projectName=context.setting("ProjectName"),
        idempotencyToken=token,
        environmentVariablesOverride=context.json_setting("EnvironmentVariables", []),
    )
    return str(answer["build"]["id"])


def _follow(context: Context, codebuild: Any, build_id: str) -> dict[str, Any]:
    """Ask for the build at once and at its end, so that a role without BatchGetBuilds fails as it does in AWS."""
    codebuild.batch_get_builds(ids=[build_id])
    where = {"account": context.identity.account, "region": context.action.region}
    context.wait(lambda: not host.build_runs(build_id, **where), default_minutes=_TIMEOUT_MINUTES)
    build: dict[str, Any] = codebuild.batch_get_builds(ids=[build_id])["builds"][0]
    return build


def _failure(build: dict[str, Any]) -> str:
    message = f"Build terminated with state: {build['buildStatus']}."
    for phase in build.get("phases", []):
        for reason in phase.get("contexts") or []:
            if phase.get("phaseStatus") != "SUCCEEDED" and (reason.get("statusCode") or reason.get("message")):
                code, text = reason.get("statusCode"), reason.get("message")
                return f"{message} Phase: {phase['phaseType']}, Code: {code}, Message: {text}"
    return message


def check(configuration: Mapping[str, str]) -> None:
    """Refuse settings that the local cloud does not execute."""
    for name in sorted(_REFUSED):
        if configuration.get(name, "false").lower() == "true":
            raise configuration_error(f"The local cloud does not execute {name}")
