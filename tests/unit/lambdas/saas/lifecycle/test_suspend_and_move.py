"""Suspending, bringing back, and clearing up after a move."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from lambdas.common.clock import stamp
from lambdas.saas.model.stateful import Stateful
from lambdas.saas.model.status import Phase, Placement, Status
from tests.unit.lambdas.saas.fakes import RELEASE
from tests.unit.lambdas.saas.lifecycle.world import World
from tests.unit.lambdas.saas.lifecycle_fakes import OTHER, REGION, WORKLOAD, active, ref

FORMER = ref("component", "silo-acme-resources")
HERE = ref("component", "silo-acme-resources", account=OTHER)
PIPELINE = "silo-acme-pipeline"


def look_again(world: World, **row: Any) -> Status:
    world.row(**row)
    world.machine().run()
    return world.acme


def moved(**attributes: Any) -> Status:
    known: dict[str, Any] = {
        "phase": Phase.MOVING,
        "component_stacks": (HERE,),
        "former_stacks": (FORMER,),
        "placed": (Placement(type="silo", account=OTHER, region=REGION),),
    }
    return active(**{**known, **attributes})


def test_a_deployment_is_suspended() -> None:
    world = World()
    status = look_again(world, state="suspended")
    assert (status.phase, status.claimed_by) == (Phase.SUSPENDED, "")
    assert not world.pipeline.enabled
    assert world.stacks.deleted == []


def test_suspending_again_changes_nothing() -> None:
    world = World()
    once = look_again(world, state="suspended")
    assert replace(look_again(world, state="suspended"), updated_at=once.updated_at) == once
    assert [call[0] for call in world.pipelines.calls] == ["disable"]


def test_it_comes_back_as_it_was() -> None:
    world = World()
    look_again(world, state="suspended")
    status = look_again(world)
    assert (status.phase, status.reason) == (Phase.ACTIVE, "")
    assert world.pipeline.enabled
    assert [call[0] for call in world.pipelines.calls] == ["disable", "enable"]


def test_one_that_is_behind_gets_the_current_release() -> None:
    world = World()
    look_again(world, state="suspended")
    world.copies.release = replace(RELEASE, revision="def456", version_id="v2")
    status = look_again(world)
    assert (status.phase, status.revision_wanted) == (Phase.UPDATING, "def456")
    assert world.copies.items["silo", "acme"] == "def456"
    assert len(world.pipeline.running) == 1


@pytest.mark.parametrize(("had", "wakes"), [("a" * 64, False), ("b" * 64, True), ("", True)])
def test_one_that_has_the_same_as_the_current_release_is_not_behind(had: str, wakes: bool) -> None:
    """Given a suspended tenant, when a release comes that changes nobody, then it comes back as it was."""
    world = World()
    look_again(world, state="suspended")
    world.pins.published[RELEASE.revision] = replace(RELEASE, tenants=had)
    world.copies.release = replace(RELEASE, revision="def456", version_id="v2", tenants="a" * 64)
    status = look_again(world)
    assert status.phase is (Phase.UPDATING if wakes else Phase.ACTIVE)
    assert status.revision_deployed == RELEASE.revision
    assert len(world.pipeline.running) == wakes


def test_one_that_is_behind_is_started_once_however_often_the_function_dies() -> None:
    world = World()
    look_again(world, state="suspended")
    world.copies.release = replace(RELEASE, revision="def456", version_id="v2")
    world.fate.deaths = [True] * 6
    look_again(world)
    assert len(world.pipeline.running) == 1


@pytest.mark.parametrize(
    ("newest", "running", "phase"),
    [
        ("Failed", (), Phase.FAILED),
        ("InProgress", ("e2",), Phase.UPDATING),
        ("Stopped", (), Phase.UPDATING),
        ("Succeeded", (), Phase.ACTIVE),
    ],
)
def test_its_newest_execution_tells_its_phase(newest: str, running: tuple[str, ...], phase: Phase) -> None:
    world = World()
    look_again(world, state="suspended")
    world.pipelines.items[PIPELINE] = replace(world.pipeline, newest=newest, running=running)
    assert look_again(world).phase is phase


def test_without_a_release_it_comes_back_too() -> None:
    world = World()
    look_again(world, state="suspended")
    world.copies.release = None
    assert look_again(world).phase is Phase.ACTIVE


def test_a_suspended_deployment_that_never_had_a_pipeline_is_left_to_a_build() -> None:
    pending = Status(id="acme", phase=Phase.PENDING, type="silo", account=WORKLOAD, region=REGION)
    world = World(status=pending)
    assert look_again(world, state="suspended").phase is Phase.SUSPENDED
    status = look_again(world)
    assert (status.phase, status.retry) == (Phase.FAILED, True)


def test_a_retiring_deployment_can_be_suspended_instead() -> None:
    world = World()
    world.row(state="retired")
    world.machine().run(until=timedelta(hours=1))
    status = look_again(world, state="suspended")
    assert (status.phase, status.retire_after) == (Phase.SUSPENDED, "")


def test_a_suspended_deployment_can_be_retired() -> None:
    world = World()
    look_again(world, state="suspended")
    assert look_again(world, state="retired").phase is Phase.RETIRED


def test_what_a_move_left_behind_is_deleted() -> None:
    world = World(status=moved())
    world.stacks.put(FORMER, stateful=(Stateful(kind="dynamodb-table", name="silo-acme-orders"),))
    status = look_again(world, account=OTHER)
    assert (status.phase, status.former_stacks, status.component_stacks) == (Phase.ACTIVE, (), (HERE,))
    assert world.stacks.deleted == ["silo-acme-resources"]
    assert world.stacks.stands(HERE)
    assert len(status.archives) == 1


@pytest.mark.parametrize("fails", [True, False])
def test_what_was_taken_over_is_told_of_places_that_stand(fails: bool) -> None:
    """Given stacks that were taken over in the old place and in the new one, the old one counts until it goes."""
    world = World(status=moved(adopted=(FORMER, HERE)))
    world.stacks.put(FORMER)
    world.stacks.failures = [fails]
    assert look_again(world, account=OTHER).adopted == ((FORMER, HERE) if fails else (HERE,))


def test_clearing_up_that_is_tried_again_finds_its_archive() -> None:
    world = World(status=moved())
    world.stacks.put(FORMER, stateful=(Stateful(kind="dynamodb-table", name="silo-acme-orders"),))
    world.stacks.failures = [True]
    look_again(world, account=OTHER)
    world.clock.pass_time(hours=1)
    status = look_again(world, account=OTHER)
    assert status.former_stacks == ()
    assert len(world.archives.items) == len(status.archives) == 1


def test_a_second_move_from_the_same_place_archives_anew() -> None:
    """Given a place that was moved from, back to and from again, then the first move's archive does not count."""
    table = Stateful(kind="dynamodb-table", name="silo-acme-orders")
    world = World(status=moved())
    world.stacks.put(FORMER, stateful=(table,))
    first = look_again(world, account=OTHER)
    world.add(moved(archives=first.archives, build_id="b2"))
    world.stacks.put(FORMER, stateful=(table,))
    second = look_again(world, account=OTHER)
    assert second.archives[:1] == first.archives
    assert len(world.archives.items) == len(second.archives) == 2


