"""The reconciliation sweep: compares desired with observed and picks up what was lost."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache, partial

from lambdas.common.clock import stamp
from lambdas.common.errors import GranaryError, NotReleasedError, UnreadableError
from lambdas.common.idempotency import start_token
from lambdas.common.isolation import Faults
from lambdas.common.log import about
from lambdas.saas.model.contract import usable
from lambdas.saas.model.lifecycle import ENDED
from lambdas.saas.model.names import pipeline_name
from lambdas.saas.model.record import DeploymentRecord, InvalidRow
from lambdas.saas.model.releases import Release
from lambdas.saas.model.runs import Run
from lambdas.saas.model.status import Status, Unreadable, sort_out
from lambdas.saas.model.target_policy import TargetPolicy
from lambdas.saas.model.wishes import read_wishes
from lambdas.saas.store.builds import Builds
from lambdas.saas.store.lifecycle_machine import Lifecycles
from lambdas.saas.store.pins import Pins
from lambdas.saas.store.release_parameter import BadReleaseError, Releases
from lambdas.saas.store.standing_pipelines import Standing, without_pipeline
from lambdas.saas.store.tables import Deployments, Statuses
from lambdas.saas.store.waiting import Waiting
from lambdas.saas.sweep.brake import Brake, told
from lambdas.saas.sweep.catch_up import CatchUp
from lambdas.saas.sweep.decide import Action, Round, decide, waits_in_vain

logger = logging.getLogger(__name__)

_LEFT_BEHIND = "no run could be started for those whom the run in force has left behind"
_COUNTS = ("started", "invalid", "removed", "looked", "waiting", "lifecycle")


@dataclass(frozen=True, kw_only=True)
class Sweep:
    """One round: compares rows with statuses and `pipelines`, then starts builds, looks and machines.

    `look` has the pipelines' watch look at a pipeline, by name. `measure` is told of every status, for the dashboard,
    of all that could not be read, and how many retirements are held.
    `stop_dead_run` stops the release's run that nobody goes on with, and tells whether it did; `catch_up` starts a run
    for those that one has left behind. With `retire_removed`, a row that is removed retires its deployment; without,
    that destroys nothing; the `brake` holds all of that when it is too much at once.
    """

    policy: TargetPolicy
    deployments: Deployments
    statuses: Statuses
    builds: Builds
    releases: Releases
    pins: Pins
    lifecycles: Lifecycles
    pipelines: Standing
    look: Callable[[str], None]
    measure: Callable[[Collection[Status], Collection[str], datetime, int], None]
    stop_dead_run: Callable[[datetime], bool]
    catch_up: CatchUp
    retire_removed: bool
    brake: Brake
    max_ids_per_build: int
    clock: Callable[[], datetime]

    def run(self) -> dict[str, int]:
        """Do one round; answers how many deployments were started, said invalid or removed, looked at, left waiting,
        or handed to the lifecycle machine, how many runs of a release were stopped, or started to catch up, and how
        much could not be read: nothing is done about that.

        Raises:
            GranaryError: something has failed; everything else was done.
        """
        faults = Faults()
        counts = dict.fromkeys(_COUNTS, 0)
        with faults.contained("the deployments could not be swept"):
            counts |= self._sweep(faults)
        counts["stopped"] = self._look_at_release(self.clock(), faults)
        faults.tell()
        return counts

    def _sweep(self, faults: Faults) -> dict[str, int]:
        finished = self._finished(faults)
        # Rows are read last: one that is put meanwhile has a status only if it has a row, and is not taken for removed.
        statuses, unreadable = sort_out(self.statuses.all())
        # A fleet may be pinned to one release: a round looks at it once.
        now, pins = stamp(self.clock()), self.pins.remembering()
        read, spoilt = read_wishes(self.deployments.rows(), statuses, self.policy, now=now, refuses=cache(pins.why_not))
        unreadable = {**spoilt, **unreadable}
        wishes = {name: wish for name, wish in read.items() if name not in unreadable}
        release = self._release(finished, faults)
        problems = _told([*unreadable.values(), finished, release])
        seen, held = self._round(statuses, {*read, *spoilt}, release, faults)
        self._say_spoilt(spoilt, statuses, seen, faults)
        counts: Counter[str] = Counter()
        to_start: list[DeploymentRecord] = []
        waiting = Waiting(
            statuses=self.statuses, builds=self.builds, pins=pins, max_ids_per_build=self.max_ids_per_build
        )
        for deployment_id in sorted({*wishes, *statuses} - {*unreadable}):
            wish, status = wishes.get(deployment_id), statuses.get(deployment_id)
            with faults.contained(f"deployment {deployment_id} could not be swept", deployment=deployment_id):
                if isinstance(wish, DeploymentRecord) and status and status.external_id != wish.external_id:
                    self.statuses.called(wish, now=seen.now)
                action = decide(wish, status, seen)
                if action is Action.START and isinstance(wish, DeploymentRecord):
                    self._make_way(status, seen)
                    died, lost = self._why_died(status, seen, faults), deployment_id in seen.lost
                    waiting.remember(wish, status, died=died, lost=lost)
                    to_start.append(wish)
                else:
                    counts.update(self._act(action, deployment_id, wish, status, seen))
        with faults.contained("the fleet could not be measured"):
            self.measure(list(statuses.values()), problems, seen.now, held)
        with faults.contained("builds could not be started"):
            counts.update(self._start(to_start, release, waiting, seen, faults))
        # What a build takes up now, or has to, is still late when that is over.
        building = seen.lost | {record.id for record in to_start}
        others = {name: wish for name, wish in wishes.items() if name not in building}
        caught_up = self._catch_up(finished, release, others, statuses, now=seen.now, faults=faults)
        return {**counts, "caught_up": caught_up, "unreadable": len(problems)}

    def _round(
        self,
        statuses: Mapping[str, Status],
        rows: Collection[str],
        release: Release | NotReleasedError,
        faults: Faults,
    ) -> tuple[Round, int]:
        """What this round knows, and how many retirements it holds; `rows` are the ids that have a row."""
        ended: set[str] = set()  # without them, nobody's claim counts as given up: a later round sees to it
        with faults.contained("which builds are over could not be read"):
            known = statuses.values()
            ended |= self.builds.ended({one for it in known for one in (it.claiming_build, it.pending_build) if one})
        lost: set[str] = set()  # and nobody's pipeline as gone
        with faults.contained("the pipelines could not be listed"):
            lost |= without_pipeline(statuses.values(), self.pipelines)
        seen = Round(
            now=self.clock(),
            ended_builds=ended,
            retire_removed=self.retire_removed,
            lost=lost,
        )
        if isinstance(release, Release):
            seen = replace(seen, revision=release.revision)
            with faults.contained("which releases are the same for tenants could not be read"):
                seen = replace(seen, same=self.catch_up.same(release, statuses))
        held, free = 0, False
        with faults.contained("whether too many rows are gone could not be told, so nobody is retired for that"):
            held = self.brake.holds(rows, statuses.values(), seen)
            free = not held
        if held:
            logger.error("%s", told(held))
        return replace(seen, retire_removed=seen.retire_removed and free), held

    def _say_spoilt(
        self, spoilt: Mapping[str, Unreadable], statuses: Mapping[str, Status], seen: Round, faults: Faults
    ) -> None:
        """Of a new row that nobody can read, only its status can tell people; what stands keeps its own."""
        for name, one in spoilt.items():
            if name not in statuses:
                with faults.contained(f"what is wrong with {name} could not be written", deployment=name):
                    self.statuses.invalid(name, reason=one.reason, now=seen.now)

    def _act(
        self,
        action: Action,
        deployment_id: str,
        wish: DeploymentRecord | InvalidRow | None,
        status: Status | None,
        seen: Round,
    ) -> tuple[str, ...]:
        """Do what needs no build; answers under which names it counts, if it came to anything."""
        match action, wish:
            case ((Action.SAY_REMOVED | Action.RETIRE_REMOVED), _):
                if not self.statuses.removed(deployment_id, now=seen.now):
                    return ()
                retire = action is Action.RETIRE_REMOVED
                started = self._start_lifecycle(deployment_id, seen, counted=True) if retire else ()
                return ("removed", *started)
            case Action.SAY_INVALID, InvalidRow(reason=reason):
                self._make_way(status, seen)
                return ("invalid",) if self.statuses.invalid(deployment_id, reason=reason, now=seen.now) else ()
            case Action.LOOK, _ if known := wish if isinstance(wish, DeploymentRecord) else status:
                self.look(pipeline_name(known.type, deployment_id))
                return ("looked",)
            case Action.LIFECYCLE, _:
                if status is None and isinstance(wish, DeploymentRecord):
                    self.statuses.pending(wish, reason="", now=seen.now)
                return self._start_lifecycle(deployment_id, seen, counted=wish is None and seen.retire_removed)
        return ()

    def _why_died(self, status: Status | None, seen: Round, faults: Faults) -> str:
        """Why the build that was started for a row has ended without taking it up, if it has."""
        if status is None or not waits_in_vain(status, seen):
            return ""
        build = status.pending_build
        with faults.contained(f"build {build} could not be looked at", deployment=status.id):
            return self.builds.why_failed(build) or "it tells no reason"
        return "it could not be looked at"

    def _start_lifecycle(self, deployment_id: str, seen: Round, *, counted: bool) -> tuple[str, ...]:
        self.lifecycles.start(deployment_id, token=start_token(deployment_id, seen.now.isoformat()), counted=counted)
        return ("lifecycle",)

    def _look_at_release(self, now: datetime, faults: Faults) -> int:
        """Whatever is wrong with it, the deployments are not left alone for that; the next round looks again."""
        with faults.contained("the release that is under way could not be looked at"):
            try:
                return int(self.stop_dead_run(now))
            except UnreadableError as error:
                logger.error("%s", error)  # noqa: TRY400 - told, no fault
        return 0

    def _finished(self, faults: Faults) -> Run | UnreadableError | None:
        with faults.contained("the release that is through could not be read"):
            try:
                return self.catch_up.finished()
            except UnreadableError as error:
                return error
        return None

    def _catch_up(
        self,
        finished: Run | UnreadableError | None,
        release: Release | NotReleasedError,
        wishes: Mapping[str, DeploymentRecord | InvalidRow],
        statuses: Mapping[str, Status],
        *,
        now: datetime,
        faults: Faults,
    ) -> int:
        with faults.contained(_LEFT_BEHIND, run=finished.run if isinstance(finished, Run) else ""):
            try:
                if finished is None:
                    return int(self.catch_up.resume_what_waited())
                if isinstance(finished, Run) and isinstance(release, Release):
                    return int(self.catch_up.start(finished, release, wishes, statuses, now=now))
            except GranaryError as error:
                # People have been told of the runs that came to nothing: no later round will do better.
                logger.error("%s: %s", _LEFT_BEHIND, error)  # noqa: TRY400 - told, no fault
        return 0

    def _release(self, finished: Run | UnreadableError | None, faults: Faults) -> Release | NotReleasedError:
        through = None
        with faults.contained("the release that is through could not be read"):
            through = self.catch_up.brought(finished) if isinstance(finished, Run) else None
        with faults.contained("the current release could not be read"):
            try:
                return usable(self._current(through))
            except NotReleasedError as error:
                return error
        return NotReleasedError("the current release could not be read: the next round tries again")

    def _current(self, through: Release | None) -> Release:
        """The current release, or the newer one that is `through`.

        That a run is through wakes the sweep, and the parameter is written after that: until then it names the release
        before, or is not there yet, and who waits for the new one would wait for the next round.
        """
        try:
            current = self.releases.current()
        except BadReleaseError:
            raise
        except NotReleasedError:
            if through is None:
                raise
            return through
        return through if through and through.published_at > current.published_at else current

    def _make_way(self, status: Status | None, seen: Round) -> None:
        """Remove what a retired deployment of the same id has left, and the claim of a build that died."""
        if status and status.phase in ENDED:
            self.statuses.bury(status.id)
        elif status and status.claiming_build in seen.ended_builds:
            self.statuses.failed(
                status.id,
                build_id=status.claimed_by,
                reason=f"build {status.claimed_by} ended without a result; it is started again",
                retry=True,
                now=seen.now,
            )

    def _start(
        self,
        records: list[DeploymentRecord],
        release: Release | NotReleasedError,
        waiting: Waiting,
        seen: Round,
        faults: Faults,
    ) -> dict[str, int]:
        started, chosen = 0, waiting.by_release(records, current=release, now=seen.now)
        held = len(records) - sum(map(len, chosen.values()))
        for one, fitting in chosen.items():
            # Whoever was provisioned since the statuses were read needs no build.
            needed: list[DeploymentRecord] = []
            for record in fitting:
                with faults.contained(f"deployment {record.id} could not be started", deployment=record.id):
                    if waiting.begin(record, now=seen.now):
                        needed.append(record)
            left = waiting.start(needed, release=one, token=partial(_token, one, seen), now=seen.now)
            started, held = started + len(needed) - len(left), held + len(left)
        return {"started": started, "waiting": held}


def _token(release: Release, seen: Round, ids: Sequence[str]) -> str:
    return start_token(release.version_id, seen.now.isoformat(), *ids)


def _told(found: Sequence[object]) -> set[str]:
    """Everything among what was read that could not be, told to the log."""
    problems = {str(one): getattr(one, "id", "") for one in found if isinstance(one, (Unreadable, UnreadableError))}
    for problem, deployment in sorted(problems.items()):
        with about(deployment=deployment):
            logger.error("%s", problem)
    return set(problems)
