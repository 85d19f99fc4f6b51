"""How far a run has come, as people see it; pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from cli.common.exits import Exit
from lambdas.common.written import cut
from lambdas.saas.model.runs import BROKEN, Ring, RingState, Run, RunState

# Whoever has a token can answer for a person.
_SECRET = frozenset({"approval_token"})
_COUNTS = ("succeeded", "failed", "held", "skipped", "rolled_back", "rollback_failed")


@dataclass(frozen=True, kw_only=True)
class Failure:
    """A deployment that the release failed at."""

    id: str
    ring: str
    outcome: str
    reason: str

    def line(self) -> str:
        return f"{cut(self.id)} ({cut(self.ring)}) {self.outcome}: {self.reason or 'without a reason'}"


@dataclass(frozen=True, kw_only=True)
class Sight:
    """One look at a run; `run` is None until the machine has planned it, and `execution` is the status of that till
    then. `in_force` is told of a run that is over: another one may be.
    """

    name: str
    run: Run | None
    rings: Sequence[Ring] = ()
    failures: Sequence[Failure] = ()
    execution: str = ""
    in_force: bool = True

    @property
    def over(self) -> bool:
        if self.run is None:
            return self.broken
        return self.run.state != RunState.RUNNING

    @property
    def broken(self) -> bool:
        """Whether the run's execution is over before the run was planned."""
        return self.run is None and self.execution in BROKEN

    @property
    def exit(self) -> Exit:
        """What the run came to, for scripts; a run that goes on is well."""
        stopped = self.run is not None and self.run.state in (RunState.STOPPED, RunState.SUPERSEDED)
        return Exit.WRONG if stopped or self.broken else Exit.OK

    def failed_count(self) -> int:
        """How many failures the rings count; those there are reasons for are read when it changes."""
        return sum(ring.failed + ring.rolled_back + ring.rollback_failed for ring in self.rings)

    def document(self) -> dict[str, Any]:
        """What --json tells."""
        rings = [{name: value for name, value in asdict(ring).items() if name not in _SECRET} for ring in self.rings]
        return {
            "run": self.name,
            "state": self.run.state if self.run else self.execution if self.broken else "STARTING",
            "details": asdict(self.run) if self.run else None,
            "rings": rings,
            "failures": [asdict(failure) for failure in self.failures],
            "next_step": next_step(self),
        }


def counts(ring: Ring) -> str:
    """The counts of a ring that are not zero, in words."""
    told = [f"{getattr(ring, name)} {name.replace('_', ' ')}" for name in _COUNTS if getattr(ring, name)]
    return ", ".join([*told, f"{len(ring.vanished)} vanished"] if ring.vanished else told)


def headline(sight: Sight) -> str:
    """Where the run stands, in a line."""
    run = sight.run
    if sight.broken:
        return f"run {sight.name} came to nothing: its execution is {sight.execution}, and it was not planned"
    if run is None:
        return f"run {sight.name} is being planned"
    done = sum(ring.done for ring in sight.rings)
    text = f"release {run.revision}, run {run.run}: {run.state}, {done} of {run.deployments} deployments"
    return f"{text}, {run.skipped} skipped" if run.skipped else text


def ring_line(ring: Ring) -> str:
    """Where a ring stands, in a line."""
    told = f", {counts(ring)}" if counts(ring) else ""
    reason = f": {ring.reason}" if ring.reason else ""
    return f"ring {ring.name}: {ring.state}, {ring.done} of {ring.total}{told}{reason}"


def approvals(sight: Sight) -> list[str]:
    """Who approved which ring and why, a line each."""
    return [_approval(ring) for ring in sight.rings if ring.approved_by]


def _approval(ring: Ring) -> str:
    comment = " ".join(ring.approval_comment.split())
    return f"ring {ring.name} was approved by {ring.approved_by}{f': {comment}' if comment else ''}"


def next_step(sight: Sight) -> str:
    """What a person has to do now; empty when nothing."""
    waiting = [ring for ring in sight.rings if ring.state == RingState.APPROVAL]
    if waiting and not sight.over:
        return f"ring {waiting[0].name} waits for an approval: `granary approve` or `granary reject`"
    if sight.broken:
        return _after_nothing(sight)
    if sight.run and sight.run.state == RunState.STOPPED:
        again = "granary resume" if sight.in_force or sight.run.resumes else "granary release"
        return f"stopped: {sight.run.reason}; remove the cause, then `{again}`, or publish a newer release"
    if sight.run and sight.run.state == RunState.SUPERSEDED:
        return f"superseded: {sight.run.reason or 'another run took over'}; `granary release` follows the one in force"
    if sight.run and sight.run.state == RunState.SUCCEEDED and sight.failures:
        return "some failed within the budget: remove the causes, then `granary resume`"
    return ""


def _started_nothing(run: Run) -> list[str]:
    same = f"it changes no tenant, for they have the same of run {run.same_as}: nothing is started"
    return [same] if run.same_as else []


def _after_nothing(sight: Sight) -> str:
    if sight.in_force:
        return "within minutes the sweep says so of the run; then `granary resume` goes on with it"
    return "look at its execution, then run the same command again: it starts a run of the next name"


def _skipped(run: Run) -> list[str]:
    told = [f"skipped {name}" for name in run.skipped_names]
    more = run.skipped - len(run.skipped_names)
    where = f": {run.skipped_list} in the releases bucket has all" if run.skipped_list else ""
    return [*told, f"skipped {more} more{where}"] if more > 0 else told


def lines(sight: Sight) -> list[str]:
    """The whole sight in lines."""
    failures = [failure.line() for failure in sight.failures]
    told = [headline(sight), *map(ring_line, sight.rings), *approvals(sight), *failures]
    if sight.run:
        told += [*_started_nothing(sight.run), *_skipped(sight.run)]
    step = next_step(sight)
    return [*told, step] if step else told