@pytest.mark.parametrize("attributes", [{"component_stacks": ()}, {"component_stacks": (FORMER,)}])
def test_nothing_is_deleted_before_the_new_place_is_deployed(attributes: dict[str, Any]) -> None:
    world = World(status=moved(**attributes))
    world.row(account=OTHER)
    machine = world.machine()
    machine.run(until=timedelta(minutes=5))
    assert world.phase() is Phase.MOVING
    assert world.acme.claimed_by == "", "the build and the watch are not held up"
    assert world.stacks.deleted == []
    world.statuses.items["acme"] = replace(world.acme, component_stacks=(HERE,))
    machine.run()
    assert world.phase() is Phase.ACTIVE


def test_nothing_is_deleted_while_the_pipeline_runs_or_after_it_failed() -> None:
    world = World(status=moved())
    world.pipelines.items[PIPELINE] = replace(world.pipeline, newest="Failed")
    world.row(account=OTHER)
    machine = world.machine()
    machine.run(until=timedelta(minutes=5))
    assert world.stacks.deleted == []
    world.statuses.items["acme"] = replace(world.acme, phase=Phase.FAILED)
    machine.run()
    assert world.stacks.deleted == []


def test_a_row_that_names_the_old_place_again_keeps_what_is_there() -> None:
    world = World(status=moved())
    assert look_again(world).phase is Phase.MOVING
    assert world.stacks.deleted == []


def test_a_moving_deployment_is_suspended_after_its_move() -> None:
    world = World(status=moved())
    status = look_again(world, account=OTHER, state="suspended")
    assert (status.phase, status.former_stacks) == (Phase.SUSPENDED, ())


def test_a_moving_deployment_is_retired_with_both_places() -> None:
    world = World(status=moved())
    assert look_again(world, account=OTHER, state="retired").phase is Phase.RETIRED
    assert world.stacks.deleted == ["silo-acme-resources"] * 2 + [PIPELINE]


def test_an_unknown_deployment_is_none_of_its_business() -> None:
    world = World()
    world.machine("nobody").run()
    assert world.statuses.get("nobody") is None


def test_a_dead_machines_claim_is_taken_over() -> None:
    world = World()
    expired = stamp(world.clock() - timedelta(seconds=1))
    world.statuses.items["acme"] = replace(world.acme, claimed_by="lifecycle/dead", claim_expires_at=expired)
    assert look_again(world, state="suspended").phase is Phase.SUSPENDED
