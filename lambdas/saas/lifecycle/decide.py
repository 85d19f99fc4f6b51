"""The next step towards a goal, from the facts: one thing at a time; pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from lambdas.common.clock import moment
from lambdas.common.stack_states import NEVER_STOOD
from lambdas.saas.lifecycle.archive_marks import Archive
from lambdas.saas.lifecycle.facts import Facts, Memory, Pipeline, Stack, may_have_left, warned
from lambdas.saas.lifecycle.goal import Goal, Policy
from lambdas.saas.model.lifecycle import retirement_failed, row_was_amiss
from lambdas.saas.model.stateful import STATEFUL_KINDS, Stateful
from lambdas.saas.model.status import Phase, StackRef, Status

# Waits for an account that cannot be reached, each twice as long as the one before: 7 to 8 minutes in all.
TRIES = 4
FIRST_TRY_SECONDS = 30
POLL_SECONDS = 15
# Somebody else is at work: a build, a release, an execution.
OTHERS_SECONDS = 30

_ENDED_WITHOUT_RESULT = frozenset({"", "Stopped", "Cancelled", "Superseded"})


class Do(StrEnum):
    """What a step does."""

    WAIT = "wait"
    LEAVE = "give the claim back, and end"
    REST = "give the claim back, and wait"
    DISABLE = "disable the pipeline"
    ENABLE = "enable the pipeline"
    STOP = "stop an execution"
    START = "bring back with the current release"
    ARCHIVE = "archive"
    DELETE = "delete a stack"
    WARN = "give stacks up"
    SAY_RETIRING = "say retiring"
    SAY_SUSPENDED = "say suspended"
    MAKE_ANEW = "start the pipeline anew"
    SAY_NOTHING_BROKEN = "say that nothing is in the way"
    SAY_BACK = "say brought back"
    SAY_UNPROVISIONED = "say that a build is needed"
    SAY_MOVED = "say moved"
    SAY_LEFT_BEHIND = "say what the move left behind"
    SAY_RETIRED = "say retired"
    SAY_FAILED = "say failed"


@dataclass(frozen=True, kw_only=True)
class Step:
    """One step: what it does, on what, and how long to wait after it."""

    do: Do
    seconds: int = 1
    reason: str = ""
    phase: Phase | None = None
    retry: bool = False
    execution_id: str = ""
    ref: StackRef | None = None
    stateful: Stateful | None = None
    stacks: tuple[Stack, ...] = ()
    until: datetime | None = None
    another_try: bool = False


@dataclass(frozen=True, kw_only=True)
class Case:
    """A deployment before a step: its status, the facts, the machine's memory, the time and the policy.

    `started` (a stamp) is when the machine began.
    """

    status: Status
    facts: Facts
    memory: Memory
    now: datetime
    policy: Policy
    started: str

    def archive(self, ref: StackRef, stateful: Stateful) -> Archive:
        """The archive that something stateful must have now, before its stack is deleted."""
        return Archive(ref=ref, stateful=stateful, status=self.status, started=self.started, now=self.now)


def next_step(goal: Goal, case: Case) -> Step:
    """Tell the next step towards a goal other than NOTHING."""
    match goal:
        case Goal.SUSPEND:
            return _suspend(case)
        case Goal.BRING_BACK:
            return _bring_back(case)
        case Goal.CLEAR_UP:
            return _clear_up(case)
        case Goal.MAKE_ANEW:
            return _make_anew(case)
        case _:
            return _retire(case)


def is_due(status: Status, now: datetime) -> bool:
    """Whether a retiring deployment's grace period is over."""
    return status.phase is Phase.RETIRING and bool(status.retire_after) and now >= moment(status.retire_after)


def _suspend(case: Case) -> Step:
    """Say it first: a row that is changed between the two then brings back what was disabled."""
    if case.status.phase is not Phase.SUSPENDED or row_was_amiss(case.status):
        stays = "what is deployed stays" if may_have_left(case.status) else "nothing is deployed"
        return Step(do=Do.SAY_SUSPENDED, reason=f"its row asks for it: no release reaches it, {stays}")
    pipeline = case.facts.pipeline
    if pipeline.exists and pipeline.enabled:
        return Step(do=Do.DISABLE, reason="suspended by its row")
    return Step(do=Do.LEAVE)


