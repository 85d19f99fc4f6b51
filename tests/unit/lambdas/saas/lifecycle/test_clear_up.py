"""What a move has left behind: deleted when the component stands elsewhere, never instead of it, never forgotten."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from lambdas.saas.lifecycle.facts import warning_of
from lambdas.saas.model.status import Phase, Placement, StackRef, Status
from tests.unit.lambdas.saas.lifecycle.world import World
from tests.unit.lambdas.saas.lifecycle_fakes import OTHER, REGION, WORKLOAD, active, ref

FORMER = ref("component", "silo-acme-resources")
BY_NAME = replace(FORMER, stack_id="silo-acme-resources")
HERE = ref("component", "silo-acme-resources", account=OTHER)
PIPELINE = "silo-acme-pipeline"


def moved(**attributes: Any) -> Status:
    known: dict[str, Any] = {
        "phase": Phase.MOVING,
        "component_stacks": (HERE,),
        "former_stacks": (FORMER,),
        "placed": (Placement(type="silo", account=OTHER, region=REGION),),
    }
    return active(**{**known, **attributes})


def clear_up(world: World, **row: Any) -> Status:
    world.row(**{"account": OTHER, **row})
    world.machine().run()
    return world.acme


@pytest.mark.parametrize("phase", [Phase.ACTIVE, Phase.MOVING])
@pytest.mark.parametrize("former", [FORMER, BY_NAME, ref("component", "silo-acme-queue")])
def test_what_stands_where_the_pipeline_deploys_is_never_deleted(phase: Phase, former: StackRef) -> None:
    """Given a move that failed and a release that deployed the old place again, when the row names that, it stays."""
    world = World(status=active(phase=phase, former_stacks=(former,)))
    status = clear_up(world, account=WORKLOAD)
    assert world.stacks.deleted == []
    assert (status.phase, status.former_stacks) == (Phase.ACTIVE, (former,)), "it goes with the deployment"
    clear_up(world, account=WORKLOAD, state="retired")
    assert not world.stacks.stands(former)


def test_a_component_that_was_seen_elsewhere_is_never_deleted() -> None:
    """Given an execution that deployed the old place when the pipeline was provisioned for the new one already."""
    world = World(status=moved(component_stacks=(HERE, FORMER)))
    world.row(account=OTHER)
    world.machine().run(until=timedelta(minutes=5))
    assert world.stacks.deleted == []


def test_what_else_is_left_behind_goes() -> None:
    queue = ref("component", "silo-acme-queue", account=OTHER)
    world = World(status=moved(former_stacks=(FORMER, queue)))
    status = clear_up(world)
    assert (status.phase, status.former_stacks) == (Phase.ACTIVE, (queue,))
    assert (world.stacks.stands(FORMER), world.stacks.stands(queue)) == (False, True)


def test_a_move_that_failed_on_its_way_is_cleared_up_when_it_is_active() -> None:
    """Given a move whose first execution failed, when a release has deployed the new place, then the old one goes."""
    world = World(status=moved(phase=Phase.ACTIVE))
    status = clear_up(world)
    assert (status.phase, status.former_stacks) == (Phase.ACTIVE, ())
    assert not world.stacks.stands(FORMER)


def test_an_active_deployment_whose_pipeline_runs_is_left_alone() -> None:
    world = World(status=moved(phase=Phase.ACTIVE))
    world.pipelines.items[PIPELINE] = replace(world.pipeline, running=("e2",), newest="InProgress")
    before = world.clock()
    status = clear_up(world)
    assert (status.former_stacks, status.claimed_by, world.clock()) == ((FORMER,), "", before)


def test_a_former_place_that_cannot_be_reached_is_told_and_kept() -> None:
    world = World(status=moved())
    world.stacks.unreachable = {WORKLOAD}
    began = world.clock()
    status = clear_up(world)
    assert (status.phase, status.former_stacks, status.warnings) == (Phase.ACTIVE, (FORMER,), ())
    assert status.reason == (
        "it is moved, but what the move left behind could not be deleted: "
        f"stack {FORMER.stack_id}: account {WORKLOAD} cannot be reached"
    )
    assert (status.attempts, status.claimed_by) == (1, "")
    assert world.clock() - began > timedelta(minutes=7)


def test_it_is_tried_again_until_it_is_reached() -> None:
    """Given a deployment that was told so, when a machine looks again, then at once; and it ends when all is gone."""
    world = World(status=moved())
    world.stacks.unreachable = {WORKLOAD}
    told = clear_up(world)
    before = world.clock()
    again = clear_up(world)
    assert (again.reason, again.attempts) == (told.reason, 2)
    assert world.clock() == before, "a living deployment is not held up"
    world.stacks.unreachable = set()
    status = clear_up(world)
    assert (status.phase, status.reason, status.former_stacks) == (Phase.ACTIVE, "", ())
    assert not world.stacks.stands(FORMER)


def test_a_deletion_that_fails_does_not_fail_what_stands() -> None:
    world = World(status=moved())
    world.stacks.failures = [True]
    status = clear_up(world)
    assert (status.phase, status.former_stacks) == (Phase.ACTIVE, (FORMER,))
    assert status.reason.startswith("it is moved, but what the move left behind could not be deleted: stack arn")
    assert clear_up(world).former_stacks == ()


def test_a_retirement_names_what_was_never_reached() -> None:
    world = World(status=moved())
    world.stacks.unreachable = {WORKLOAD}
    clear_up(world)
    status = clear_up(world, state="retired")
    assert status.phase is Phase.RETIRED_WITH_WARNINGS
    (warning,) = status.warnings
    assert FORMER.stack_id in warning


def test_what_a_retirement_gave_up_is_cleared_up_when_it_can_be() -> None:
    """Given a retirement that had given the former place up and was taken back, then that is not taken for gone."""
    world = World(status=moved(phase=Phase.ACTIVE, warnings=(f"{warning_of(FORMER)}closed",)))
    assert clear_up(world).former_stacks == ()
    assert not world.stacks.stands(FORMER)


def test_a_deployment_that_fails_meanwhile_is_not_said_to_be_active() -> None:
    """Given a look at the pipeline that says FAILED right before the end is written, then that stays."""
    world = World(status=moved())
    world.row(account=OTHER)
    write, told = world.statuses.moved, list[str]()

    def fail_first(deployment_id: str, **what: Any) -> bool:
        told.append(deployment_id)
        world.statuses.items["acme"] = replace(world.acme, phase=Phase.FAILED, reason="no")
        return write(deployment_id, **what)

    world.statuses.moved = fail_first  # type: ignore[method-assign]
    world.machine().run()
    assert (told, world.acme.phase, world.acme.reason) == (["acme"], Phase.FAILED, "no")
    assert (world.acme.former_stacks, world.acme.claimed_by) == ((FORMER,), "")
