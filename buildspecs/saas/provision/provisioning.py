"""Reconciling many deployments in one build: one synth, many stacks, each deployment's outcome its own."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Protocol

from buildspecs.saas.provision.decide import Job, Step, decide, job
from buildspecs.saas.provision.pipelines import Pipelines
from buildspecs.synthesis import SynthesisError
from lambdas.common.console import execution_url
from lambdas.common.errors import GranaryError
from lambdas.common.idempotency import start_token
from lambdas.common.isolation import fault
from lambdas.saas.model.lifecycle import ENDED, checked, moves
from lambdas.saas.model.names import pipeline_name
from lambdas.saas.model.record import DeploymentRecord, InvalidRow, parse_row
from lambdas.saas.model.releases import Release
from lambdas.saas.model.status import Observation, Phase, StackRef, Status
from lambdas.saas.model.target_policy import TargetPolicy
from lambdas.saas.store.tables import Deployments, Statuses
from lambdas.saas.store.takeovers import NOTHING_FOUND, Found

logger = logging.getLogger(__name__)

Refusals = Callable[[Sequence[DeploymentRecord], Collection[str]], Mapping[str, str]]


class Adopts(Protocol):
    """Port to what stands under the names of a component that is about to be deployed for the first time there."""

    def __call__(self, record: DeploymentRecord, assembly: Path, *, moving: bool) -> Found: ...


@dataclass(frozen=True, kw_only=True)
class Provisioning:
    """One build: claims deployments, synthesizes them together, and deploys their pipelines.

    The pre-flight is `missing`, what an (account, Region) lacks, or None, and `refusals`, the reason by id of those
    deployments for which a quota has no room, or whose stacks are somebody else's: new ones, and those that move, whose
    ids it is told. After the synth `adopt` looks at all stacks of theirs. `gone` tells whether somebody has deleted a
    stack of a component. `synthesize` writes the assembly
    of some records to a folder. `lost` gathers the deployments whose tables failed.
    """

    build_id: str
    release: Release
    policy: TargetPolicy
    deployments: Deployments
    statuses: Statuses
    pipelines: Pipelines
    missing: Callable[[str, str], str | None]
    refusals: Refusals
    adopt: Adopts
    gone: Callable[[StackRef], bool]
    synthesize: Callable[[Sequence[DeploymentRecord], Path], None]
    concurrency: int
    clock: Callable[[], datetime]
    say: Callable[[str], None] = field(default=logger.info)
    lost: set[str] = field(default_factory=set, init=False)

    def run(self, ids: Sequence[str]) -> None:
        """Reconcile the deployments; rows that change meanwhile are reconciled again until none has.

        Raises:
            GranaryError: tables could not be read or written for some deployments; the sweep looks after those.
        """
        remaining = list(dict.fromkeys(ids))
        while remaining:
            claimed = [taken for taken in map(self._claim, remaining) if taken]
            self._provision(self._with_room([taken for taken in claimed if self._has_target(taken.record)]))
            # A change that came while a deployment was claimed started no build of its own.
            remaining = [taken.record.id for taken in claimed if self._changed(taken.record)]
        if self.lost:
            raise GranaryError(f"nothing could be written of {', '.join(sorted(self.lost))}: see the errors above")

    def _wish(self, deployment_id: str) -> DeploymentRecord | InvalidRow | None:
        row = self.deployments.get(deployment_id)
        wish = None if row is None else parse_row(row, self.policy)
        # Which release the build is of, and who moves a deployment that stands to another, others have decided.
        return wish.unpinned() if isinstance(wish, DeploymentRecord) else wish

    def _changed(self, record: DeploymentRecord) -> bool:
        try:
            return self._wish(record.id) != record
        except Exception:
            self._lose(record.id)
            return False

    def _claim(self, deployment_id: str) -> Job | None:
        try:
            return self._take(deployment_id)
        except Exception:
            self._lose(deployment_id)
            return None

    def _take(self, deployment_id: str) -> Job | None:
        """Read the row, act on what needs no pipeline, and claim the deployment that does."""
        # The row is read last: one that is put back meanwhile is not taken for removed.
        status = self.statuses.get(deployment_id)
        wish = self._wish(deployment_id)
        wish = checked(wish, status) if wish else None
        step = decide(wish, status)
        now = self.clock()
        if step is Step.SAY_REMOVED:
            self.statuses.removed(deployment_id, now=now)
        elif isinstance(wish, InvalidRow):
            self.statuses.invalid(deployment_id, reason=wish.reason, now=now, revision=self.release.revision)
        elif wish and step is Step.PROVISION:
            taken = self._claim_for(wish, status, now)
            if taken is None:
                self.say(f"{deployment_id}: somebody else holds it")
            return taken
        self.say(f"{deployment_id}: {step}")
        return None

    def _claim_for(self, wish: DeploymentRecord, status: Status | None, now: datetime) -> Job | None:
        if status and status.phase in ENDED:
            self.statuses.bury(wish.id)
            status = None
        taken = job(wish, status)
        if not taken.fresh and self.pipelines.outdated(wish):
            taken = replace(taken, fresh=True)
        # A tenant stays at its revision: to move it on is a release's business.
        revision = self.release.revision if taken.fresh or status is None else status.revision_wanted
        moving = status if status and (moves(wish, status) or status.former_stacks) else None
        claimed = self.statuses.claim(wish, build_id=self.build_id, revision=revision, now=now, moving=moving)
        return taken if claimed else None

    def _with_room(self, jobs: Sequence[Job]) -> list[Job]:
        """Pre-flight: what no quota has room for costs no synth either."""
        new = [taken.asked for taken in jobs if taken.new or taken.arriving]
        moving = {taken.record.id for taken in jobs if taken.arriving}
        try:
            refused = self.refusals(new, moving) if new else {}
        except Exception as error:
            logger.exception("the pre-flight of new deployments failed")
            refused = {record.id: f"quotas could not be compared: {type(error).__name__}: {error}" for record in new}
        for record in new:
            if record.id in refused:
                self._fail(record, refused[record.id], retry=True)
        return [taken for taken in jobs if taken.record.id not in refused]

    def _has_target(self, record: DeploymentRecord) -> bool:
        """Pre-flight: a target that lacks something costs no synth; what all of them lack is told at once."""
        try:
            lacking = "; ".join(filter(None, (self.missing(*place) for place in record.places)))
        except Exception as error:
            logger.exception("pre-flight of %s failed", record.id)
            lacking = f"pre-flight failed: {type(error).__name__}: {error}"
        if lacking:
            self._fail(record, lacking, retry=True)
        return not lacking

    def _provision(self, jobs: Sequence[Job]) -> None:
        if not jobs:
            return
        with tempfile.TemporaryDirectory() as folder:
            good = self._assemblies(jobs, Path(folder))
            with ThreadPoolExecutor(self.concurrency) as pool:
                list(pool.map(lambda one: self._deploy(*one), good))

    def _assemblies(self, jobs: Sequence[Job], folder: Path, *, may_be_good: bool = True) -> list[tuple[Job, Path]]:
        """Each deployment with an assembly that holds it; those that cannot be synthesized, found by halving, fail."""
        if may_be_good or len(jobs) == 1:
            assembly = Path(tempfile.mkdtemp(dir=folder)) / "assembly"
            try:
                self.synthesize([taken.record for taken in jobs], assembly)
                return [(taken, assembly) for taken in jobs]
            except Exception as error:
                if len(jobs) == 1:
                    # The same release and row cannot be synthesized next time either; anything else may have passed.
                    self._fail(jobs[0].record, fault(error), retry=not isinstance(error, SynthesisError))
                    return []
        half = len(jobs) // 2
        first = self._assemblies(jobs[:half], folder)
        # When nothing is wrong with the first half, it is with the second.
        return first + self._assemblies(jobs[half:], folder, may_be_good=len(first) < half)

    def _deploy(self, taken: Job, assembly: Path) -> None:
        record = taken.record
        try:
            if not self._adopt(taken, assembly):
                return
            self.pipelines.pin(record, self.release, fresh=taken.fresh)
            deployed = self.pipelines.deploy(record, assembly=assembly, say=self.say)
            token = start_token(self.build_id, record.id)
            again = not deployed.changed and any(map(self.gone, taken.component))
            if execution_id := self.pipelines.run(record, deployed=deployed, token=token, again=again):
                self._settle(record, execution_id)
            # Last, for without the claim a failure could not be written down.
            self.statuses.provisioned(
                record, build_id=self.build_id, stack=deployed.stack, support=deployed.support, now=self.clock()
            )
        except Exception as error:
            if not isinstance(error, GranaryError):
                logger.exception("provisioning %s failed", record.id)
            self._fail(record, fault(error), retry=not isinstance(error, GranaryError))

    def _adopt(self, taken: Job, assembly: Path) -> bool:
        """See to it that no stack is deployed over that is not the tenant's, unless somebody has agreed to that."""
        asks, record = taken.new or bool(taken.arriving), taken.record
        found = self.adopt(taken.asked, assembly, moving=not taken.new) if asks else NOTHING_FOUND
        held = {"build_id": self.build_id}
        if found.plan:
            self.say(f"{record.id}: waits: {found.refusal}")
            self.statuses.adoption_waits(record.id, **held, reason=found.refusal, plan=found.plan, now=self.clock())
        elif found.refusal:
            self._fail(record, found.refusal, retry=True)
        elif found.adopted:
            self.say(f"{record.id}: takes over {', '.join(ref.stack_id for ref in found.adopted)}")
            before = self.statuses.get(record.id)  # those of other places stand for as long as these do
            stacks = tuple(dict.fromkeys((*(before.adopted if before else ()), *found.adopted)))
            self.statuses.adopts(record.id, **held, stacks=stacks, now=self.clock())
        return not found.refusal

    def _settle(self, record: DeploymentRecord, execution_id: str) -> None:
        """Nothing had to change: the execution that delivered this pipeline before still stands for it."""
        url = execution_url(
            pipeline=pipeline_name(record.type, record.id), execution_id=execution_id, region=self.pipelines.region
        )
        seen = Observation(phase=Phase.ACTIVE, execution_id=execution_id, execution_url=url)
        self.statuses.observed(record.id, seen, now=self.clock())

    def _fail(self, record: DeploymentRecord, reason: str, *, retry: bool) -> None:
        self.say(f"{record.id}: FAILED: {reason}")
        try:
            self.statuses.failed(record.id, build_id=self.build_id, reason=reason, retry=retry, now=self.clock())
        except Exception:
            self._lose(record.id)

    def _lose(self, deployment_id: str) -> None:
        """Go on without a deployment whose tables fail: its claim, if it has one, ends with this build."""
        logger.exception("the tables failed for %s", deployment_id)
        self.lost.add(deployment_id)