def _bring_back(case: Case) -> Step:
    facts, pipeline = case.facts, case.facts.pipeline
    components = _seen(facts.components)
    if any(stack.busy for stack in (*components, *_seen(facts.pipeline_stacks))) or pipeline.stopping:
        return Step(do=Do.WAIT, seconds=POLL_SECONDS)
    if not pipeline.exists:
        return Step(
            do=Do.SAY_UNPROVISIONED, reason="its row asks for it, and its pipeline is gone: a build makes it again"
        )
    if not pipeline.enabled:
        return Step(do=Do.ENABLE)
    lost = any(stack.gone for stack in components)
    if facts.behind or lost or (pipeline.newest in _ENDED_WITHOUT_RESULT and not pipeline.running):
        return Step(do=Do.START, phase=Phase.UPDATING)
    return _say_back(pipeline)


def _say_back(pipeline: Pipeline) -> Step:
    if pipeline.running:
        return Step(do=Do.SAY_BACK, phase=Phase.UPDATING)
    if pipeline.newest == "Succeeded":
        return Step(do=Do.SAY_BACK, phase=Phase.ACTIVE)
    return Step(do=Do.SAY_BACK, phase=Phase.FAILED, reason="it is back; the newest execution of its pipeline failed")


def _clear_up(case: Case) -> Step:
    status = case.status
    if not _arrived(status, case.facts.pipeline):
        # Of one that is active, the watch begins anew when its pipeline comes to something.
        waits = status.phase is Phase.MOVING
        return Step(do=Do.REST, seconds=OTHERS_SECONDS) if waits else Step(do=Do.LEAVE)
    left = [stack for stack in _seen(case.facts.components) if not stack.gone]
    if not left:
        return Step(do=Do.SAY_MOVED)
    # Nothing is given up while the deployment lives; one that is active has been told, and holds nobody up.
    patient = status.phase is Phase.MOVING and case.memory.tries < TRIES
    problems = "; ".join(f"stack {stack.ref.stack_id}: {stack.problem}" for stack in left)
    given_up = _try_again(case) if patient else Step(do=Do.SAY_FAILED, reason=problems)
    return _delete_one_of(left, case) or given_up


def _make_anew(case: Case) -> Step:
    """Delete what takes no update, for it never stood and holds nothing, and have the pipeline create it again.

    Somebody has to ask for that a second time: what fails twice has a cause.
    """
    pipeline, stacks = case.facts.pipeline, _seen(case.facts.components)
    if not pipeline.exists or pipeline.running or pipeline.stopping or case.memory.announced:
        return Step(do=Do.LEAVE)
    if any(stack.busy for stack in stacks):
        return Step(do=Do.WAIT, seconds=POLL_SECONDS)
    broken = next((stack for stack in stacks if stack.status == NEVER_STOOD), None)
    if broken:
        return Step(do=Do.DELETE, ref=broken.ref, seconds=POLL_SECONDS)
    asked = [stack for stack in stacks if stack.ref.stack_id in case.memory.asked]
    failed = next((stack for stack in asked if not stack.gone), None)
    if failed:
        why = failed.failure or failed.problem or failed.status
        return Step(do=Do.SAY_FAILED, reason=f"{case.status.reason}; its stack cannot be deleted: {why}")
    return Step(do=Do.MAKE_ANEW if asked or case.status.first_failure else Do.SAY_NOTHING_BROKEN)


def _arrived(status: Status, pipeline: Pipeline) -> bool:
    """Whether the component is deployed in the places that the pipeline was provisioned for, and all is quiet."""
    here = bool(status.placed) and {ref.place for ref in status.component_stacks} == set(status.places)
    quiet = not pipeline.running and not pipeline.stopping and pipeline.newest == "Succeeded"
    return here and quiet


