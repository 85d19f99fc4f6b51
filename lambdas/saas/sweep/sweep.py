"""The reconciliation sweep: compares desired with observed and picks up what was lost."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from lambdas.common.builds import Builds, chunked, start_token
from lambdas.common.errors import CapacityError, NotReleasedError
from lambdas.common.names import pipeline_name
from lambdas.common.record import DeploymentRecord, InvalidRow, TargetPolicy, parse_row
from lambdas.common.releases import Release, Releases
from lambdas.common.status import Status
from lambdas.common.tables import Deployments, Statuses
from lambdas.saas.sweep.decide import Action, Round, decide

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Sweep:
    """Everything that a round needs; `look` has the pipelines' watch look at a pipeline, by name."""

    policy: TargetPolicy
    deployments: Deployments
    statuses: Statuses
    builds: Builds
    releases: Releases
    look: Callable[[str], None]
    max_ids_per_build: int
    clock: Callable[[], datetime]

    def run(self) -> dict[str, int]:
        """Do one round; answers how many deployments were started, said invalid or removed, looked at, left waiting."""
        # Rows are read last: one that is put meanwhile has a status only if it has a row, and is not taken for removed.
        statuses = {status.id: status for status in self.statuses.all()}
        wishes = self._wishes()
        claims = {status.claimed_by for status in statuses.values() if status.claimed_by}
        seen = Round(now=self.clock(), ended_builds=self.builds.ended(claims))
        counts = {"started": 0, "invalid": 0, "removed": 0, "looked": 0, "waiting": 0}
        to_start: list[DeploymentRecord] = []
        for deployment_id in sorted({*wishes, *statuses}):
            wish, status = wishes.get(deployment_id), statuses.get(deployment_id)
            match decide(wish, status, seen), wish:
                case Action.SAY_REMOVED, _:
                    counts["removed"] += self.statuses.removed(deployment_id, now=seen.now)
                case Action.SAY_INVALID, InvalidRow(reason=reason):
                    counts["invalid"] += self.statuses.invalid(deployment_id, reason=reason, now=seen.now)
                case Action.LOOK, DeploymentRecord() as record:
                    self.look(pipeline_name(record.type, record.id))
                    counts["looked"] += 1
                case Action.START, DeploymentRecord() as record:
                    self._unclaim_dead(status, seen)
                    to_start.append(record)
        return counts | self._start(to_start, seen)

    def _wishes(self) -> dict[str, DeploymentRecord | InvalidRow]:
        return {str(row["id"]): parse_row(row, self.policy) for row in self.deployments.rows()}

    def _unclaim_dead(self, status: Status | None, seen: Round) -> None:
        if status and status.claimed_by in seen.ended_builds:
            self.statuses.failed(
                status.id,
                build_id=status.claimed_by,
                reason=f"build {status.claimed_by} ended without a result; it is started again",
                retry=True,
                now=seen.now,
            )

    def _start(self, records: list[DeploymentRecord], seen: Round) -> dict[str, int]:
        if not records:
            return {}
        try:
            release = self.releases.current()
        except NotReleasedError as error:
            self._say_waiting(records, str(error), seen)
            return {"waiting": len(records)}
        return self._start_builds(records, release, seen)

    def _start_builds(self, records: list[DeploymentRecord], release: Release, seen: Round) -> dict[str, int]:
        for record in records:
            self.statuses.pending(record, reason="", now=seen.now)
        started = 0
        for chunk in chunked(records, self.max_ids_per_build):
            ids = [record.id for record in chunk]
            token = start_token(release.version_id, seen.now.isoformat(), *ids)
            try:
                build_id = self.builds.start(ids, release=release, token=token)
            except CapacityError as error:
                logger.warning("%d deployments wait for the next round: %s", len(records) - started, error)
                self._say_waiting(records[started:], str(error), seen)
                break
            logger.info("build %s provisions %s", build_id, ids)
            started += len(ids)
        return {"started": started, "waiting": len(records) - started}

    def _say_waiting(self, records: list[DeploymentRecord], reason: str, seen: Round) -> None:
        for record in records:
            self.statuses.pending(record, reason=f"waiting: {reason}", now=seen.now)
