"""Pins under every order of pinning, unpinning, releases, rollbacks, rounds of the sweep, and failures."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from lambdas.saas.model.eligible import is_there
from lambdas.saas.model.runs import RunState
from lambdas.saas.model.status import BAD_OUTCOMES, Phase, Status
from tests.examples import examples
from tests.unit.lambdas.saas.pin_world import PinWorld
from tests.unit.lambdas.saas.release.world import release_of

NAMES = ("t0", "t1", "t2", "t3")
REVISIONS = tuple(release_of(number).revision for number in range(4))
_PUBLISHED = 3
Act = Callable[[], object]


def acts(it: PinWorld) -> list[Act]:
    """Everything that may happen now."""
    world = it.world
    found: list[Act] = [it.sweep, partial(world.clock.pass_time, seconds=40)]
    for name in (*NAMES, "new"):
        found += [partial(it.put, name), partial(it.put, name, "nowhere")]
        found += [partial(it.put, name, revision, seconds=seconds) for revision in REVISIONS for seconds in (0, 60)]
    # What moves tenants happens more often than people change their minds.
    for _ in range(4):
        found += [partial(it.step_machine, index) for index in range(len(it.machines))]
        found += [it.build] if it.builds.waiting else []
        for pipeline, one in world.histories.running():
            found += [partial(_ends, it, pipeline, one.id, end) for end in ("Succeeded", "Succeeded", "Failed")]
        found += [partial(world.look, name) for name in world.statuses.items]
        for machine in it.releases:
            found.append(machine.take_answers)
            found += [machine.step] * 3 if machine.may_step else []
            found += [machine.begin_item] * 3 if machine.may_begin else []
    if len({machine.release.revision for machine in it.releases}) < _PUBLISHED:
        found.append(it.publish)
    return found


def _ends(it: PinWorld, pipeline: str, execution_id: str, status: str) -> None:
    it.world.histories.finish(pipeline, execution_id, status)


def settle(it: PinWorld, *, rounds: int = 60) -> None:
    """Let everything come to its end, with rounds of the sweep between; from now on every pipeline succeeds."""
    quiet = 0
    for _ in range(rounds):
        it.sweep()
        quiet = quiet + 1 if not _let_go_on(it) else 0
        while _let_go_on(it):
            pass
        if quiet > 2:
            return
    raise AssertionError(f"no end: {it.world.statuses.items} {it.machines} {[m.move for m in it.releases]}")


def _let_go_on(it: PinWorld) -> bool:
    world, busy = it.world, False
    for machine in it.releases:
        machine.take_answers()
        while machine.may_step and not machine.ended:
            machine.step()
            busy = True
        while machine.may_begin:
            machine.begin_item()
            busy = True
    while it.builds.waiting:
        it.build()
        busy = True
    for _ in range(len(it.machines)):
        it.step_machine()
        busy = True
    for pipeline, one in world.histories.running():
        _ends(it, pipeline, one.id, "Succeeded")
        busy = True
    for name in world.statuses.items:
        world.look(name)
    return busy


@settings(max_examples=examples(200), deadline=None)
@given(length=st.integers(0, 250), chance=st.randoms(use_true_random=False))
def test_no_tenant_ends_elsewhere_than_its_pin_nor_stays_behind_after(length: int, chance: Random) -> None:
    it = PinWorld()
    it.settle_in(*NAMES)
    for _ in range(length):
        chance.choice(acts(it))()
    settle(it)
    assert not it.wrong
    for name, status in it.world.statuses.items.items():
        assert not status.claimed_by, status
        if it.pin(name) == "nowhere":
            assert status.phase is Phase.INVALID, status
        elif pin := it.pin(name):
            is_at(status, pin)
        else:
            _has_caught_up(it, status)


def is_at(status: Status, pin: str) -> None:
    """At its pin; or its own pipeline has failed there, which a person reads. What never stood was not placed."""
    assert status.pinned == pin or not (status.pinned or status.revision_deployed), status
    if status.phase is not Phase.FAILED:
        assert is_there(status, pin), status
    assert status.revision_wanted == pin, status


def _has_caught_up(it: PinWorld, status: Status) -> None:
    """At the release that is through; or it has failed in it since it was last pinned."""
    run = it.world.runs.run(it.world.runs.current())
    if run is None or run.state != RunState.SUCCEEDED or is_there(status, run.revision):
        return
    assert not status.pinned, status
    failed = status.release_outcome in BAD_OUTCOMES or status.phase is Phase.FAILED
    assert failed, (status, run)
