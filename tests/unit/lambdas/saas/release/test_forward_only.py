"""Releases whose components have tasks after which nothing leads back."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lambdas.saas.model.runs import RingState, RunState
from lambdas.saas.model.status import ForwardOnly, Outcome, Phase
from tests.unit.lambdas.saas.release.world import OLD, POLICY, Machine, World, drive, release_of

FLEET = tuple(f"t{number}" for number in range(4))


@pytest.fixture
def world() -> World:
    world = World(policy=replace(POLICY, rings=(replace(POLICY.rings[0], percent=100),)))
    world.settle(*FLEET)
    return world


def migrated(world: World, *ids: str, before: str = OLD) -> None:
    """Have a forward-only task run in these tenants, in whatever is under way."""
    for one in ids:
        kept = ForwardOnly(task="task Migrate (before x)", execution="e", revision="rev1", before=before)
        world.statuses.items[one] = replace(world.statuses.items[one], forward_only=kept)


def test_only_tenants_in_which_it_has_not_run_are_rolled_back(world: World) -> None:
    """Given a ring that is over its budget, then those with the task are left as they are, and counted as such."""
    migrated(world, "t0", "t1")
    drive(world, Machine(world, "run1", release_of(1)), fails=frozenset(FLEET))
    (ring, *_) = world.rings("run1")
    assert world.run("run1").state == RunState.STOPPED
    assert (ring.state, ring.failed >= 1, ring.rollback_failed >= 1) == (RingState.FAILED, True, True)
    for name, status in world.statuses.items.items():
        if status.release_outcome == Outcome.HELD:
            continue
        if name in ("t0", "t1"):
            assert (status.release_outcome, status.phase) == (Outcome.ROLLBACK_FAILED, Phase.FAILED)
            assert "it could not be rolled back: task Migrate (before x) of release rev1" in status.release_reason
        else:
            assert (status.release_outcome, status.revision_deployed) == (Outcome.ROLLED_BACK, OLD)


def test_one_that_ran_before_the_revision_that_is_deployed_forbids_nothing(world: World) -> None:
    migrated(world, *FLEET, before="older")
    drive(world, Machine(world, "run1", release_of(1)), fails=frozenset(FLEET))
    assert {one.release_outcome for one in world.statuses.items.values()} <= {Outcome.ROLLED_BACK, Outcome.HELD}


def test_an_alarm_takes_back_no_tenant_in_which_it_has_run(world: World) -> None:
    """Given an alarm after the release, then a tenant that has migrated stays at it, and is well."""
    (ring,) = world.policy.rings
    world.policy = replace(world.policy, rings=(replace(ring, bake_minutes=10, alarms=("errors",)),))
    world.alarms.known = {"errors": "ALARM"}
    migrated(world, "t0")
    drive(world, Machine(world, "run1", release_of(1)))
    found = {
        name: (one.release_outcome, one.revision_deployed, one.phase) for name, one in world.statuses.items.items()
    }
    assert found.pop("t0") == (Outcome.ROLLBACK_FAILED, "rev1", Phase.ACTIVE)
    assert set(found.values()) == {(Outcome.ROLLED_BACK, OLD, Phase.ACTIVE)}
