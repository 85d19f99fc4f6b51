"""After a release: who could not be taken up gets it by a run that catches up; what had to wait is gone on with."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from lambdas.common.clock import stamp
from lambdas.common.errors import UnreadableError
from lambdas.common.isolation import contained
from lambdas.common.log import about
from lambdas.saas.model.catch_up import is_late
from lambdas.saas.model.contract import contract_needed, has_waited, unfit
from lambdas.saas.model.lineage import in_force, lineage
from lambdas.saas.model.record import DeploymentRecord, InvalidRow
from lambdas.saas.model.releases import Release
from lambdas.saas.model.runs import Run, RunState, resumed_name
from lambdas.saas.model.status import Status
from lambdas.saas.store.release_starts import ReleaseExecutions, start_run
from lambdas.saas.store.runs_table import Runs
from lambdas.saas.store.same_releases import SameReleases

logger = logging.getLogger(__name__)

# Every round would start one that breaks: people, whom each of them is told to, need the further names to go on.
_TRIES = 5

Wishes = Mapping[str, DeploymentRecord | InvalidRow]


@dataclass(frozen=True, kw_only=True)
class CatchUp:
    """Finds who was left behind by the run that is through, and starts the run that brings them along."""

    runs: Runs
    executions: ReleaseExecutions

    def finished(self) -> Run | None:
        """The run in force, when it is through; read before the statuses, so that they tell what it came to."""
        run = in_force(self.runs)
        return run if run and run.state == RunState.SUCCEEDED else None

    def brought(self, run: Run) -> Release | None:
        """The release that a run was about; None when none is kept, or none that can be read."""
        with suppress(UnreadableError):
            return self.runs.release(run.revision)
        return None

    def same(self, release: Release, statuses: Mapping[str, Status]) -> frozenset[str]:
        """The current release's revision, and those of deployments that are the same for them."""
        return SameReleases(runs=self.runs).revisions(release, statuses.values())

    def resume_what_waited(self) -> bool:
        """Go on with the run in force if it was stopped only until the functions were new enough for its release."""
        run = in_force(self.runs)
        release = self.runs.release(run.revision) if run else None
        if run is None or release is None or not has_waited(run, release):
            return False
        name = resumed_name(run.run)
        return start_run(self.executions, name, release=release, resumes=run.run, runs=self.runs, tries=_TRIES).new

    def start(
        self, run: Run, release: Release, wishes: Wishes, statuses: Mapping[str, Status], *, now: datetime
    ) -> bool:
        """Start a run after one that is `finished` when somebody was left behind; whether one was started.

        Raises:
            GranaryError: some of these runs came to nothing, one after the other.
        """
        if run.revision != release.revision:
            return False
        known, same = lineage(self.runs, run), self.same(release, statuses)
        late: list[str] = []
        for name, wish in sorted(wishes.items()):
            with contained(f"whether deployment {name} was left behind", deployment=name):
                status = statuses.get(name)
                if (
                    isinstance(wish, DeploymentRecord)
                    and is_late(wish, status, revisions=same, runs=known, now=stamp(now))
                    and not unfit(release, contract_needed(status))
                ):
                    late.append(name)
        if not late:
            return False
        started = start_run(
            self.executions,
            resumed_name(run.run),
            release=release,
            resumes=run.run,
            catch_up=True,
            runs=self.runs,
            tries=_TRIES,
        )
        with about(run=started.name):
            logger.info("run %s: %d deployments catch up with %s, %s first", started.name, len(late), run.run, late[0])
        return started.new
