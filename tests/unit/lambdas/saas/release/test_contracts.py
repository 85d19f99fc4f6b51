"""Releases whose contract the functions do not speak: what waits, what is refused, and that nothing is touched."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lambdas.saas.model import contract
from lambdas.saas.model.contract import CONTRACT
from lambdas.saas.model.runs import RingState, RunState
from lambdas.saas.model.status import Outcome, Phase
from tests.unit.lambdas.saas.release.world import OLD, Machine, World, drive, release_of

NEWER = replace(release_of(1), contract=CONTRACT + 1)
FLEET = ("t0", "t1", "t2")


@pytest.fixture
def world() -> World:
    world = World()
    world.settle(*FLEET)
    world.shelf.publish(NEWER)
    return world


def test_a_release_that_needs_newer_functions_is_stopped_before_anybody_is_touched(world: World) -> None:
    drive(world, Machine(world, "run1", NEWER))
    run = world.run("run1")
    assert run.state == RunState.STOPPED
    assert "it waits for a newer toolchain" in run.reason
    assert world.pipelines.started == []
    assert {status.claimed_by for status in world.statuses.items.values()} == {""}


def test_it_goes_on_when_the_functions_are_new_enough(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    drive(world, Machine(world, "run1", NEWER))
    monkeypatch.setattr(contract, "CONTRACT", NEWER.contract)
    drive(world, Machine(world, "run1-r2", NEWER, resumes="run1"))
    assert world.run("run1-r2").state == RunState.SUCCEEDED
    assert len(world.pipelines.started) == len(FLEET)


def test_functions_that_become_older_meanwhile_hold_the_ring_and_stop_behind_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(contract, "CONTRACT", NEWER.contract)
    work = Machine(world, "run1", NEWER)
    work.step()
    work.step()
    monkeypatch.setattr(contract, "CONTRACT", CONTRACT)
    drive(world, work)
    canary, early, _ = world.rings("run1")
    assert (canary.held, canary.state, early.state) == (1, RingState.DONE, RingState.WAITING)
    assert world.run("run1").state == RunState.STOPPED
    assert world.pipelines.started == []


def test_a_rollback_below_the_minimum_is_refused_with_the_reason(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Given tenants at a release that the functions no longer know, then who fails stays as it is, and says why."""
    monkeypatch.setattr(contract, "CONTRACT", NEWER.contract)
    monkeypatch.setattr(contract, "MINIMUM", NEWER.contract)
    drive(world, Machine(world, "run1", NEWER), fails=frozenset(FLEET))
    failed = [status for status in world.statuses.items.values() if status.release_run]
    assert [status.release_outcome for status in failed] == [Outcome.ROLLBACK_FAILED]
    assert (
        f"release {OLD} needs contract {CONTRACT}, which the factory's functions no longer know"
        in failed[0].release_reason
    )
    assert (failed[0].phase, failed[0].claimed_by, failed[0].revision_wanted) == (Phase.FAILED, "", "rev1")
    assert len(world.pipelines.started) == 1, "the release itself, and no way back"
    assert "of 1 the rollback failed" in world.run("run1").reason
