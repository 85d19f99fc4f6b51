"""Provisioning builds: starting them from a pinned release, and asking how they ended."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from botocore.exceptions import ClientError

from lambdas.common.aws_errors import PASSING, code_of
from lambdas.common.errors import CapacityError
from lambdas.saas.model.releases import Release

# https://docs.aws.amazon.com/codebuild/latest/APIReference/API_BatchGetBuilds.html
_BATCH_GET_LIMIT = 100
# https://docs.aws.amazon.com/codebuild/latest/APIReference/API_BuildPhase.html
_FAILED = frozenset({"CLIENT_ERROR", "FAILED", "FAULT", "STOPPED", "TIMED_OUT"})
# What a build is told; who may start builds may set these variables and no others.
BUILD_VARIABLES = ("DEPLOYMENT_IDS", "RELEASE")


class Builds(Protocol):
    """Port to the provisioning builds."""

    def start(self, ids: Sequence[str], *, release: Release, token: str) -> str: ...
    def ended(self, build_ids: Iterable[str]) -> set[str]: ...
    def why_failed(self, build_id: str) -> str: ...


@dataclass(frozen=True, kw_only=True)
class ProvisioningBuilds:
    """The provisioning project in CodeBuild; its source is the release, pinned by object version."""

    client: Any
    project: str
    releases_bucket: str

    def start(self, ids: Sequence[str], *, release: Release, token: str) -> str:
        """Start one build for many deployments and return its id.

        Raises:
            CapacityError: CodeBuild is at its limit; nothing was started.
        """
        try:
            response = self.client.start_build(
                projectName=self.project,
                idempotencyToken=token,
                sourceTypeOverride="S3",
                sourceLocationOverride=f"{self.releases_bucket}/{release.key}",
                sourceVersion=release.version_id,
                environmentVariablesOverride=[
                    {"name": name, "value": value, "type": "PLAINTEXT"}
                    for name, value in zip(BUILD_VARIABLES, (json.dumps(list(ids)), release.to_json()), strict=True)
                ],
            )
        except ClientError as error:
            if code_of(error) in PASSING:
                raise CapacityError(f"CodeBuild is at its limit: {error.response['Error']['Message']}") from error
            raise
        build_id: str = response["build"]["id"]
        return build_id

    def ended(self, build_ids: Iterable[str]) -> set[str]:
        """Tell which of the builds are over, whatever their result; builds that CodeBuild forgot are over too.

        What is no id of this project's builds tells nothing, and CodeBuild would refuse the others for it.
        """
        wanted = sorted({one for one in build_ids if self.owns(one)})
        running: set[str] = set()
        for first in range(0, len(wanted), _BATCH_GET_LIMIT):
            found = self.client.batch_get_builds(ids=wanted[first : first + _BATCH_GET_LIMIT])["builds"]
            running |= {build["id"] for build in found if not build["buildComplete"]}
        return set(wanted) - running

    def owns(self, build_id: str) -> bool:
        """Whether it is the id of one of the project's builds, and not something that somebody has written."""
        return bool(re.fullmatch(rf"{re.escape(self.project)}:[\w-]+", build_id, re.ASCII))

    def why_failed(self, build_id: str) -> str:
        """Tell where and why a build that is over has failed; empty when it has succeeded, or is forgotten."""
        builds = self.client.batch_get_builds(ids=[build_id])["builds"]
        return failure_of(builds[0]) if builds else ""


def failure_of(build: Mapping[str, Any]) -> str:
    """The phase in which a build has failed, with the words of its contexts; empty when none has.

    A command's failure is told by the build's log; what happens before any command, by nothing else.
    """
    for phase in build.get("phases", ()):
        if phase.get("phaseStatus") in _FAILED:
            words = ((one.get("message") or one.get("statusCode") or "").strip() for one in phase.get("contexts", ()))
            return f"phase {phase['phaseType']}: {'; '.join(filter(None, words)) or phase['phaseStatus']}"
    return ""
