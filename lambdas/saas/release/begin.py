"""The beginning of a run: its plan, written down, and its coming into force."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from lambdas.common.clock import stamp
from lambdas.common.errors import GranaryError
from lambdas.common.record import TargetPolicy
from lambdas.common.release_statuses import ReleaseStatuses
from lambdas.common.releases import Release
from lambdas.common.rings import Plan, PlannedRing, ReleasePolicy, plan_rows
from lambdas.common.runs import Ring, RingState, Run, RunState, items_key
from lambdas.common.runs_table import Runs
from lambdas.common.tables import Deployments
from lambdas.common.task_tokens import TaskTokens
from lambdas.saas.release.shelf import Shelf

logger = logging.getLogger(__name__)

_SKIPPED_SHOWN = 50


@dataclass(frozen=True, kw_only=True)
class Beginning:
    """Everything that a run's beginning needs."""

    policy: ReleasePolicy
    targets: TargetPolicy
    deployments: Deployments
    statuses: ReleaseStatuses
    runs: Runs
    shelf: Shelf
    tokens: TaskTokens
    clock: Callable[[], datetime]

    def begin(self, run: str, *, release: Release, resumes: str, execution: str) -> None:
        """Plan the run, bring it into force and write it down; safe to repeat.

        The run itself is written last: until then a repetition plans again. A run that may not come into force is
        written as SUPERSEDED, with the reason.
        """
        if self.runs.run(run):
            return
        planned = self._plan(release.revision, resumes)
        refusal = self._why_not_resume(release, resumes) if resumes else ""
        if not refusal:
            self._write(run, planned)
            self.runs.keep(release)
            former = self.runs.current()
            if not self.runs.take_over(run, release=release, resumes=resumes, now=self.clock()):
                refusal = f"run {self.runs.current()} is in force, of a later release or after the same run"
            elif former != run:
                self._wake(former, f"superseded by run {run}")
        self.runs.begun(self._run(run, release, planned, resumes=resumes, execution=execution, refusal=refusal))
        logger.info("run %s: %d deployments, %d skipped %s", run, planned.total, len(planned.skipped), refusal)

    def _plan(self, revision: str, resumes: str) -> Plan:
        # Rows are read last: one that is put meanwhile has a status only if it has a row, and is not taken for removed.
        statuses = list(self.statuses.all())
        return plan_rows(
            self.policy,
            revision=revision,
            rows=self.deployments.rows(),
            targets=self.targets,
            statuses=statuses,
            resumes=resumes,
        )

    def _wake(self, former: str, cause: str) -> None:
        """Let a run that waits for an approval see that it is superseded."""
        known = self.runs.run(former)
        for ring in self.runs.rings(known) if known else ():
            if ring.state == RingState.APPROVAL and ring.approval_token:
                self.tokens.fail(ring.approval_token, error="Superseded", cause=cause)

    def _why_not_resume(self, release: Release, resumes: str) -> str:
        stopped = self.runs.run(resumes)
        if stopped is None:
            return f"there is no run {resumes} that could be resumed"
        if stopped.revision != release.revision:
            return f"run {resumes} is of release {stopped.revision}: resume it with that"
        if stopped.state != RunState.STOPPED:
            return f"run {resumes} is {stopped.state}: only a stopped one can be resumed"
        return ""

    def _write(self, run: str, planned: Plan) -> None:
        for index, ring in enumerate(planned.rings):
            key = items_key(run, index) if ring.items else ""
            if key:
                self.shelf.put_items(key, ring.items)
            self.runs.planned(replace(_ring(run, index, ring), items=key, updated_at=stamp(self.clock())))

    def _run(self, run: str, release: Release, planned: Plan, *, resumes: str, execution: str, refusal: str) -> Run:
        now = stamp(self.clock())
        return Run(
            run=run,
            revision=release.revision,
            state=(RunState.SUPERSEDED if refusal else RunState.RUNNING).value,
            strategy=self.policy.strategy,
            rings=0 if refusal else len(planned.rings),
            deployments=planned.total,
            skipped=len(planned.skipped),
            skipped_names=tuple(str(one) for one in planned.skipped[:_SKIPPED_SHOWN]),
            reason=refusal,
            execution=execution,
            resumes=resumes,
            started_at=now,
            ended_at=now if refusal else "",
            updated_at=now,
        )


def release_of(data: dict[str, Any]) -> Release:
    """Read the release that the machine was started with.

    Raises:
        GranaryError: it is no release.
    """
    try:
        return Release(**data)
    except TypeError as error:
        raise GranaryError(
            f"the execution's input has no release ({error}): start it with `granary release`"
        ) from error


def _ring(run: str, index: int, ring: PlannedRing) -> Ring:
    policy = ring.policy
    return Ring(
        run=run,
        index=index,
        name=policy.name,
        state=RingState.WAITING.value,
        total=len(ring.items),
        concurrency=policy.concurrency,
        allowed_failures=ring.allowed_failures,
        bake_seconds=policy.bake_minutes * 60,
        alarms=policy.alarms,
        needs_approval=policy.approval,
        changes=ring.changes,
    )
