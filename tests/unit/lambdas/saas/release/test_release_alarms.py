"""Bake times and alarms of rings."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from lambdas.saas.model.rings import RingPolicy
from lambdas.saas.model.runs import RingState, RunState
from tests.unit.lambdas.saas.release.world import (
    OLD,
    POLICY,
    Machine,
    World,
    drive,
    drive_once,
    release_of,
)

FLEET = tuple(f"t{number}" for number in range(10))


@pytest.fixture
def world() -> World:
    world = World()
    world.settle(*FLEET)
    return world


def machine(world: World, number: int = 1, *, name: str = "", resumes: str = "") -> Machine:
    return Machine(world, name or f"run{number}", release_of(number), resumes=resumes)


def bakes(world: World, work: Machine) -> dict[str, Any]:
    """Let the run go on until a ring bakes; answers the machine's move."""
    for _ in range(50):
        if work.move and work.move["action"] == "wait":
            return work.move
        drive_once(world, work)
    raise AssertionError(f"nothing bakes: {work.move}")


def in_ring(world: World, run: str, index: int) -> list[str]:
    return [item.id for item in world.shelf.objects[world.rings(run)[index].items]]


def test_an_alarm_takes_a_whole_ring_back(world: World) -> None:
    """Given an alarm fires while the canary bakes, then the canary goes back although it had succeeded."""
    canary, *others = POLICY.rings
    world.policy = replace(POLICY, rings=(replace(canary, bake_minutes=10, alarms=("errors",)), *others))
    world.alarms.known = {"errors": "ALARM"}
    work = machine(world)
    drive(world, work)
    (ring, *_) = world.rings("run1")
    assert (ring.succeeded, ring.rolled_back, ring.state) == (1, 1, RingState.FAILED)
    assert "in state ALARM in its bake time: errors" in world.run("run1").reason
    assert {status.revision_deployed for status in world.statuses.items.values()} == {OLD}


def test_alarms_are_looked_at_while_a_ring_bakes(world: World) -> None:
    """Given an alarm that fires in the bake time, then the ring goes back, and does not wait for its end."""
    canary, *others = POLICY.rings
    world.policy = replace(POLICY, rings=(replace(canary, bake_minutes=10, alarms=("errors",)), *others))
    world.alarms.known = {"errors": "INSUFFICIENT_DATA"}
    work = machine(world)
    assert bakes(world, work)["seconds"] == 60
    began = world.clock()
    world.alarms.known = {"errors": "ALARM"}
    drive(world, work)
    assert world.rings("run1")[0].rolled_back == 1
    assert world.clock() - began < timedelta(minutes=2)


def test_without_alarms_a_ring_bakes_in_one_go(world: World) -> None:
    canary, *others = POLICY.rings
    world.policy = replace(POLICY, rings=(replace(canary, bake_minutes=10), *others))
    work = machine(world)
    assert bakes(world, work)["seconds"] == 600


def test_an_alarm_takes_back_what_an_earlier_run_has_brought_to_the_ring(world: World) -> None:
    """Given a ring that a resumed run has completed, when its alarm fires, then all of the ring goes back."""
    world.policy = replace(POLICY, rings=(RingPolicy(name="all", concurrency=1, alarms=("errors",)),))
    world.alarms.known = {"errors": "OK"}
    first = machine(world)
    first.step()
    *_, last = in_ring(world, "run1", 0)
    drive(world, first, fails=frozenset({last}))
    assert world.run("run1").state == RunState.STOPPED
    world.alarms.known = {"errors": "ALARM"}
    drive(world, machine(world, name="run1-again", resumes="run1"))
    (ring,) = world.rings("run1-again")
    assert (ring.total, ring.rolled_back) == (1, len(FLEET))
    assert {status.revision_deployed for status in world.statuses.items.values()} == {OLD}


def test_an_earlier_run_that_cannot_be_read_holds_up_no_rollback(world: World) -> None:
    """Given a resumed run, when the one before it is spoilt and an alarm fires, then what the run took goes back."""
    world.policy = replace(POLICY, rings=(RingPolicy(name="all", concurrency=1, alarms=("errors",)),))
    world.alarms.known = {"errors": "OK"}
    first = machine(world)
    first.step()
    *_, last = in_ring(world, "run1", 0)
    drive(world, first, fails=frozenset({last}))
    again = machine(world, name="run1-again", resumes="run1")
    again.step()
    world.runs.unreadable = {"run1"}
    world.alarms.known = {"errors": "ALARM"}
    drive(world, again)
    (ring,) = world.rings("run1-again")
    assert (ring.total, ring.rolled_back, world.run("run1-again").state) == (1, 1, RunState.STOPPED)


@pytest.mark.parametrize("known", [{}, {"errors": "INSUFFICIENT_DATA"}])
def test_an_alarm_that_cannot_tell_stops_the_line(world: World, known: dict[str, str]) -> None:
    canary, *others = POLICY.rings
    world.policy = replace(POLICY, rings=(replace(canary, alarms=("errors",)), *others))
    world.alarms.known = known
    drive(world, machine(world))
    (ring, *_) = world.rings("run1")
    assert (world.run("run1").state, ring.rolled_back) == (RunState.STOPPED, 0)
    assert "alarms that cannot tell how the ring is: errors" in world.run("run1").reason


@pytest.mark.parametrize(
    ("later", "state", "reason"),
    [
        ("OK", RunState.SUCCEEDED, ""),
        ("INSUFFICIENT_DATA", RunState.STOPPED, "cannot tell"),
        ("ALARM", RunState.STOPPED, "in state ALARM"),
    ],
)
def test_resuming_is_no_way_round_an_alarm(world: World, later: str, state: RunState, reason: str) -> None:
    """Given a line that an alarm stopped which could not tell, when it is resumed, then the alarm is looked at again,
    although everybody in its ring has the release already."""
    canary, *others = POLICY.rings
    world.policy = replace(POLICY, rings=(replace(canary, alarms=("errors",)), *others))
    drive(world, machine(world))
    world.alarms.known = {"errors": later}
    drive(world, machine(world, name="run1-again", resumes="run1"))
    run = world.run("run1-again")
    assert (run.state, world.rings("run1-again")[0].total) == (state, 0)
    assert reason in run.reason
    stayed = [status for status in world.statuses.items.values() if status.revision_deployed == OLD]
    assert len(stayed) == {"OK": 0, "INSUFFICIENT_DATA": len(FLEET) - 1, "ALARM": len(FLEET)}[later]


def test_a_run_that_was_found_good_is_not_taken_back(world: World) -> None:
    """Given a release that SUCCEEDED with a failure, when it is resumed and an alarm fires, then only what is new goes
    back."""
    world.policy = replace(POLICY, rings=(RingPolicy(name="all", concurrency=1, max_failures=1, alarms=("errors",)),))
    world.alarms.known = {"errors": "OK"}
    first = machine(world)
    first.step()
    *_, last = in_ring(world, "run1", 0)
    drive(world, first, fails=frozenset({last}))
    assert world.run("run1").state == RunState.SUCCEEDED
    world.alarms.known = {"errors": "ALARM"}
    drive(world, machine(world, name="run1-again", resumes="run1"))
    (ring,) = world.rings("run1-again")
    assert (ring.total, ring.rolled_back, world.run("run1-again").state) == (1, 1, RunState.STOPPED)
    old = [status.id for status in world.statuses.items.values() if status.revision_deployed == OLD]
    assert old == [last]
