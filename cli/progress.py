"""How far a run has come, as people see it; pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from cli.exits import Exit
from lambdas.common.runs import Ring, RingState, Run, RunState

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
        return f"{self.id} ({self.ring}) {self.outcome}: {self.reason or 'without a reason'}"


@dataclass(frozen=True, kw_only=True)
class Sight:
    """One look at a run; `run` is None until the machine has planned it."""

    name: str
    run: Run | None
    rings: Sequence[Ring] = ()
    failures: Sequence[Failure] = ()

    @property
    def over(self) -> bool:
        return self.run is not None and self.run.state != RunState.RUNNING

    @property
    def exit(self) -> Exit:
        """What the run came to, for scripts; a run that goes on is well."""
        stopped = self.run is not None and self.run.state in (RunState.STOPPED, RunState.SUPERSEDED)
        return Exit.WRONG if stopped else Exit.OK

    def failed_count(self) -> int:
        """How many failures the rings count; those there are reasons for are read when it changes."""
        return sum(ring.failed + ring.rolled_back + ring.rollback_failed for ring in self.rings)

    def document(self) -> dict[str, Any]:
        """What --json tells."""
        rings = [{name: value for name, value in asdict(ring).items() if name not in _SECRET} for ring in self.rings]
        return {
            "run": self.name,
            "state": self.run.state if self.run else "STARTING",
            "details": asdict(self.run) if self.run else None,
            "rings": rings,
            "failures": [asdict(failure) for failure in self.failures],
        }


def counts(ring: Ring) -> str:
    """The counts of a ring that are not zero, in words."""
    told = [f"{getattr(ring, name)} {name.replace('_', ' ')}" for name in _COUNTS if getattr(ring, name)]
    return ", ".join(told)


def headline(sight: Sight) -> str:
    """Where the run stands, in a line."""
    run = sight.run
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


def next_step(sight: Sight) -> str:
    """What a person has to do now; empty when nothing."""
    waiting = [ring for ring in sight.rings if ring.state == RingState.APPROVAL]
    if waiting and not sight.over:
        return f"ring {waiting[0].name} waits for an approval: `granary approve` or `granary reject`"
    if sight.run and sight.run.state == RunState.STOPPED:
        return f"stopped: {sight.run.reason}; remove the cause, then `granary resume`, or publish a newer release"
    if sight.run and sight.run.state == RunState.SUPERSEDED:
        return "a newer release took over: `granary release` follows it"
    return ""


def lines(sight: Sight) -> list[str]:
    """The whole sight in lines."""
    told = [headline(sight), *map(ring_line, sight.rings), *(failure.line() for failure in sight.failures)]
    if sight.run and sight.run.skipped_names:
        told += [f"skipped {name}" for name in sight.run.skipped_names]
    step = next_step(sight)
    return [*told, step] if step else told
