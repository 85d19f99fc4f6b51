"""A build of a CodeBuild project."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lambdas.common.aws_errors import ignoring
from lambdas.saas.model.tasks import DEPLOYMENT_VARIABLE, KEY_VARIABLE, REVISION_VARIABLE
from lambdas.saas.tasks.target import Seen


@dataclass(frozen=True, kw_only=True)
class BuildTask:
    """Builds `project`; what is begun twice with one token within five minutes is one build."""

    client: Any
    project: str

    def begin(self, token: str, request: Mapping[str, str]) -> Seen:
        """Start it; an AccountLimitExceededException is one that passes."""
        variables = {
            KEY_VARIABLE: token,
            DEPLOYMENT_VARIABLE: request["deployment"],
            REVISION_VARIABLE: request["revision"],
        }
        started = self.client.start_build(
            projectName=self.project,
            idempotencyToken=token,
            environmentVariablesOverride=[
                {"name": name, "value": value, "type": "PLAINTEXT"} for name, value in variables.items()
            ],
        )
        return Seen(ref=started["build"]["id"])

    def look(self, ref: str) -> Seen:
        """Tell how it stands."""
        builds = self.client.batch_get_builds(ids=[ref])["builds"]
        if not builds or not builds[0].get("buildComplete"):
            return Seen(ref=ref, gone=not builds)
        build = builds[0]
        if build["buildStatus"] == "SUCCEEDED":
            return Seen(ref=ref, over=True, ok=True, said=f"build {ref} succeeded")
        return Seen(ref=ref, over=True, said=_why(ref, build))

    def stop(self, ref: str, why: str) -> None:
        """End it."""
        del why
        with ignoring("ResourceNotFoundException"):
            self.client.stop_build(id=ref)


def _why(ref: str, build: Mapping[str, Any]) -> str:
    messages = [
        f"{phase['phaseType']}: {context['message']}"
        for phase in build.get("phases", ())
        for context in phase.get("contexts", ())
        if phase.get("phaseStatus") not in (None, "SUCCEEDED") and context.get("message")
    ]
    logs = build.get("logs", {}).get("deepLink", "")
    return f"build {ref} {build['buildStatus']}: {', '.join(messages) or 'no phase says why'}" + (
        f"; logs: {logs}" if logs else ""
    )
