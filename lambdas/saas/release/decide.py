"""What a run does next: one decision over the run, its rings and the time; pure.

Whatever was decided is written before it is done, and the same question has the same answer: a step that is repeated
goes on where the first one was.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from lambdas.common.clock import moment, stamp
from lambdas.saas.model.runs import Ring, RingState, Run, RunState
from lambdas.saas.model.status import Outcome

APPROVED = "approved"
_OK, _IN_ALARM = "OK", "ALARM"
# How often alarms are looked at while a ring bakes: every minute, or thirty times if that is less often. A history has
# at most 25,000 events. https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html
_LOOKS = 30
_LOOK_SECONDS = 60


class Action(StrEnum):
    """What the state machine does next; of some decisions it learns nothing (`AGAIN`)."""

    APPROVE = "approve"
    ADVANCE = "advance"
    ROLL_BACK = "roll_back"
    WAIT = "wait"
    FINISH = "finish"
    SUPERSEDED = "superseded"
    STOP = "stop"
    AGAIN = "again"


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What was said to a ring that waited for an approval: `approved`, or why not; empty when it was not asked."""

    said: str = ""
    by: str = ""
    comment: str = ""


@dataclass(frozen=True, kw_only=True)
class Done:
    """What the state machine has just done, for which ring, and what was said to it (an approval)."""

    action: str = ""
    ring: int = -1
    answer: Answer = field(default_factory=Answer)

    def is_over(self, action: Action, ring: Ring) -> bool:
        """Whether this was the ring's step of that kind."""
        return (self.action, self.ring) == (action, ring.index)


@dataclass(frozen=True, kw_only=True)
class Move:
    """What is written, and what is done then: `ring` goes to `ring_state` with `facts`, the run to `run_state`."""

    action: Action
    ring: Ring | None = None
    ring_state: RingState | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)
    run_state: RunState | None = None
    reason: str = ""
    seconds: int = 0


def next_move(
    run: Run,
    rings: Sequence[Ring],
    *,
    current: str,
    done: Done,
    now: datetime,
    alarms: Mapping[str, str],
    refusal: str = "",
) -> Move:
    """Decide. `current` is the run in force, `alarms` the states of the ring's alarms (see `to_look_at`).

    `refusal` is why the release cannot be handled; a ring that is under way is brought to its end all the same.
    """
    if run.state == RunState.STOPPED:
        return Move(action=Action.STOP, reason=run.reason)
    if run.state == RunState.SUCCEEDED:
        return Move(action=Action.FINISH)
    if run.state == RunState.SUPERSEDED or current != run.run:
        reason = run.reason or f"run {current} is in force"
        return Move(action=Action.SUPERSEDED, run_state=RunState.SUPERSEDED, reason=reason)
    ring = current_ring(rings)
    if refusal and (ring is None or ring.state == RingState.WAITING):
        return Move(action=Action.STOP, run_state=RunState.STOPPED, reason=refusal)
    if ring is None:
        return Move(action=Action.FINISH, run_state=RunState.SUCCEEDED)
    return _of_ring(ring, done, now, alarms, resumed=bool(run.resumes))


def current_ring(rings: Sequence[Ring]) -> Ring | None:
    """The ring that the run is at; None when all are done."""
    return next((ring for ring in rings if ring.state != RingState.DONE), None)


def to_look_at(ring: Ring | None) -> tuple[str, ...]:
    """The alarms whose states the decision needs: those of a ring that bakes."""
    return ring.alarms if ring and ring.state == RingState.BAKING else ()


def to_roll_back(ring: Ring) -> frozenset[Outcome]:
    """Which of a ring's deployments go back, by their outcomes: those that failed, or all if an alarm fired."""
    failed = frozenset({Outcome.FAILED, Outcome.ROLLING_BACK})
    return failed if ring.overspent else failed | {Outcome.SUCCEEDED}


