"""Telling a release how it went: the outcome is counted once, and the task that waits for it is answered."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime

from lambdas.common.errors import UnreadableError
from lambdas.common.task_tokens import TaskTokens
from lambdas.saas.model.release_turns import NO_CAPACITY, UNDER_WAY
from lambdas.saas.model.runs import Ring, Run, readable_rings
from lambdas.saas.model.status import Observation, Phase, Status
from lambdas.saas.pipeline_watch.executions import Execution
from lambdas.saas.pipeline_watch.outcome import ending
from lambdas.saas.store.release_statuses import ReleaseStatuses
from lambdas.saas.store.runs_table import Runs

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class ReleaseWatch:
    """Everything that it takes to tell a release."""

    statuses: ReleaseStatuses
    runs: Runs
    tokens: TaskTokens

    def waits(self, status: Status) -> bool:
        """Whether a release waits for the deployment's pipeline."""
        started = bool(status.task_token and status.release_execution_id) and not status.found_no_capacity
        return started and status.release_outcome in UNDER_WAY

    def tries_again(self, status: Status) -> bool:
        """Whether a release is about to start the pipeline once more: how it ended before tells nothing."""
        return status.found_no_capacity and status.release_outcome in UNDER_WAY

    def tell_again(self, status: Status, *, now: datetime) -> None:
        """Answer a task whose answer was lost: what it is told is written, and its token still there."""
        if not status.task_token:
            return
        if self.tries_again(status):
            self._send_back(status, "its pipeline found no capacity for a build")
        elif status.release_outcome and status.release_outcome not in UNDER_WAY:
            self._answer(status, status.release_outcome, now)

    def told(self, status: Status, ended: Execution, seen: Observation, *, now: datetime) -> Phase | None:
        """Write and count how the release ended, and answer; the phase that was written, if any was.

        `ended` is the execution that `telling.answering` names, and `seen` what it tells. One that found no capacity is
        no outcome: the turn is had again.
        """
        if seen.no_capacity:
            if self.statuses.refused(status, now=now):
                self._send_back(status, seen.reason)
            return None
        run, ring = self._place(status)
        if run is None or ring is None:
            logger.error("deployment %s is in ring %s of an unknown run", status.id, status.release_ring)
            return None
        end = ending(status, ended, seen, release=run.revision)
        if end is None or not self.statuses.ended(status, end, ring=ring, now=now, seen=seen):
            return None
        logger.info("run %s: deployment %s %s", run.run, status.id, end.outcome)
        self._answer(status, end.outcome, now)
        return end.phase

    def _place(self, status: Status) -> tuple[Run | None, Ring | None]:
        try:
            run = self.runs.run(status.release_run)
        except UnreadableError as error:
            logger.error("%s", error)  # noqa: TRY400 - told, no fault
            return None, None
        rings = readable_rings(self.runs, run) if run else ()
        return run, next((ring for ring in rings if ring.name == status.release_ring), None)

    def _send_back(self, status: Status, why: str) -> None:
        """Have the turn taken again; the token stays with the claim until then, for whoever ends the turn."""
        logger.info("run %s: deployment %s has to wait: %s", status.release_run, status.id, why)
        self.tokens.fail(status.task_token, error=NO_CAPACITY, cause=why)

    def _answer(self, status: Status, outcome: str, now: datetime) -> None:
        self.tokens.succeed(status.task_token, {"outcome": outcome, "count": 1})
        self.statuses.answered(status.id, token=status.task_token, now=now)
