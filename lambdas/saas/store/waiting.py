"""Saying of rows that they wait for a build, and why; what a status says already is not written again."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from lambdas.common.isolation import contained
from lambdas.saas.model.lifecycle import waits
from lambdas.saas.model.record import DeploymentRecord
from lambdas.saas.model.status import Status
from lambdas.saas.store.tables import Statuses


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """The rows of a delivery or round that need a build; `told` are the reasons of those that waited before, by id."""

    statuses: Statuses
    told: dict[str, str] = field(default_factory=dict)

    def remember(self, wish: DeploymentRecord, status: Status | None) -> None:
        """Note what the status says, if it is that this very row waits."""
        if status and waits(wish, status):
            self.told[wish.id] = status.reason

    def begin(self, wish: DeploymentRecord, *, now: datetime) -> bool:
        """Say that the row waits; False when it needs no build (any more)."""
        return wish.id in self.told or self.statuses.pending(wish, reason="", now=now)

    def started(self, wishes: Iterable[DeploymentRecord], *, now: datetime) -> None:
        """Say that a build was started: from now on it has a while to take up those that waited before."""
        for wish in wishes:
            if wish.id in self.told:
                self._say(wish, "", now)

    def still(self, wishes: Iterable[DeploymentRecord], *, reason: str, now: datetime) -> None:
        """Say why no build could be started."""
        for wish in wishes:
            if self.told.get(wish.id) != (text := f"waiting: {reason}"):
                self._say(wish, text, now)

    def _say(self, wish: DeploymentRecord, reason: str, now: datetime) -> None:
        with contained(f"why deployment {wish.id} waits could not be written", deployment=wish.id):
            self.statuses.pending(wish, reason=reason, now=now)
