"""CodeBuild in memory: tokens that make a repeated start one, for a while, and builds that go on by themselves.

Whoever asks about a project that is not there is denied: tags give the permission, and what is gone has none. `on_call`
is asked before and after a call that changes something, as that of `fis.Fis` is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.unit.lambdas.resilience.fis import refused


@dataclass
class CodeBuild:
    """One account's and Region's builds, of the projects that are there."""

    on_call: Callable[[str], None] = lambda _: None
    projects: Sequence[str] = ("silo-acme-checks",)
    builds: dict[str, dict[str, Any]] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)

    def live(self) -> list[dict[str, Any]]:
        return [one for one in self.builds.values() if one["buildStatus"] == "IN_PROGRESS"]

    def list_builds_for_project(self, *, projectName: str, sortOrder: str) -> dict[str, Any]:
        assert sortOrder == "DESCENDING"
        self.on_call("list builds")
        if projectName not in self.projects:
            raise refused("AccessDeniedException", "ListBuildsForProject")
        return {"ids": [name for name, one in reversed(self.builds.items()) if one["projectName"] == projectName]}

    def batch_get_builds(self, *, ids: Sequence[str]) -> dict[str, Any]:
        assert ids, "CodeBuild refuses an empty list"
        return {"builds": [self.builds[name] for name in ids]}

    def start_build(
        self, *, projectName: str, idempotencyToken: str, environmentVariablesOverride: list[dict[str, str]]
    ) -> dict[str, Any]:
        self.on_call("start build before")
        if (known := self.tokens.get(idempotencyToken)) is None:
            known = self.tokens[idempotencyToken] = f"{projectName}:{len(self.builds)}"
            self.builds[known] = {
                "id": known,
                "projectName": projectName,
                "buildStatus": "IN_PROGRESS",
                "environment": {"environmentVariables": environmentVariablesOverride},
            }
        self.on_call("start build after")
        return {"build": self.builds[known]}

    def stop_build(self, *, id: str) -> None:
        self.on_call("stop build before")
        if self.builds[id]["buildStatus"] == "IN_PROGRESS":
            self.builds[id]["buildStatus"] = "STOPPED"
        self.on_call("stop build after")
