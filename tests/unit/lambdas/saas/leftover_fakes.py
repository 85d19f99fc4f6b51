"""In-memory implementations of what a retirement does with data and logs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from lambdas.common.errors import GranaryError
from lambdas.saas.lifecycle.ports import Kept
from lambdas.saas.model.stateful import Stateful
from lambdas.saas.model.status import StackRef
from tests.unit.lambdas.saas.lifecycle_fakes import Fate


@dataclass
class FakeArchives:
    """Archives by name, and when each was `taken`; `slow` of the next ones are not ready when first asked for."""

    clock: Callable[[], datetime]
    items: dict[str, Stateful] = field(default_factory=dict)
    taken: dict[str, datetime] = field(default_factory=dict)
    slow: int = 0
    refusal: str = ""
    fate: Fate = field(default_factory=Fate)

    def keep(self, stateful: Stateful, *, ref: StackRef, name: str) -> Kept:
        if self.refusal:
            raise GranaryError(self.refusal)
        assert self.items.setdefault(name, stateful) == stateful, "one name for two archives"
        self.taken.setdefault(name, self.clock())
        self.slow -= 1
        self.fate.strike()
        return Kept(text=f"backup {name}", ready=self.slow < 0)


@dataclass
class FakeBuildLogs:
    """Whose logs were deleted, by type and id, or the refusal."""

    removed: list[tuple[str, str]] = field(default_factory=list)
    refusal: str = ""
    fate: Fate = field(default_factory=Fate)

    def remove(self, deployment_type: str, deployment_id: str) -> None:
        if self.refusal:
            raise GranaryError(self.refusal)
        self.removed.append((deployment_type, deployment_id))
        self.fate.strike()
