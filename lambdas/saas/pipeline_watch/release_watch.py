"""Telling a release how it went: the outcome is counted once, and the task that waits for it is answered."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime

from lambdas.common.errors import UnreadableError
from lambdas.common.task_tokens import TaskTokens
from lambdas.saas.model.release_turns import UNDER_WAY
from lambdas.saas.model.runs import Ring, Run
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
        return bool(status.task_token and status.release_execution_id) and status.release_outcome in UNDER_WAY

    def tell_again(self, status: Status, *, now: datetime) -> None:
        """Answer a task whose answer was lost: its outcome is written, and its token still there."""
        if status.task_token and status.release_outcome and status.release_outcome not in UNDER_WAY:
            self._answer(status, status.release_outcome, now)

    def told(self, status: Status, ended: Execution, seen: Observation, *, now: datetime) -> Phase | None:
        """Write and count how the release ended, and answer; the phase that was written, if any was.

        `ended` is the execution that `telling.answering` names, and `seen` what it tells.
        """
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
            rings = self.runs.rings(run) if run else []
        except UnreadableError as error:
            logger.error("%s", error)  # noqa: TRY400 - told, no fault
            return None, None
        return run, next((ring for ring in rings if ring.name == status.release_ring), None)

    def _answer(self, status: Status, outcome: str, now: datetime) -> None:
        self.tokens.succeed(status.task_token, {"outcome": outcome, "count": 1})
        self.statuses.answered(status.id, token=status.task_token, now=now)
