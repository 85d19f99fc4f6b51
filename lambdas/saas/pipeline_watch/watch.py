"""The watch on tenants' pipelines: reads the newest executions of a pipeline and writes what they tell."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import chain
from typing import Protocol

from lambdas.common.console import execution_url
from lambdas.common.idempotency import start_token
from lambdas.saas.model.component_stacks import further_after
from lambdas.saas.model.forward_only import and_not_back
from lambdas.saas.model.lifecycle import moved
from lambdas.saas.model.names import deployment_of_pipeline
from lambdas.saas.model.status import Observation, Phase, StackRef, Status
from lambdas.saas.pipeline_watch.decide import rolled_back, stopped, under_way
from lambdas.saas.pipeline_watch.executions import OVERTAKEN, UNDER_WAY, ActionRun, Execution, History
from lambdas.saas.pipeline_watch.explain import Evidence, explain, found_no_capacity
from lambdas.saas.pipeline_watch.outcome import kept_reason
from lambdas.saas.pipeline_watch.outputs import StackOutputs, outputs_after
from lambdas.saas.pipeline_watch.release_watch import ReleaseWatch
from lambdas.saas.pipeline_watch.stacks import Place, StackIds, component_stacks, touched_stacks
from lambdas.saas.pipeline_watch.telling import Recent, answering, telling
from lambdas.saas.store.lifecycle_machine import Lifecycles
from lambdas.saas.store.tables import Statuses

logger = logging.getLogger(__name__)


class Facts(Evidence, StackIds, StackOutputs, Protocol):
    """Port to everything that is read outside CodePipeline."""


@dataclass(frozen=True, kw_only=True)
class Watch:
    """Looks at a tenant's pipeline and writes what it tells.

    `home` is where the pipelines are, `releases` tells the release that waits.
    """

    statuses: Statuses
    releases: ReleaseWatch
    lifecycles: Lifecycles
    history: History
    facts: Facts
    home: Place
    clock: Callable[[], datetime]

    def look(self, pipeline: str) -> Phase | None:
        """Look at a pipeline and write what its executions tell; answers the phase that was written.

        The event that led here only says where to look, so duplicates and late or reordered events do no harm. The
        time is taken before the pipeline is read: of two looks at once, the one that began later wins.
        """
        began = self.clock()
        status = self._status_of(pipeline)
        if status is None:
            return None
        self.releases.tell_again(status, now=began)
        recent = Recent(self.history.executions(pipeline))
        newest = telling(recent)
        if not self.releases.waits(status):
            return self._tell(pipeline, newest, recent, status, now=began)
        if newest and newest.id == status.execution_id and not recent.since(status.release_execution_id):
            logger.info("pipeline %s: the release's execution is not listed yet", pipeline)
            return None
        phase: Phase | None = None
        if ended := answering(recent, status.release_execution_id):
            seen = self._see(pipeline, ended, recent, status)
            phase = self.releases.told(status, ended, seen, now=began)
            if phase and ended == newest:
                self._clear_up(status)
                return phase
        status = self.statuses.get(status.id) or status  # another look may have told it
        return self._tell(pipeline, newest, recent, status, now=began) or phase

    def _tell(
        self, pipeline: str, newest: Execution | None, recent: Recent, status: Status, *, now: datetime
    ) -> Phase | None:
        """Write how the deployment stands."""
        if newest is None or newest.status in OVERTAKEN or self.releases.tries_again(status):
            logger.info("pipeline %s: nothing to tell yet, the next execution's event will", pipeline)
            return None
        seen = self._see(pipeline, newest, recent, status)
        seen = replace(seen, reason=kept_reason(status, newest, seen))
        written = self.statuses.observed(status.id, seen, now=now)
        logger.info("deployment %s is %s, written: %s", status.id, seen.phase, written)
        self._clear_up(status)
        return seen.phase if written else None

    def _see(self, pipeline: str, one: Execution, recent: Recent, status: Status) -> Observation:
        """Tell all that is known from an execution, and from the rollbacks that were passed over for it."""
        seen = self._observe(pipeline, one, recent, status)
        passed_over = [self._around(pipeline, newer) for newer in recent.newer_than(one.id) if newer.failed_id]
        seen = replace(seen, touched=(*seen.touched, *chain.from_iterable(passed_over)))
        if seen.phase is Phase.FAILED:
            # A task of this execution may have said so since the look began.
            seen = replace(seen, reason=and_not_back(self.statuses.get(status.id) or status, seen.reason, one.id))
        further = further_after(status, seen)
        return replace(
            seen,
            execution_id=one.id,
            execution_url=execution_url(pipeline=pipeline, execution_id=one.id, region=self.home.region),
            further=None if further == status.further_stacks else further,
        )

    def _clear_up(self, before: Status) -> None:
        """Once the new place stands, what a move has left behind can go; `before` is the status before the look."""
        status = self.statuses.get(before.id) if before.former_stacks else None
        if status and moved(status):
            self.lifecycles.start(status.id, token=start_token(status.id, status.updated_at, "moved"))

    def _status_of(self, pipeline: str) -> Status | None:
        deployment = deployment_of_pipeline(pipeline)
        if deployment is None:
            logger.info("pipeline %s is not a tenant's", pipeline)
            return None
        deployment_type, deployment_id = deployment
        status = self.statuses.get(deployment_id)
        if status is None or status.type not in ("", deployment_type):
            logger.warning("pipeline %s belongs to no known deployment", pipeline)
            return None
        return status

    def _observe(self, pipeline: str, newest: Execution, recent: Recent, status: Status) -> Observation:
        if newest.rollback:
            return self._observe_rollback(pipeline, newest, recent.older_than(newest.id))
        if newest.status in UNDER_WAY:
            return under_way(status)
        if newest.status == "Stopped":
            return replace(stopped(newest), touched=self._touched(self.history.runs(pipeline, newest.id)))
        if newest.status == "Succeeded":
            runs = self.history.runs(pipeline, newest.id)
            stacks = component_stacks(runs, home=self.home, ids=self.facts)
            outputs = outputs_after(status, stacks, facts=self.facts)
            return Observation(phase=Phase.ACTIVE, revision=newest.revision, stacks=stacks, outputs=outputs)
        return self._failed(pipeline, newest)

    def _failed(self, pipeline: str, execution: Execution) -> Observation:
        runs = self.history.runs(pipeline, execution.id)
        reason = explain(execution, runs, home=self.home, evidence=self.facts)
        return Observation(
            phase=Phase.FAILED, reason=reason, touched=self._touched(runs), no_capacity=found_no_capacity(runs)
        )

    def _touched(self, runs: Sequence[ActionRun]) -> tuple[StackRef, ...]:
        return touched_stacks(runs, home=self.home, ids=self.facts)

    def _around(self, pipeline: str, rollback: Execution) -> tuple[StackRef, ...]:
        """What a rollback, and the execution that it rolled back, may have made."""
        failed = (rollback.failed_id, *((rollback.id,) if rollback.status == "Failed" else ()))
        return tuple(chain.from_iterable(self._touched(self.history.runs(pipeline, one)) for one in failed))

    def _observe_rollback(self, pipeline: str, rollback: Execution, older: Iterator[Execution]) -> Observation:
        # What failed is newer than what the rollback goes back to: one pass over the older executions finds both.
        failed = self._before_rollback(pipeline, rollback, older)
        own = self._failed(pipeline, rollback) if rollback.status == "Failed" else None
        target = (execution.revision for execution in older if execution.id == rollback.target_id)
        told = rolled_back(
            rollback,
            reason=failed.reason,
            revision=rollback.revision or next(target, ""),
            own_reason=own.reason if own else "",
        )
        return replace(told, touched=(*failed.touched, *(own.touched if own else ())))

    def _before_rollback(self, pipeline: str, rollback: Execution, older: Iterator[Execution]) -> Observation:
        """What made the rollback necessary."""
        reason = "the execution that failed is no longer known"
        for execution in older:
            if execution.id == rollback.failed_id:
                return self._failed(pipeline, execution)
            if not (rollback.failed_id or execution.rollback or execution.status in OVERTAKEN):
                # A rollback by hand does not say what failed: the execution before it, if that failed at all.
                if execution.status == "Failed":
                    return self._failed(pipeline, execution)
                reason = "a person asked for a rollback"
                break
        return Observation(phase=Phase.FAILED, reason=reason)
