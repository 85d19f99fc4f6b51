"""From one step of a run to the next: reads where it stands, has it decided, writes and answers."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from itertools import takewhile

from lambdas.common.errors import GranaryError
from lambdas.common.isolation import contained
from lambdas.saas.model.contract import mismatch
from lambdas.saas.model.lineage import in_force, lineage
from lambdas.saas.model.releases import Release
from lambdas.saas.model.rings import Item
from lambdas.saas.model.runs import Ring, RingState, Run, RunState, items_key
from lambdas.saas.model.status import Outcome, sort_out
from lambdas.saas.release.alarms import Alarms
from lambdas.saas.release.decide import Action, Done, Move, current_ring, next_move, to_look_at, to_roll_back
from lambdas.saas.release.shelf import Shelf
from lambdas.saas.store.release_statuses import ReleaseStatuses
from lambdas.saas.store.runs_table import Runs
from lambdas.saas.store.verdicts import Verdicts

logger = logging.getLogger(__name__)

# Rings without deployments are passed in one step, and each takes a few decisions: more than any configuration has.
_DECISIONS_LIMIT = 200


@dataclass(frozen=True, kw_only=True)
class Progress:
    """One step of a run: reads, has it decided, writes, and answers what the state machine does next."""

    runs: Runs
    statuses: ReleaseStatuses
    shelf: Shelf
    alarms: Alarms
    verdicts: Verdicts
    clock: Callable[[], datetime]

    def next(self, run: str, done: Done) -> dict[str, object]:
        """Take the run on until the state machine has something to do, and answer what.

        Raises:
            GranaryError: there is no such run.
        """
        for _ in range(_DECISIONS_LIMIT):
            known = self.runs.run(run)
            if known is None:
                raise GranaryError(f"run {run} is not known: it did not begin")
            move, now = self._decide(known, done)
            if not self._write(known, move, now):
                continue  # somebody was faster: what is there now decides
            if move.action is Action.FINISH:
                self._make_current(known)
            if move.action is Action.ROLL_BACK and move.ring and not self._list_for_rollback(move.ring):
                done = Done(action=Action.ROLL_BACK, ring=move.ring.index)
            elif move.action is not Action.AGAIN:
                logger.info("run %s: %s %s", run, move.action, move.reason)
                return _answer(run, move)
        raise GranaryError(f"run {run} comes to no end: look at its rings in the releases table")

    def _decide(self, run: Run, done: Done) -> tuple[Move, datetime]:
        rings = self.runs.rings(run)
        now = self.clock()
        ring, release = current_ring(rings), self.runs.release(run.revision)
        names = to_look_at(ring)
        states = self.alarms.states(names) if names else {}
        refusal, current = self._refusal(release, ring) if release else "", self.runs.current()
        move = next_move(run, rings, current=current, done=done, now=now, alarms=states, refusal=refusal)
        return move, now

    def _refusal(self, release: Release, ring: Ring | None) -> str:
        """Why the release cannot be handled, or not begin its next ring: nobody there gets what nobody has survived."""
        if (refusal := mismatch(release)) or ring is None or ring.state != RingState.WAITING or not ring.total:
            return refusal
        return self.verdicts.why_not_survived(release, rings=ring.demands) if ring.demands else ""

    def _write(self, run: Run, move: Move, now: datetime) -> bool:
        if move.ring and move.ring_state:
            return self.runs.turn(move.ring, to=move.ring_state, now=now, **move.facts)
        if move.run_state and move.run_state != run.state:
            return self.runs.end(run.run, state=move.run_state, reason=move.reason, now=now)
        return True

    def _make_current(self, run: Run) -> None:
        """Say which release new tenants get, after the run's end was written; a step that is repeated says it again.

        A parameter knows no conditional write: if a newer run has come into force and succeeded meanwhile, its release
        was overwritten, and is written again.
        """
        said = ""
        while said != (best := self._newest_that_succeeded(run)).revision:
            said = best.revision
            if release := self.runs.release(said):
                self.shelf.make_current(release)

    def _newest_that_succeeded(self, run: Run) -> Run:
        newest = in_force(self.runs)
        return newest if newest and newest.state == RunState.SUCCEEDED else run

    def _list_for_rollback(self, ring: Ring) -> list[Item]:
        goes_on_with = self._stopped_before(ring.run)
        outcomes = to_roll_back(ring)
        statuses, unreadable = sort_out(self.statuses.all())
        for one in unreadable.values():
            logger.error("run %s: whether to roll it back cannot be told: %s", ring.run, one)
        items = [
            Item(id=status.id, type=status.type)
            for status in statuses.values()
            if status.release_ring == ring.name
            and (
                (status.release_run == ring.run and status.release_outcome in outcomes)
                # What an earlier run, which was stopped, has brought to this release is a part of the ring.
                or (status.release_run in goes_on_with and status.release_outcome in outcomes & {Outcome.SUCCEEDED})
            )
            and (status.revision_before or status.release_execution_id)  # else nothing of the release has reached it
        ]
        if items:
            self.shelf.put_items(items_key(ring.run, ring.index, back=True), items)
        return items

    def _stopped_before(self, name: str) -> frozenset[str]:
        """The stopped runs that a run goes on with; one that succeeded was found good, and so what came before it."""
        stopped: set[str] = set()
        # One that cannot be read holds up no rollback: of what came before it, nothing is known.
        with contained(f"run {name}: the runs that it goes on with", run=name):
            run = self.runs.run(name)
            older = (self.runs.run(one) for one in lineage(self.runs, run)[1:]) if run else ()
            stopped.update(
                one.run for one in takewhile(lambda one: one and one.state == RunState.STOPPED, older) if one
            )
        return frozenset(stopped)


def _answer(run: str, move: Move) -> dict[str, object]:
    ring = move.ring or Ring(
        run=run, index=-1, name="", state="", total=0, concurrency=1, allowed_failures=0, bake_seconds=0
    )
    key = items_key(run, ring.index, back=True) if move.action is Action.ROLL_BACK else ring.items
    return {
        "action": str(move.action),
        "ring": ring.index,
        "concurrency": ring.concurrency,
        "items_key": key,
        "seconds": move.seconds,
        "reason": move.reason,
        "answer": {},
    }
