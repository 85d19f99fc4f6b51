"""Builds of the project that publishes assets, each from the assembly of the pipeline that asked first."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Protocol

from botocore.exceptions import ClientError

from lambdas.common.aws_errors import PASSING, code_of
from lambdas.common.errors import CapacityError
from lambdas.saas.model.assets import BUILD_VARIABLES
from lambdas.saas.store.build_failures import explained

# https://docs.aws.amazon.com/codebuild/latest/APIReference/API_BatchGetBuilds.html
_BATCH_GET_LIMIT = 100


@dataclass(frozen=True, kw_only=True)
class Order:
    """What is to be built: the assembly's place in S3 (`bucket/key`), the pipeline's stack, the CLI, and for what."""

    location: str
    stack: str
    cli_version: str
    images: bool


@dataclass(frozen=True, kw_only=True)
class Seen:
    """How a build stands; `said` is why it failed."""

    over: bool = False
    said: str = ""


class Publishing(Protocol):
    """Port to the builds."""

    def start(self, order: Order, *, token: str) -> str: ...
    def look(self, build: str) -> Seen: ...
    def running(self, builds: Iterable[str]) -> set[str]: ...


@dataclass(frozen=True, kw_only=True)
class PublishingBuilds:
    """The project in CodeBuild."""

    client: Any
    logs: Any
    project: str

    def start(self, order: Order, *, token: str) -> str:
        """Start a build and return its id; what is started twice with one token within five minutes is one build.

        Raises:
            CapacityError: CodeBuild is at its limit; nothing was started.
        """
        values = (order.stack, order.cli_version)
        try:
            started = self.client.start_build(
                projectName=self.project,
                idempotencyToken=token,
                sourceTypeOverride="S3",
                sourceLocationOverride=order.location,
                # An image is built by Docker.
                privilegedModeOverride=order.images,
                environmentVariablesOverride=[
                    {"name": name, "value": value, "type": "PLAINTEXT"}
                    for name, value in zip(BUILD_VARIABLES, values, strict=True)
                ],
            )
        except ClientError as error:
            if code_of(error) in PASSING:
                raise CapacityError(f"CodeBuild is at its limit: {error.response['Error']['Message']}") from error
            raise
        return str(started["build"]["id"])

    def look(self, build: str) -> Seen:
        """Tell how a build stands; one that CodeBuild does not know is over, and nobody knows how it went."""
        builds = self.client.batch_get_builds(ids=[build])["builds"]
        if not builds:
            return Seen(over=True)
        if not builds[0].get("buildComplete"):
            return Seen()
        if builds[0]["buildStatus"] == "SUCCEEDED":
            return Seen(over=True)
        why = explained(builds[0], self.logs) or "no phase says why"
        return Seen(over=True, said=f"build {build} {builds[0]['buildStatus']}: {why}")

    def running(self, builds: Iterable[str]) -> set[str]:
        """Those of the builds that are not over."""
        wanted, found = sorted(set(builds)), set()
        for first in range(0, len(wanted), _BATCH_GET_LIMIT):
            known = self.client.batch_get_builds(ids=wanted[first : first + _BATCH_GET_LIMIT])["builds"]
            found |= {one["id"] for one in known if not one.get("buildComplete")}
        return found