def _of_ring(ring: Ring, done: Done, now: datetime, alarms: Mapping[str, str], *, resumed: bool) -> Move:
    over = done.is_over
    match RingState(ring.state):
        case RingState.WAITING:
            return _begin(ring, now, resumed=resumed)
        case RingState.APPROVAL:
            return _approved(ring, done)
        case RingState.ADVANCING:
            return _advanced(ring, now) if over(Action.ADVANCE, ring) else Move(action=Action.ADVANCE, ring=ring)
        case RingState.BAKING:
            return _baked(ring, now, alarms)
        case RingState.ROLLING_BACK:
            return _rolled_back(ring) if over(Action.ROLL_BACK, ring) else Move(action=Action.ROLL_BACK, ring=ring)
        case _:
            return Move(action=Action.STOP, run_state=RunState.STOPPED, reason=ring.reason)


def _begin(ring: Ring, now: datetime, *, resumed: bool) -> Move:
    if not ring.total and resumed and ring.alarms:
        # Everybody in it has the release already; that its alarms could not tell may be what stopped the line.
        return Move(action=Action.AGAIN, ring=ring, ring_state=RingState.BAKING, facts={"bake_until": stamp(now)})
    if not ring.total:
        return Move(action=Action.AGAIN, ring=ring, ring_state=RingState.DONE)
    if ring.needs_approval and ring.approval != APPROVED:
        return Move(action=Action.APPROVE, ring=ring, ring_state=RingState.APPROVAL)
    return Move(action=Action.ADVANCE, ring=ring, ring_state=RingState.ADVANCING)


def _approved(ring: Ring, done: Done) -> Move:
    answer = done.answer if done.is_over(Action.APPROVE, ring) else Answer()
    if not answer.said:
        return Move(action=Action.APPROVE, ring=ring)
    facts = {"approval": answer.said, "approval_token": ""}
    if answer.said == APPROVED:
        facts |= {"approved_by": answer.by, "approval_comment": answer.comment}
        return Move(action=Action.ADVANCE, ring=ring, ring_state=RingState.ADVANCING, facts=facts)
    return _fail(ring, f"ring {ring.name} was not approved: {answer.said}", **facts)


def _advanced(ring: Ring, now: datetime) -> Move:
    if ring.overspent:
        # Of what has no outcome nobody knows how it is: the gate takes it for failed.
        lost = f", {ring.lost} came to no outcome" if ring.lost else ""
        reason = f"ring {ring.name}: {ring.failed} of {ring.total} failed{lost}, {ring.allowed_failures} may"
        return Move(action=Action.ROLL_BACK, ring=ring, ring_state=RingState.ROLLING_BACK, facts={"reason": reason})
    until = stamp(now + timedelta(seconds=ring.bake_seconds))
    return Move(action=Action.AGAIN, ring=ring, ring_state=RingState.BAKING, facts={"bake_until": until})


def _baked(ring: Ring, now: datetime, alarms: Mapping[str, str]) -> Move:
    left = _left(ring, now)
    if firing := sorted(name for name in ring.alarms if alarms.get(name) == _IN_ALARM):
        when = "in" if left else "after"
        reason = f"ring {ring.name}: in state ALARM {when} its bake time: {', '.join(firing)}"
        return Move(action=Action.ROLL_BACK, ring=ring, ring_state=RingState.ROLLING_BACK, facts={"reason": reason})
    if left:
        seconds = min(left, max(_LOOK_SECONDS, ring.bake_seconds // _LOOKS)) if ring.alarms else left
        return Move(action=Action.WAIT, ring=ring, seconds=seconds)
    if unknown := sorted(name for name in ring.alarms if alarms.get(name) != _OK):
        said = ", ".join(f"{name} ({alarms.get(name) or 'there is no such alarm'})" for name in unknown)
        return _fail(ring, f"ring {ring.name}: alarms that cannot tell how the ring is: {said}")
    return Move(action=Action.AGAIN, ring=ring, ring_state=RingState.DONE)


def _rolled_back(ring: Ring) -> Move:
    went = f"{ring.rolled_back} rolled back"
    if ring.rollback_failed:
        went += f", of {ring.rollback_failed} the rollback failed"
    return _fail(ring, f"{ring.reason}; {went}")


def _fail(ring: Ring, reason: str, **facts: Any) -> Move:
    return Move(action=Action.AGAIN, ring=ring, ring_state=RingState.FAILED, facts={**facts, "reason": reason})


def _left(ring: Ring, now: datetime) -> int:
    """Whole seconds of the bake time that are left."""
    left = (moment(ring.bake_until) - now).total_seconds()
    return max(0, -int(-left // 1))
