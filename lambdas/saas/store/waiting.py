"""Rows that wait for a build: saying so, and why (what a status says already is not written again), and starting it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from lambdas.common.errors import CapacityError
from lambdas.saas.model.lifecycle import waits
from lambdas.saas.model.record import DeploymentRecord
from lambdas.saas.model.releases import Release
from lambdas.saas.model.status import Status
from lambdas.saas.store.builds import Builds
from lambdas.saas.store.tables import Statuses

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """The rows of a delivery or round that need a build; `told` are the reasons of those that waited before, by id."""

    statuses: Statuses
    builds: Builds
    max_ids_per_build: int
    told: dict[str, str] = field(default_factory=dict)

    def remember(self, wish: DeploymentRecord, status: Status | None) -> None:
        """Note what the status says, if it is that this very row waits."""
        if status and waits(wish, status):
            self.told[wish.id] = status.reason

    def begin(self, wish: DeploymentRecord, *, now: datetime) -> bool:
        """Say that the row waits; False when it needs no build (any more)."""
        return wish.id in self.told or self.statuses.pending(wish, reason="", now=now)

    def start(
        self,
        wishes: Sequence[DeploymentRecord],
        *,
        release: Release,
        token: Callable[[Sequence[str]], str],
        now: datetime,
    ) -> Sequence[DeploymentRecord]:
        """Start builds; answers those that CodeBuild has no room for now. `token` makes the same start of ids one."""
        for first in range(0, len(wishes), self.max_ids_per_build):
            chunk = wishes[first : first + self.max_ids_per_build]
            ids = [wish.id for wish in chunk]
            try:
                build_id = self.builds.start(ids, release=release, token=token(ids))
            except CapacityError as error:
                logger.warning("%d deployments wait: %s", len(wishes) - first, error)
                self.still(wishes[first:], reason=str(error), now=now)
                return wishes[first:]
            logger.info("build %s provisions %s", build_id, ids)
            # From now on the build has a while to take up those that waited before.
            for wish in chunk:
                if wish.id in self.told:
                    self.statuses.pending(wish, reason="", now=now)
        return ()

    def still(self, wishes: Iterable[DeploymentRecord], *, reason: str, now: datetime) -> None:
        """Say why no build could be started."""
        for wish in wishes:
            if self.told.get(wish.id) != (text := f"waiting: {reason}"):
                self.statuses.pending(wish, reason=text, now=now)
