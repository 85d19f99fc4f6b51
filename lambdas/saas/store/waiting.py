"""Rows that wait for a build: saying so, and why (what a status says already is not written again), and starting it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from lambdas.common.errors import CapacityError, NotReleasedError
from lambdas.common.isolation import contained
from lambdas.saas.model.contract import contract_needed, unfit
from lambdas.saas.model.lifecycle import waits
from lambdas.saas.model.record import DeploymentRecord
from lambdas.saas.model.releases import Release
from lambdas.saas.model.status import Phase, Status
from lambdas.saas.store.builds import Builds
from lambdas.saas.store.pins import Pins
from lambdas.saas.store.tables import Statuses

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """The rows of a delivery or round that need a build.

    `told` are the reasons of those that waited before, by id, and `before` what the last try of some came to: that is
    told while the next one is awaited, for it may come to the same. `needs` are the contracts that some need. `pins`
    has the releases that rows pin: what such a row needs is built from its own release, be it new or not.
    """

    statuses: Statuses
    builds: Builds
    pins: Pins
    max_ids_per_build: int
    told: dict[str, str] = field(default_factory=dict)
    before: dict[str, str] = field(default_factory=dict)
    anew: set[str] = field(default_factory=set)
    needs: dict[str, int] = field(default_factory=dict)

    def remember(
        self, wish: DeploymentRecord, status: Status | None, *, died: str = "", lost: bool = False, asked: bool = False
    ) -> None:
        """Note what the status says: that this very row waits, or what it failed for.

        `died` is why the build that was started for it has ended without taking it up. Of what was `lost`, or is to be
        looked through because somebody asks, it does not count that the row is applied.
        """
        self.needs[wish.id] = contract_needed(status, vars(wish))
        if status is None:
            return
        if waits(wish, status):
            self.told[wish.id] = status.reason
        if died:
            self.before[wish.id] = f"build {status.pending_build} ended before it took the row up: {died}"
        elif lost:
            self.before[wish.id] = "its pipeline is gone: it is provisioned again"
        elif status.phase is Phase.FAILED and status.reason:
            self.before[wish.id] = f"it is tried again, and failed before: {status.reason}"
        if lost or asked:
            self.anew.add(wish.id)

    def begin(self, wish: DeploymentRecord, *, now: datetime) -> bool:
        """Say that the row waits; False when it needs no build (any more)."""
        return wish.id in self.told or self._write(wish, self._before(wish), now)

    def by_release(
        self, wishes: Sequence[DeploymentRecord], *, current: Release | NotReleasedError, now: datetime
    ) -> dict[Release, list[DeploymentRecord]]:
        """Those that there is a fitting release for, by that; of the others, say what they wait for."""
        named: dict[str, list[DeploymentRecord]] = {}
        for wish in wishes:
            named.setdefault(wish.revision, []).append(wish)
        found: dict[Release, list[DeploymentRecord]] = {}
        for revision, group in named.items():
            release = self._release(revision) if revision else current
            if isinstance(release, NotReleasedError):
                self.still(group, reason=str(release), now=now)
            else:
                found.setdefault(release, []).extend(self._fitting(group, release=release, now=now))
        return found

    def _release(self, revision: str) -> Release | NotReleasedError:
        """The release that rows pin; whatever is wrong with it, those who pin nothing or another do not wait for it."""
        with contained(f"release {revision}, which rows pin, could not be read"):
            try:
                return self.pins.release(revision)
            except NotReleasedError as error:
                return error
        return NotReleasedError(f"release {revision} could not be read: it is tried again")

    def _fitting(
        self, wishes: Sequence[DeploymentRecord], *, release: Release, now: datetime
    ) -> list[DeploymentRecord]:
        why = {wish.id: unfit(release, self.needs.get(wish.id, 0)) for wish in wishes}
        for wish in wishes:
            if why[wish.id]:
                self.still([wish], reason=why[wish.id], now=now)
        return [wish for wish in wishes if not why[wish.id]]

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
            # From now on the build has a while to take them up, and tells what became of it if it does not.
            for wish in chunk:
                self._say(wish, self._before(wish), now, build_id=build_id)
        return ()

    def still(self, wishes: Iterable[DeploymentRecord], *, reason: str, now: datetime) -> None:
        """Say why no build could be started."""
        for wish in wishes:
            if self.told.get(wish.id) != (text := f"waiting: {reason}"):
                self._say(wish, text, now)

    def _say(self, wish: DeploymentRecord, reason: str, now: datetime, *, build_id: str = "") -> None:
        with contained(f"why deployment {wish.id} waits could not be written", deployment=wish.id):
            self._write(wish, reason, now, build_id=build_id)

    def _write(self, wish: DeploymentRecord, reason: str, now: datetime, *, build_id: str = "") -> bool:
        anew = wish.id in self.anew
        return self.statuses.pending(wish, reason=reason, build_id=build_id, anew=anew, now=now)

    def _before(self, wish: DeploymentRecord) -> str:
        return self.before.get(wish.id, "")
