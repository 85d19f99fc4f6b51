"""A component whose first creation failed: its stack takes no update, and holds nothing."""

from __future__ import annotations

from typing import Any

import pytest

from lambdas.saas.model.status import Phase
from tests.unit.lambdas.saas.lifecycle.world import World
from tests.unit.lambdas.saas.lifecycle_fakes import COMPONENT, active, ref

WHY = "Deploy: Cluster (AWS::ECS::Cluster): unable to assume the service linked role"
ANEW = f"it is made anew, and failed before: {WHY}"


def failed(stack: str = "ROLLBACK_COMPLETE", **attributes: Any) -> World:
    known = {"phase": Phase.FAILED, "reason": WHY, "revision_deployed": "", **attributes}
    world = World(status=active(**known))
    world.stacks.put(COMPONENT, status=stack)
    return world


def starts(world: World) -> int:
    return len([call for call in world.pipelines.calls if call[0] == "start"])


def test_what_never_stood_is_deleted_and_created_anew() -> None:
    world = failed()
    world.machine().run()
    assert world.stacks.deleted == ["silo-acme-resources"]
    assert starts(world) == 1
    assert (world.phase(), world.acme.reason, world.acme.first_failure) == (Phase.UPDATING, ANEW, WHY)
    assert world.acme.claimed_by == ""


def test_a_further_stack_that_never_stood_goes_and_the_others_stay() -> None:
    more = ref("component", "silo-acme-more")
    world = failed("UPDATE_COMPLETE", further_stacks=(more,), revision_deployed="r1")
    world.stacks.put(more, status="ROLLBACK_COMPLETE")
    world.machine().run()
    assert (world.stacks.deleted, starts(world)) == (["silo-acme-more"], 1)


@pytest.mark.parametrize("stack", ["CREATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "UPDATE_ROLLBACK_FAILED"])
def test_what_stands_is_left_alone(stack: str) -> None:
    """Given a failure that no stack is to blame for, then nothing is started, and that is known for the next round."""
    world = failed(stack)
    world.machine().run()
    assert (world.stacks.deleted, world.pipelines.calls) == ([], [])
    assert (world.phase(), world.acme.reason, world.acme.first_failure) == (Phase.FAILED, WHY, WHY)


def test_whoever_asks_again_has_it_tried_again() -> None:
    world = failed(reason="it failed again", first_failure=WHY)
    world.machine().run()
    assert (len(world.stacks.deleted), starts(world)) == (1, 1)
    assert (world.acme.reason, world.acme.first_failure) == (ANEW, WHY)


def test_a_success_ends_it() -> None:
    world = failed()
    world.machine().run()
    world.look_at_pipeline(Phase.ACTIVE)
    assert world.acme.first_failure == ""


def test_a_stack_that_cannot_be_deleted_is_told_with_the_first_failure() -> None:
    world = failed()
    world.stacks.failures = [True]
    world.machine().run()
    assert world.phase() is Phase.FAILED
    assert world.acme.reason.startswith(f"{WHY}; its stack cannot be deleted: Bucket")


def test_a_pipeline_at_work_is_left_alone() -> None:
    world = failed()
    world.pipelines.start("silo-acme-pipeline", token="t")
    world.machine().run()
    assert world.stacks.deleted == []


def test_a_build_that_failed_is_none_of_its_business() -> None:
    world = failed(retry=True)
    world.machine().run()
    assert world.stacks.deleted == []
