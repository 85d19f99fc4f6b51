"""Releases whose contract the functions do not speak: what waits, what is refused, and that nothing is touched."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lambdas.saas.model import contract
from lambdas.saas.model.contract import CONTRACT, STANDBYS
from lambdas.saas.model.runs import RingState, RunState
from lambdas.saas.model.status import Outcome, Phase, Placement
from tests.unit.lambdas.saas.release.world import ACCOUNT, OLD, Machine, World, drive, release_of

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


BEFORE = replace(release_of(1), contract=STANDBYS - 1)
STANDBY = Placement(type="silo", account=ACCOUNT, region="us-east-1")


def give_standby(world: World, *names: str) -> None:
    for name in names:
        known = world.statuses.items[name]
        world.deployments.items[name]["standby_region"] = STANDBY.region
        world.statuses.items[name] = replace(known, placed=(*known.placed, STANDBY))


def test_a_release_that_knows_no_standbys_passes_over_who_has_one(world: World) -> None:
    """It would take the standby out of the pipeline, and leave what stands there behind."""
    give_standby(world, "t0")
    world.shelf.publish(BEFORE)
    drive(world, Machine(world, "run1", BEFORE))
    outcomes = {name: world.statuses.items[name].release_outcome for name in FLEET}
    assert outcomes == {"t0": Outcome.SKIPPED, "t1": Outcome.SUCCEEDED, "t2": Outcome.SUCCEEDED}
    assert "knows no standby_region" in world.statuses.items["t0"].release_reason
    assert world.statuses.items["t0"].revision_deployed == OLD


def test_a_tenant_with_a_standby_is_not_taken_back_to_what_knows_none(world: World) -> None:
    """Given tenants whose standby came with the release, when they fail in it, then they stay, and say why."""
    give_standby(world, *FLEET)
    world.runs.kept[OLD] = replace(world.runs.kept[OLD], contract=STANDBYS - 1)
    after = replace(NEWER, contract=CONTRACT)
    world.shelf.publish(after)
    drive(world, Machine(world, "run1", after), fails=frozenset(FLEET))
    (failed,) = (status for status in world.statuses.items.values() if status.release_run)
    assert failed.release_outcome == Outcome.ROLLBACK_FAILED
    assert f"release {OLD} knows no standby_region" in failed.release_reason
    assert (failed.revision_wanted, len(world.pipelines.started)) == ("rev1", 1)
