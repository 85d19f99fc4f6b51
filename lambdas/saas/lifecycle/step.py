"""A step of the lifecycle machine: claim the deployment, look at what there is, do one thing."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from lambdas.common.clock import stamp
from lambdas.common.errors import CapacityError, GranaryError, NotReleasedError
from lambdas.common.idempotency import start_token
from lambdas.saas.lifecycle.decide import OTHERS_SECONDS, Case, Do, Step, is_due, next_step
from lambdas.saas.lifecycle.facts import Facts, Memory, Pipeline, Stack, pipeline_stack_of, warned
from lambdas.saas.lifecycle.goal import Goal, Policy, Wants, Wish, goal, read_wish
from lambdas.saas.lifecycle.perform import Answer, Perform
from lambdas.saas.lifecycle.statuses import LEASE
from lambdas.saas.model.component_stacks import left_behind, to_delete
from lambdas.saas.model.contract import contract_needed, unfit
from lambdas.saas.model.names import pipeline_name
from lambdas.saas.model.releases import Release
from lambdas.saas.model.status import Phase, StackRef, Status, sort_out
from lambdas.saas.model.target_policy import TargetPolicy
from lambdas.saas.store.builds import Builds
from lambdas.saas.store.pins import Pins
from lambdas.saas.store.tables import Deployments

logger = logging.getLogger(__name__)

# The steps that cannot be taken back: the row is read once more right before them.
_FINAL = frozenset({Do.DELETE, Do.SAY_RETIRED})
# After these nothing stands: a row that asks for a deployment was put during the retirement, perhaps of another type.
_ROW_IS_NEW = frozenset({Do.SAY_RETIRED, Do.SAY_UNPROVISIONED})


@dataclass(frozen=True, kw_only=True)
class Home:
    """Where the pipelines are: the toolchain's account and Region."""

    account: str
    region: str


