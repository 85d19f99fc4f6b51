"""A tenant that stands in two places: clearing up after its standby, suspending, bringing back and retiring it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from lambdas.saas.model.contract import STANDBYS
from lambdas.saas.model.stateful import Stateful
from lambdas.saas.model.status import Phase, Placement, StackRef, Status
from tests.unit.lambdas.saas.fakes import RELEASE
from tests.unit.lambdas.saas.lifecycle.world import World
from tests.unit.lambdas.saas.lifecycle_fakes import COMPONENT, HOME, POLICY, REGION, WORKLOAD, active, ref

STANDBY = ref("component", "silo-acme-resources", region=HOME)
PRIMARY_PLACE = Placement(type="silo", account=WORKLOAD, region=REGION)
STANDBY_PLACE = replace(PRIMARY_PLACE, region=HOME)
TABLE = Stateful(kind="dynamodb-table", name="silo-acme-orders")


def both(**attributes: Any) -> Status:
    known: dict[str, Any] = {
        "component_stacks": (COMPONENT, STANDBY),
        "placed": (PRIMARY_PLACE, STANDBY_PLACE),
        "standby_region": HOME,
    }
    return active(**{**known, **attributes})


def dropped(**attributes: Any) -> Status:
    """Its standby was dropped, and its pipeline has not run since."""
    known: dict[str, Any] = {
        "phase": Phase.MOVING,
        "component_stacks": (),
        "further_stacks": (COMPONENT,),
        "former_stacks": (STANDBY,),
        "placed": (PRIMARY_PLACE,),
        "standby_region": "",
    }
    return both(**{**known, **attributes})


def test_a_dropped_standby_stays_until_the_pipeline_has_deployed_without_it() -> None:
    """Given a pipeline whose newest execution is one of before, then nothing is cleared up, though it succeeded."""
    world = World(status=dropped())
    world.row()
    machine = world.machine()
    machine.run(until=timedelta(hours=1))
    assert (world.stacks.deleted, world.acme.phase) == ([], Phase.MOVING)
    world.statuses.items["acme"] = replace(world.acme, component_stacks=(COMPONENT,), further_stacks=())
    machine.run()
    assert (world.acme.phase, world.acme.former_stacks) == (Phase.ACTIVE, ())
    assert (world.stacks.stands(STANDBY), world.stacks.stands(COMPONENT)) == (False, True)


def test_an_execution_of_before_that_ends_late_confirms_nothing() -> None:
    world = World(status=dropped(component_stacks=(COMPONENT, STANDBY), further_stacks=()))
    world.row()
    world.machine().run(until=timedelta(hours=1))
    assert world.stacks.deleted == []


def test_a_place_that_the_row_names_is_not_cleared_up_though_its_tenant_is_suspended() -> None:
    """Given a standby that was dropped and is asked for again by a row that suspends, then its stack stays."""
    world = World(status=dropped(component_stacks=(COMPONENT,), further_stacks=()))
    world.row(state="suspended", standby_region=HOME, allow_move=True)
    world.machine().run()
    assert (world.acme.phase, world.acme.former_stacks, world.stacks.deleted) == (Phase.SUSPENDED, (STANDBY,), [])
    world.row(state="retired")
    world.machine().run()
    assert (world.stacks.stands(STANDBY), world.stacks.stands(COMPONENT)) == (False, False)


def test_a_row_that_changes_before_the_deletion_stops_it() -> None:
    """Given a clear-up that has looked at what is left behind, when the row names that place again, then it stays."""
    world = World(status=dropped(component_stacks=(COMPONENT,), further_stacks=()))
    world.row(state="suspended")
    world.stacks.on_look = lambda: world.row(state="suspended", standby_region=HOME, allow_move=True)
    world.machine().run()
    assert (world.acme.phase, world.stacks.deleted) == (Phase.SUSPENDED, [])


@pytest.mark.parametrize("seen", [True, False])
def test_retirement_takes_the_standby_first_and_archives_both(seen: bool) -> None:
    """Whether its stack was ever seen or is only known by its name."""
    refs: list[StackRef] = []
    world = World(policy=replace(POLICY, grace=timedelta()), status=both())
    for one in (COMPONENT, STANDBY):
        world.stacks.put(one, stateful=(TABLE,))
    if not seen:
        world.statuses.items["acme"] = replace(world.acme, component_stacks=(COMPONENT,))
    check = world.stacks.on_delete
    world.stacks.on_delete = lambda one: (refs.append(one), check(one))[1]  # type: ignore[func-returns-value]
    world.row(standby_region=HOME, state="retired")
    world.machine().run()
    assert [one.region for one in refs if one.kind == "component"] == [HOME, REGION]
    assert len(world.archives.items) == len(world.acme.archives) == 2
    assert world.acme.phase is Phase.RETIRED


def test_a_tenant_with_a_standby_does_not_come_back_with_a_release_that_knows_none() -> None:
    """Given an older release as the current one, then it comes back as it was."""
    world = World(status=both(phase=Phase.SUSPENDED))
    world.pipelines.items["silo-acme-pipeline"] = replace(world.pipeline, newest="Stopped")
    world.copies.release = replace(RELEASE, revision="old", contract=STANDBYS - 1)
    world.row(standby_region=HOME)
    world.machine().run()
    assert (world.acme.phase, world.copies.items["silo", "acme"]) == (Phase.UPDATING, RELEASE.revision)


def test_a_standby_that_never_stood_is_made_anew() -> None:
    reason = "stage Standby-us-east-1, action Prepare: Stack is in ROLLBACK_COMPLETE state and can not be updated."
    world = World(
        status=both(phase=Phase.FAILED, reason=reason, component_stacks=(COMPONENT,), further_stacks=(STANDBY,))
    )
    world.stacks.put(STANDBY, status="ROLLBACK_COMPLETE")
    world.pipelines.items["silo-acme-pipeline"] = replace(world.pipeline, newest="Failed")
    world.row(standby_region=HOME)
    world.machine().run()
    assert (world.stacks.stands(STANDBY), world.stacks.stands(COMPONENT)) == (False, True)
    assert (world.acme.phase, len(world.pipeline.running)) == (Phase.UPDATING, 1)
