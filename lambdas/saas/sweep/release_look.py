"""A look at the release that is under way: a run whose execution is over is stopped, so that it can be resumed."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime

from lambdas.common.log import about
from lambdas.saas.model.lineage import name_in_force
from lambdas.saas.model.runs import Run, RunState, never_begun, revision_of
from lambdas.saas.store.runs_table import Runs
from lambdas.saas.sweep.dead_run import Execution, may_be_dead, why_dead
from lambdas.saas.sweep.executions import Executions

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class ReleaseLook:
    """Stops the run in force when its execution is over and did not say so."""

    runs: Runs
    executions: Executions

    def stop_dead_run(self, now: datetime) -> bool:
        """Stop the run in force when nobody goes on with it; False when there was nothing to stop."""
        name, run = name_in_force(self.runs)
        if not name or not may_be_dead(run):
            return False
        execution = self.executions.look(name)
        reason = why_dead(run, execution, now)
        if not reason:
            return False
        with about(run=name):
            logger.warning("run %s is stopped: %s", name, reason)
        if self.runs.end(name, state=RunState.STOPPED, reason=reason, now=now):
            return True
        if self.runs.run(name):
            return False  # somebody was faster: it has ended
        self.runs.begun(_never_begun(name, execution, reason, now))
        return True


def _never_begun(name: str, execution: Execution, reason: str, now: datetime) -> Run:
    # `resume` finds the release by its revision; of an execution that is forgotten only the name tells it.
    given = execution.given if execution.status else {"release": {"revision": revision_of(name)}}
    return never_begun(name, given, execution=execution.arn, reason=reason, now=now)