@dataclass(frozen=True, kw_only=True)
class Lifecycle:
    """One step towards what a row asks for; `perform` has the ports, and carries it out.

    `builds` take up new rows, `pins` has the releases that rows pin.
    """

    deployments: Deployments
    perform: Perform
    builds: Builds
    pins: Pins
    targets: TargetPolicy
    policy: Policy
    home: Home
    clock: Callable[[], datetime]

    def step(self, deployment_id: str, *, execution: str, started: str, memory: Memory) -> Answer:
        """Do one thing towards what the row asks for.

        `execution` names the machine's execution, `started` (a stamp) is when it began. Nothing is taken from an event:
        a machine that comes late, or twice, finds nothing to do. All of it is done at one time: what is due when it is
        decided was due when it was looked at.
        """
        once = replace(self, pins=self.pins.remembering())
        return once._step(deployment_id, execution=execution, started=started, memory=memory)

    def _step(self, deployment_id: str, *, execution: str, started: str, memory: Memory) -> Answer:
        holder, now = f"lifecycle/{execution}", self.clock()
        status = self.perform.statuses.get(deployment_id)
        aim = self._goal(self._wish(deployment_id, status), status, memory)
        if status is None or aim is Goal.NOTHING:
            return self._rest(status, holder, now)
        if not self._claim(status, holder, now):
            return Answer(done=False, seconds=OTHERS_SECONDS, memory=memory)
        # Whoever held it before may have changed it meanwhile.
        status = self.perform.statuses.get(deployment_id)
        wish = self._wish(deployment_id, status)
        if status is None or self._goal(wish, status, memory) is not aim:
            return Answer(done=False, seconds=1, memory=memory)
        case = Case(
            status=status,
            facts=self._facts(aim, status, now, wish),
            memory=memory,
            now=now,
            policy=self.policy,
            started=started,
        )
        step = next_step(aim, case)
        if step.do in _FINAL and self._wish(deployment_id, status) != wish:
            return Answer(done=False, seconds=1, memory=memory)
        answer = self._perform(aim, step, case, holder=holder)
        if answer.done and step.do in _ROW_IS_NEW:
            self._build(deployment_id, holder)
        return answer

    def _perform(self, aim: Goal, step: Step, case: Case, *, holder: str) -> Answer:
        logger.info("deployment %s: to %s, %s", case.status.id, aim, step.do)
        perform = replace(self.perform, holder=holder)
        if step.do is Do.SAY_FAILED:
            return perform.step(_told(aim, step), case)
        if aim not in (Goal.RETIRE, Goal.CLEAR_UP):
            return perform.step(step, case)
        try:
            return perform.step(step, case)
        except GranaryError as error:
            failed = Step(do=Do.SAY_FAILED, reason=str(error), retry=True)
            return perform.step(_told(aim, failed), case)

    def _wish(self, deployment_id: str, status: Status | None) -> Wish:
        row, now = self.deployments.get(deployment_id), stamp(self.clock())
        return read_wish(row, self.targets, status, now=now, refuses=self.pins.why_not)

    def _goal(self, wish: Wish, status: Status | None, memory: Memory) -> Goal:
        return goal(wish, status, self.policy, counted=memory.counted)

    def _build(self, deployment_id: str, holder: str) -> None:
        """Start the build of a row that asks for a deployment; what cannot be started now, the sweep starts."""
        wish = self._wish(deployment_id, None)
        release = self._release(wish)
        if wish.wants is not Wants.ACTIVE or release is None or unfit(release, wish.needs):
            return
        try:
            self.builds.start([deployment_id], release=release, token=start_token(holder, deployment_id))
        except CapacityError as error:
            logger.warning("deployment %s waits for the sweep: %s", deployment_id, error)

    def _rest(self, status: Status | None, holder: str, now: datetime) -> Answer:
        if status and status.claimed_by == holder:
            self.perform.statuses.give_back(status.id, holder=holder, now=now)
        return Answer(done=True)

    def _claim(self, status: Status, holder: str, now: datetime) -> bool:
        """Take or keep the claim; one with half of its lease left need not be written again."""
        if status.claimed_by == holder and status.claimed_at(stamp(now + LEASE / 2)):
            return True
        return self.perform.statuses.claim(status.id, holder=holder, now=now)

    def _facts(self, aim: Goal, status: Status, now: datetime, wish: Wish) -> Facts:
        kind = status.placed_type
        pipeline = self.perform.pipelines.look(pipeline_name(kind, status.id)) if kind else Pipeline(exists=False)
        if aim is Goal.CLEAR_UP:
            # What a retirement that was taken back has given up may well be reached now.
            left = reversed(left_behind(status, named=wish.places))
            return Facts(pipeline=pipeline, components=tuple(map(self.perform.stacks.look, left)))
        if aim is Goal.MAKE_ANEW:
            return Facts(pipeline=pipeline, components=self._look(_in_place(status), status))
        if aim is Goal.BRING_BACK or (aim is Goal.RETIRE and is_due(status, now)):
            home = pipeline_stack_of(status, account=self.home.account, region=self.home.region)
            return Facts(
                pipeline=pipeline,
                components=self._look(to_delete(status), status),
                pipeline_stacks=self._look(home, status),
                support=self._support(status) if aim is Goal.RETIRE else None,
                **(self._target(status, wish) if aim is Goal.BRING_BACK else {}),
            )
        return Facts(pipeline=pipeline)

    def _look(self, refs: tuple[StackRef, ...], status: Status) -> tuple[Stack, ...]:
        return tuple(self.perform.stacks.look(ref) for ref in refs if not warned(ref, status))

    def _support(self, status: Status) -> tuple[Stack, ...]:
        """The support stacks that no other deployment names; a status that cannot be read may name any of them."""
        if not status.support_stacks:
            return ()
        statuses, unreadable = sort_out(self.perform.statuses.all())
        others = {ref.stack_id for other in statuses.values() if other.id != status.id for ref in other.support_stacks}
        unshared = tuple(ref for ref in reversed(status.support_stacks) if ref.stack_id not in others)
        if problem := "; ".join(f"another deployment may use it: {one}" for one in unreadable.values()):
            return tuple(Stack(ref=ref, problem=problem) for ref in unshared)
        return self._look(unshared, status)

    def _target(self, status: Status, wish: Wish) -> dict[str, Any]:
        """What the deployment is to be at: what its row pins, or else the current release; if there is one that fits.

        A pin is placed by an execution of its own unless it is there, and was the last thing that was wanted.
        """
        release = self._release(wish)
        if release is None or unfit(release, contract_needed(status)):
            return {"pin": wish.revision}
        behind = release.revision != status.revision_deployed
        if behind and not wish.revision:
            behind = not self._has_the_same(status, release)
        if wish.revision:
            behind |= status.revision_wanted != wish.revision or status.phase is Phase.FAILED
        return {"release": release, "pin": wish.revision, "behind": behind}

    def _has_the_same(self, status: Status, release: Release) -> bool:
        """Whether what is deployed gives a deployment what the release would; not when nobody can tell."""
        if not (release.tenants and status.revision_deployed):
            return False
        with suppress(NotReleasedError):
            return release.gives_the_same(self.pins.release(status.revision_deployed))
        return False

    def _release(self, wish: Wish) -> Release | None:
        """The release for what a row wishes; None before the first one, and while these functions cannot handle it."""
        if not wish.revision:
            return self.perform.copies.current()
        with suppress(NotReleasedError):
            return self.pins.release(wish.revision)
        return None


def _in_place(status: Status) -> tuple[StackRef, ...]:
    """The stacks that there may be where the pipeline deploys."""
    return tuple(ref for ref in to_delete(status) if ref.place in status.places)


def _told(aim: Goal, step: Step) -> Step:
    """A failure as its status tells it; what a move left behind does not fail the deployment that stands elsewhere."""
    if aim is Goal.CLEAR_UP:
        reason = f"it is moved, but what the move left behind could not be deleted: {step.reason}"
        return replace(step, do=Do.SAY_LEFT_BEHIND, reason=reason)
    begin = "the retirement failed: " if aim is Goal.RETIRE else ""
    return replace(step, reason=f"{begin}{step.reason}")
