"""What StartBuild refuses: bad input as AWS does, and what the local cloud does not execute."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_OVERRIDES = {
    "projectName",
    "idempotencyToken",
    "sourceVersion",
    "environmentVariablesOverride",
    "buildspecOverride",
    "sourceTypeOverride",
    "sourceLocationOverride",
    "secondarySourcesOverride",
    "secondarySourcesVersionOverride",
    "artifactsOverride",
    "secondaryArtifactsOverride",
    "timeoutInMinutesOverride",
    "queuedTimeoutInMinutesOverride",
    "logsConfigOverride",
    "encryptionKeyOverride",
    "serviceRoleOverride",
    "environmentTypeOverride",
    "imageOverride",
    "computeTypeOverride",
    "privilegedModeOverride",
    "imagePullCredentialsTypeOverride",
    "cacheOverride",
}
_SOURCES = {"NO_SOURCE", "S3", "CODEPIPELINE"}
_ARTIFACTS = {"NO_ARTIFACTS", "S3", "CODEPIPELINE"}
_ENVIRONMENTS = {"LINUX_CONTAINER", "ARM_CONTAINER"}


class InvalidInput(ValueError):
    """Becomes InvalidInputException."""


def check_request(data: Mapping[str, Any]) -> None:
    """Refuse parameters of StartBuild that the local cloud does not have; raises InvalidInput."""
    unknown = sorted(name for name, value in data.items() if name not in _OVERRIDES and value is not None)
    if unknown:
        raise InvalidInput(f"The local cloud does not execute StartBuild with {', '.join(unknown)}.")
    names = [variable["name"] for variable in data.get("environmentVariablesOverride") or ()]
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise InvalidInput(f"environmentVariablesOverride names {', '.join(repeated)} more than once.")


def check_build(project: Mapping[str, Any], *, from_pipeline: bool) -> None:
    """Refuse a project (overrides applied) that the local cloud cannot build; raises InvalidInput."""
    _one_of("source type", project["source"].get("type"), _SOURCES)
    _one_of("artifacts type", project["artifacts"].get("type"), _ARTIFACTS)
    _one_of("environment type", project["environment"].get("type"), _ENVIRONMENTS)
    for source in project.get("secondarySources") or ():
        _one_of("secondary source type", source.get("type"), {"S3", "CODECOMMIT"})
        if source.get("gitCloneDepth"):
            raise InvalidInput("The local cloud does not execute builds with gitCloneDepth.")
    for what in ("vpcConfig", "fileSystemLocations"):
        if project.get(what):
            raise InvalidInput(f"The local cloud does not execute builds with {what}.")
    for what in ("fleet", "dockerServer"):
        if project["environment"].get(what):
            raise InvalidInput(f"The local cloud does not execute builds with environment/{what}.")
    uses_pipeline = "CODEPIPELINE" in (project["source"]["type"], project["artifacts"]["type"])
    if uses_pipeline and not from_pipeline:
        raise InvalidInput(
            "The project's source or artifacts are of type CODEPIPELINE: only CodePipeline can start its builds."
        )
    if project["source"]["type"] == "NO_SOURCE" and not project["source"].get("buildspec"):
        raise InvalidInput("A build with NO_SOURCE needs an inline buildspec.")


def _one_of(what: str, value: Any, known: set[str]) -> None:
    if value not in known:
        raise InvalidInput(
            f"The local cloud does not execute builds with {what} {value!r}; it does {', '.join(sorted(known))}."
        )
