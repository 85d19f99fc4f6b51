"""The reconciliation sweep: compares desired with observed and picks up what was lost."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from lambdas.common.errors import NotReleasedError, UnreadableError
from lambdas.common.idempotency import start_token
from lambdas.common.log import about
from lambdas.saas.model.contract import usable
from lambdas.saas.model.lifecycle import ENDED, checked
from lambdas.saas.model.names import pipeline_name
from lambdas.saas.model.record import DeploymentRecord, InvalidRow, parse_row
from lambdas.saas.model.releases import Release
from lambdas.saas.model.runs import Run
from lambdas.saas.model.status import Status, Unreadable, sort_out
from lambdas.saas.model.target_policy import TargetPolicy
from lambdas.saas.store.builds import Builds
from lambdas.saas.store.lifecycle_machine import Lifecycles
from lambdas.saas.store.release_parameter import Releases
from lambdas.saas.store.tables import Deployments, Statuses
from lambdas.saas.store.waiting import Waiting
from lambdas.saas.sweep.catch_up import CatchUp
from lambdas.saas.sweep.decide import Action, Round, decide

logger = logging.getLogger(__name__)

_PROBLEMS = (Unreadable, UnreadableError)


@dataclass(frozen=True, kw_only=True)
class Sweep:
    """One round: compares rows with statuses, then starts builds, looks and machines.

    `look` has the pipelines' watch look at a pipeline, by name. `measure` is told of every status, for the dashboard,
    and of all that could not be read.
    `stop_dead_run` stops the release's run that nobody goes on with, and tells whether it did; `catch_up` starts a run
    for those that one has left behind. With `retire_removed`, a row that is removed retires its deployment; without,
    that destroys nothing.
    """

    policy: TargetPolicy
    deployments: Deployments
    statuses: Statuses
    builds: Builds
    releases: Releases
    lifecycles: Lifecycles
    look: Callable[[str], None]
    measure: Callable[[Collection[Status], Collection[str], datetime], None]
    stop_dead_run: Callable[[datetime], bool]
    catch_up: CatchUp
    retire_removed: bool
    max_ids_per_build: int
    clock: Callable[[], datetime]

    def run(self) -> dict[str, int]:
        """Do one round; answers how many deployments were started, said invalid or removed, looked at, left waiting,
        or handed to the lifecycle machine, how many runs of a release were stopped, or started to catch up, and how
        much could not be read: nothing is done about that."""
        finished = self._finished()
        # Rows are read last: one that is put meanwhile has a status only if it has a row, and is not taken for removed.
        statuses, unreadable = sort_out(self.statuses.all())
        wishes = {name: wish for name, wish in self._wishes(statuses).items() if name not in unreadable}
        claims = {status.claiming_build for status in statuses.values() if status.claiming_build}
        release = self._release()
        problems = {str(one) for one in (*unreadable.values(), finished, release) if isinstance(one, _PROBLEMS)}
        for problem in sorted(problems):
            with about(deployment=next((name for name, one in unreadable.items() if str(one) == problem), "")):
                logger.error("%s", problem)
        seen = Round(
            now=self.clock(),
            ended_builds=self.builds.ended(claims),
            revision=release.revision if isinstance(release, Release) else "",
            retire_removed=self.retire_removed,
        )
        counts = {"started": 0, "invalid": 0, "removed": 0, "looked": 0, "waiting": 0, "lifecycle": 0}
        to_start: list[DeploymentRecord] = []
        waiting = Waiting(statuses=self.statuses, builds=self.builds, max_ids_per_build=self.max_ids_per_build)
        for deployment_id in sorted({*wishes, *statuses}):
            wish, status = wishes.get(deployment_id), statuses.get(deployment_id)
            action = decide(wish, status, seen)
            if action is Action.START and isinstance(wish, DeploymentRecord):
                self._make_way(status, seen)
                waiting.remember(wish, status)
                to_start.append(wish)
            else:
                for counted in self._act(action, deployment_id, wish, status, seen):
                    counts[counted] += 1
        self.measure(list(statuses.values()), problems, seen.now)
        counts |= self._start(to_start, release, waiting, seen)
        # What a build takes up now is still late when that is over.
        building = {record.id for record in to_start}
        others = {name: wish for name, wish in wishes.items() if name not in building}
        caught_up = self._catch_up(finished, release, others, statuses, seen.now)
        counts |= {"stopped": self._look_at_release(seen.now), "caught_up": caught_up}
        return counts | {"unreadable": len(problems)}

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
                started = self._start_lifecycle(deployment_id, seen) if action is Action.RETIRE_REMOVED else ()
                return ("removed", *started)
            case Action.SAY_INVALID, InvalidRow(reason=reason):
                self._make_way(status, seen)
                return ("invalid",) if self.statuses.invalid(deployment_id, reason=reason, now=seen.now) else ()
            case Action.LOOK, _ if known := wish if isinstance(wish, DeploymentRecord) else status:
                self.look(pipeline_name(known.type, deployment_id))
                return ("looked",)
            case Action.LIFECYCLE, _:
                return self._start_lifecycle(deployment_id, seen)
        return ()

    def _start_lifecycle(self, deployment_id: str, seen: Round) -> tuple[str, ...]:
        self.lifecycles.start(deployment_id, token=start_token(deployment_id, seen.now.isoformat()))
        return ("lifecycle",)

    def _look_at_release(self, now: datetime) -> int:
        """Whatever is wrong with it, the deployments are not left alone for that; the next round looks again."""
        try:
            return int(self.stop_dead_run(now))
        except Exception:
            logger.exception("the release that is under way could not be looked at")
            return 0

    def _finished(self) -> Run | UnreadableError | None:
        try:
            return self.catch_up.finished()
        except UnreadableError as error:
            return error
        except Exception:
            logger.exception("the release that is through could not be read")
            return None

    def _catch_up(
        self,
        finished: Run | UnreadableError | None,
        release: Release | NotReleasedError,
        wishes: Mapping[str, DeploymentRecord | InvalidRow],
        statuses: Mapping[str, Status],
        now: datetime,
    ) -> int:
        try:
            if finished is None:
                return int(self.catch_up.resume_what_waited())
            if isinstance(finished, UnreadableError) or isinstance(release, NotReleasedError):
                return 0
            return int(self.catch_up.start(finished, release, wishes, statuses, now=now))
        except Exception:
            with about(run=finished.run if isinstance(finished, Run) else ""):
                logger.exception("no run could be started for those whom the run in force has left behind")
            return 0

    def _wishes(self, statuses: Mapping[str, Status]) -> dict[str, DeploymentRecord | InvalidRow]:
        return {
            str(row["id"]): checked(parse_row(row, self.policy), statuses.get(str(row["id"])))
            for row in self.deployments.rows()
        }

    def _release(self) -> Release | NotReleasedError:
        try:
            return usable(self.releases.current())
        except NotReleasedError as error:
            return error

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
        self, records: list[DeploymentRecord], release: Release | NotReleasedError, waiting: Waiting, seen: Round
    ) -> dict[str, int]:
        if not records:
            return {}
        if isinstance(release, NotReleasedError):
            waiting.still(records, reason=str(release), now=seen.now)
            return {"waiting": len(records)}
        # Whoever was provisioned since the statuses were read needs no build.
        needed = [record for record in records if waiting.begin(record, now=seen.now)]
        left = waiting.start(
            needed,
            release=release,
            token=lambda ids: start_token(release.version_id, seen.now.isoformat(), *ids),
            now=seen.now,
        )
        return {"started": len(needed) - len(left), "waiting": len(left)}
