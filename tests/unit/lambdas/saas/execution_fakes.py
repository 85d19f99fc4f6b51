"""Executions of the release machine in memory; `test_release_starts` keeps them true."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass
class FakeReleaseExecutions:
    """Executions of the release machine: names that are taken, with their statuses; `given` is what was started."""

    statuses: dict[str, str] = field(default_factory=dict)
    given: dict[str, dict[str, Any]] = field(default_factory=dict)

    def start(self, name: str, given: Mapping[str, Any]) -> bool:
        if name in self.statuses:
            return False
        self.statuses[name] = "RUNNING"
        self.given[name] = dict(given)
        return True

    def status(self, name: str) -> str:
        return self.statuses.get(name, "")