def _retire(case: Case) -> Step:
    status, facts = case.status, case.facts
    if status.phase is not Phase.RETIRING or not status.retire_after or row_was_amiss(status):
        return _announce(case)
    if step := _quiet(facts.pipeline):
        return step
    if not is_due(status, case.now):
        if not case.memory.announced:
            # Another machine waits. If that has died, the sweep starts one when the time has come.
            return Step(do=Do.LEAVE)
        left = moment(status.retire_after) - case.now
        return Step(do=Do.REST, seconds=max(1, -(-left // timedelta(seconds=1))))
    return (
        _delete(_seen(facts.components), case)
        or _delete(_seen(facts.pipeline_stacks), case)
        or _delete(_seen(facts.support), case)
        or Step(do=Do.SAY_RETIRED)
    )


def _announce(case: Case) -> Step:
    """Begin the grace period, or go on with the one that began; nothing to lose needs none."""
    began = case.status.phase is Phase.RETIRING and case.status.retire_after
    if began or retirement_failed(case.status):
        return Step(do=Do.SAY_RETIRING, until=moment(case.status.retire_after))
    grace = case.policy.grace if may_have_left(case.status) else timedelta()
    return Step(do=Do.SAY_RETIRING, until=case.now + grace)


def _quiet(pipeline: Pipeline) -> Step | None:
    if not pipeline.exists:
        return None
    if pipeline.enabled:
        return Step(do=Do.DISABLE, reason="retired by its row")
    if pipeline.running:
        return Step(do=Do.STOP, execution_id=pipeline.running[0], reason="the deployment is being retired")
    return Step(do=Do.WAIT, seconds=POLL_SECONDS) if pipeline.stopping else None


def _delete(stacks: Sequence[Stack], case: Case) -> Step | None:
    """Delete the first stack that is there; None when all are gone, or were given up."""
    left = [stack for stack in stacks if not stack.gone and not warned(stack.ref, case.status)]
    if not left:
        return None
    if step := _delete_one_of(left, case):
        return step
    if case.memory.tries < TRIES:
        return _try_again(case)
    strangers = tuple(stack for stack in left if stack.ref.kind == "component")
    if strangers:
        return Step(do=Do.WARN, stacks=strangers)
    # The toolchain's own account is there: what is amiss can be put right.
    return Step(do=Do.SAY_FAILED, reason=left[0].problem, retry=True)


def _delete_one_of(left: Sequence[Stack], case: Case) -> Step | None:
    """Delete the first stack that can be reached, if any can."""
    reached = next((stack for stack in left if not stack.problem), None)
    return _delete_one(reached, case) if reached else None


def _try_again(case: Case) -> Step:
    return Step(do=Do.WAIT, seconds=FIRST_TRY_SECONDS << case.memory.tries, another_try=True)


def _seen(stacks: tuple[Stack, ...] | None) -> tuple[Stack, ...]:
    """Stacks that were looked at.

    Raises:
        LookupError: they were not: what is not known is not taken for gone.
    """
    if stacks is None:
        raise LookupError("the stacks were not looked at")
    return stacks


def _delete_one(stack: Stack, case: Case) -> Step:
    if stack.busy:
        return Step(do=Do.WAIT, seconds=POLL_SECONDS)
    if stack.status == "DELETE_FAILED" and stack.ref.stack_id in case.memory.asked:
        reason = f"stack {stack.ref.stack_id} could not be deleted: {stack.failure or 'CloudFormation gives no reason'}"
        return Step(do=Do.SAY_FAILED, reason=reason, retry=True)
    return _keep(stack, case) or Step(do=Do.DELETE, ref=stack.ref, seconds=POLL_SECONDS)


def _keep(stack: Stack, case: Case) -> Step | None:
    """Archive what is stateful in a stack; None when nothing is, or all of it is kept."""
    if not case.policy.archives:
        return None
    for stateful in stack.stateful:
        if stateful.kind not in STATEFUL_KINDS or not stateful.name:
            kinds = ", ".join(sorted(STATEFUL_KINDS))
            reason = (
                f"stack {stack.ref.stack_id} declares {stateful.kind}:{stateful.name} stateful, which cannot be "
                f"archived: use one of {kinds}, or archive it yourself and set lifecycle.archive to none"
            )
            return Step(do=Do.SAY_FAILED, reason=reason)
        if not case.archive(stack.ref, stateful).taken:
            return Step(do=Do.ARCHIVE, ref=stack.ref, stateful=stateful)
    return None
