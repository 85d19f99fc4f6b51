"""The beginning of a run: its plan, written down, and its coming into force."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from lambdas.common.clock import stamp
from lambdas.common.errors import GranaryError, UnreadableError
from lambdas.common.isolation import contained
from lambdas.common.task_tokens import TaskTokens
from lambdas.common.versioned_json import plain, read
from lambdas.saas.model.catch_up import is_late
from lambdas.saas.model.lineage import lineage
from lambdas.saas.model.record import DeploymentRecord
from lambdas.saas.model.releases import Release
from lambdas.saas.model.rings import Plan, PlannedRing, ReleasePolicy, plan_rows
from lambdas.saas.model.runs import Ring, RingState, Run, RunState, items_key, never_begun, skipped_key
from lambdas.saas.model.status import Status, sort_out
from lambdas.saas.model.target_policy import TargetPolicy
from lambdas.saas.release.build_places import BuildPlaces
from lambdas.saas.release.genuine import RefusedError, genuine, require_judged, require_same
from lambdas.saas.release.shelf import Shelf
from lambdas.saas.store.release_statuses import ReleaseStatuses
from lambdas.saas.store.runs_table import Runs
from lambdas.saas.store.same_releases import SameReleases
from lambdas.saas.store.standing_pipelines import Standing, as_they_stand
from lambdas.saas.store.tables import Deployments
from lambdas.saas.store.verdicts import Verdicts

logger = logging.getLogger(__name__)

_SKIPPED_SHOWN = 50


@dataclass(frozen=True, kw_only=True)
class Asked:
    """How a run is asked for.

    With `catch_up`, it only takes up who was left behind by the run that it goes on with; for `everyone`, it takes up
    those too who have the same of another release.
    """

    catch_up: bool = False
    everyone: bool = False

    @classmethod
    def of(cls, event: Mapping[str, Any]) -> Asked:
        """Read what the machine was started with; a former definition of it does not hand its input on."""
        given = event.get("input")
        known = given if isinstance(given, Mapping) else {}
        return cls(catch_up=known.get("catch_up") is True, everyone=known.get("everyone") is True)


_PLAINLY = Asked()


@dataclass(frozen=True, kw_only=True)
class Beginning:
    """The beginning of a run: plans it, brings it into force, and writes it down."""

    policy: ReleasePolicy
    targets: TargetPolicy
    deployments: Deployments
    statuses: ReleaseStatuses
    runs: Runs
    shelf: Shelf
    verdicts: Verdicts
    tokens: TaskTokens
    places: BuildPlaces
    pipelines: Standing
    clock: Callable[[], datetime]

    def begin(self, run: str, *, release: Release, resumes: str, execution: str, asked: Asked = _PLAINLY) -> None:
        """Plan the run, bring it into force and write it down; safe to repeat.

        The run itself is written last: until then a repetition plans again. A run that may not come into force is
        written as SUPERSEDED, with the reason; one of a release that is not what CI/CD has published, or that a gate
        has not passed, is written as STOPPED, and nothing else is. A first run of what everybody has already takes
        nobody up: when it is through, new tenants get the release, and that is all.
        """
        if self.runs.run(run):
            return
        try:
            release = self._genuine(release)
            require_judged(release, self.verdicts.why_not(release))
            refusal = self._why_not(run, release, resumes, catch_up=asked.catch_up)
            if not refusal:
                # Whatever breaks from here on, the release can be found to be gone on with.
                self._keep(release)
        except RefusedError as error:
            given = {"release": plain(release), "resumes": resumes}
            refused = never_begun(run, given, execution=execution, reason=str(error), now=self.clock())
            self.runs.begun(refused)
            logger.error("run %s: %s", run, error)  # noqa: TRY400 - told, no fault
            return
        same_as = "" if resumes or refusal or asked.everyone else self._same_as(run, release)
        planned = self._plan(run, release, resumes, asked=asked, same_as=same_as)
        if not refusal:
            self._write(run, planned)
            former = self.runs.current()
            if not self.runs.take_over(run, release=release, resumes=resumes, now=self.clock(), same_as=same_as):
                refusal = f"run {self.runs.current()} is in force, of a later release or after the same run"
            elif former != run:
                self._wake(former, f"superseded by run {run}")
        made = self._run(run, release, planned, resumes=resumes, execution=execution, refusal=refusal)
        self.runs.begun(replace(made, same_as="" if refusal else same_as))
        logger.info("run %s: %d deployments, %d skipped %s", run, planned.total, len(planned.skipped), refusal)

    def keep(self, release: Release) -> None:
        """Keep a release of which nothing else came to be, so that it can be gone on with.

        Raises:
            RefusedError: it is not what CI/CD has published.
        """
        self._keep(self._genuine(release))

    def _genuine(self, release: Release) -> Release:
        return genuine(release, self.shelf.published(release.key, release.version_id), now=self.clock())

    def _keep(self, release: Release) -> None:
        bundle = release.bundle(self.shelf.bucket)
        require_same(release, self.runs.keep(release, bundle=bundle.to_json()))
        logger.info("release %s is bundle %s", release.revision, bundle.digest)

    def _same_as(self, run: str, release: Release) -> str:
        """The run in force, if it has brought to everybody what they would get of the release; else empty.

        Of a run that has come into force before, and whose beginning is repeated, it is what was found then: nobody
        knows any more what it took over from.
        """
        name = self.runs.current()
        if name == run:
            return self.runs.found_same(run)
        former = self._former(name) if name else None
        return former.run if former and self._same.of_former(release, former) else ""

    @property
    def _same(self) -> SameReleases:
        return SameReleases(runs=self.runs)

    def _plan(self, run: str, release: Release, resumes: str, *, asked: Asked, same_as: str) -> Plan:
        former = self.runs.run(resumes) if resumes else None
        known, now = lineage(self.runs, former) if former else (), stamp(self.clock())
        # Rows are read last: one that is put meanwhile has a status only if it has a row, and is not taken for removed.
        statuses = list(self.statuses.all())
        same: Collection[str] = (release.revision,)
        if same_as or (former and not asked.everyone and self._same.found_good(former)):
            same = self._same.revisions(release, sort_out(statuses)[0].values())

        def takes(record: DeploymentRecord, status: Status) -> bool:
            late = not asked.catch_up or is_late(record, status, revisions=same, runs=known, now=now)
            return late and not same_as

        with contained("the pipelines could not be listed: nobody's counts as gone", run=run):
            statuses = as_they_stand(statuses, self.pipelines)
        return plan_rows(
            self.policy.unattended() if asked.catch_up else self.policy,
            revision=release.revision,
            same=same,
            rows=self.deployments.rows(),
            targets=self.targets,
            now=now,
            statuses=statuses,
            resumes=resumes,
            takes=takes,
        )

    def _wake(self, former: str, cause: str) -> None:
        """Let a run that waits for an approval see that it is superseded; whatever is wrong with it stops no other."""
        with contained(f"run {former} could not be told that it was {cause}", run=former):
            known = self.runs.run(former)
            for ring in self.runs.rings(known) if known else ():
                if ring.state == RingState.APPROVAL and ring.approval_token:
                    self.tokens.fail(ring.approval_token, error="Superseded", cause=cause)

    def _why_not(self, run: str, release: Release, resumes: str, *, catch_up: bool) -> str:
        if resumes:
            return self._why_not_resume(release, resumes, catch_up=catch_up)
        if catch_up:
            return "a run that catches up goes on with another, and this one names none"
        current = self.runs.current()
        known = self._former(current) if current not in ("", run) else None
        if known and known.revision == release.revision:
            return f"run {current} of the same release is in force: `granary resume` goes on with it"
        return ""

    def _former(self, run: str) -> Run | None:
        """The run that this one takes over from; one that cannot be read stops no newer release."""
        try:
            return self.runs.run(run)
        except UnreadableError as error:
            logger.error("%s", error)  # noqa: TRY400 - told, no fault
            return None

    def _why_not_resume(self, release: Release, resumes: str, *, catch_up: bool) -> str:
        former = self.runs.run(resumes)
        if former is None:
            return f"there is no run {resumes} that could be resumed"
        if former.revision != release.revision:
            return f"run {resumes} is of release {former.revision}: resume it with that"
        if catch_up and former.state != RunState.SUCCEEDED:
            # It would ask nobody and look at no alarm.
            return f"run {resumes} is {former.state}: only after one that SUCCEEDED may others catch up"
        if former.state not in (RunState.STOPPED, RunState.SUCCEEDED):
            return f"run {resumes} is {former.state}: only one that is STOPPED or SUCCEEDED can be resumed"
        return ""

    def _write(self, run: str, planned: Plan) -> None:
        places = self.places.count()
        for index, ring in enumerate(planned.rings):
            key = items_key(run, index) if ring.items else ""
            if key:
                self.shelf.put_items(key, ring.items)
            made = _capped(_ring(run, index, ring), places)
            self.runs.planned(replace(made, items=key, updated_at=stamp(self.clock())))
        if planned.skipped:
            self.shelf.put_skipped(skipped_key(run), planned.skipped)

    def _run(self, run: str, release: Release, planned: Plan, *, resumes: str, execution: str, refusal: str) -> Run:
        now, said = stamp(self.clock()), self.verdicts.judged(release)
        return Run(
            run=run,
            revision=release.revision,
            state=(RunState.SUPERSEDED if refusal else RunState.RUNNING).value,
            strategy=self.policy.strategy,
            rings=0 if refusal else len(planned.rings),
            deployments=planned.total,
            skipped=len(planned.skipped),
            skipped_names=tuple(str(one) for one in planned.skipped[:_SKIPPED_SHOWN]),
            skipped_list=skipped_key(run) if planned.skipped and not refusal else "",
            gates=said.words,
            gate_links=said.links,
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
        return read(Release, data)
    except ValueError as error:
        raise GranaryError(
            f"the execution's input has no release ({error}): start it with `granary release`"
        ) from error


def _capped(ring: Ring, places: int | None) -> Ring:
    """What would find no place in CodeBuild's queue is not begun before another has ended."""
    if places is None or min(ring.concurrency, ring.total) <= places:
        return ring
    logger.warning(
        "run %s: ring %s advances %d deployments at a time and not %d, for CodeBuild takes no more builds: ask for a "
        "higher quota (docs/saas/runbooks/releases.md)",
        *(ring.run, ring.name, places, ring.concurrency),
    )
    return replace(ring, concurrency=places)


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
        demands=policy.demands,
        needs_approval=policy.approval,
        changes=ring.changes,
    )
