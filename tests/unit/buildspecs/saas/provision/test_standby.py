"""A provisioning build and rows with a standby."""

from __future__ import annotations

from dataclasses import replace

from lambdas.saas.model.contract import PARAMETERS, STANDBYS
from lambdas.saas.model.declared import Parameter, Tier
from lambdas.saas.model.record import DeploymentRecord
from lambdas.saas.model.status import Observation, Phase, StackRef
from tests.unit.buildspecs.saas.provision.fakes import World, row
from tests.unit.lambdas.saas.fakes import RELEASE

PRIMARY = StackRef(kind="component", stack_id="arn:old", account="222222222222", region="eu-west-1")
STANDBY = replace(PRIMARY, stack_id="arn:new", region="us-east-1")


def stand(world: World, **attributes: object) -> None:
    """Provision a tenant, and have its pipeline deploy it wherever its row says."""
    world.put(row("a", **attributes))
    world.build("granary-provisioning:0").run(["a"])
    stacks = (PRIMARY, STANDBY) if "standby_region" in attributes else (PRIMARY,)
    seen = Observation(phase=Phase.ACTIVE, execution_id="e", revision=RELEASE.revision, stacks=stacks)
    assert world.statuses.observed("a", seen, now=world.clock())
    world.asked.clear()


def test_what_either_place_lacks_is_told_at_once() -> None:
    world = World(lacking={"eu-west-1": "eu-west-1 is not bootstrapped", "us-east-1": "us-east-1 neither"})
    world.put(row("a", standby_region="us-east-1"))
    world.build().run(["a"])
    status = world.statuses.items["a"]
    assert (status.phase, status.retry) == (Phase.FAILED, True)
    assert status.reason == "eu-west-1 is not bootstrapped; us-east-1 neither"
    assert world.synths == []


def test_a_new_tenant_asks_for_room_in_both_places_and_a_new_standby_in_its_own() -> None:
    world = World()
    stand(world)
    world.put(row("a", standby_region="us-east-1", allow_move=True), row("b", standby_region="us-east-1"))
    world.build().run(["a", "b"])
    assert {one.id: one.places for one in world.asked} == {
        "a": (("222222222222", "us-east-1"),),
        "b": (("222222222222", "eu-west-1"), ("222222222222", "us-east-1")),
    }
    assert world.moving == {"a"}
    status = world.statuses.items["a"]
    assert (status.phase, status.component_stacks, status.former_stacks) == (Phase.PROVISIONING, (PRIMARY,), ())


def test_a_dropped_standby_is_left_behind_and_asks_for_nothing() -> None:
    world = World()
    stand(world, standby_region="us-east-1")
    world.put(row("a", allow_move=True))
    world.build().run(["a"])
    status = world.statuses.items["a"]
    assert (status.phase, status.former_stacks) == (Phase.MOVING, (STANDBY,))
    assert world.asked == []
    assert world.pipelines.stacks["a"].standby_region == ""


def test_places_that_are_swapped_leave_nothing_behind() -> None:
    world = World()
    stand(world, standby_region="us-east-1")
    world.put(row("a", region="us-east-1", standby_region="eu-west-1", allow_move=True))
    world.build().run(["a"])
    status = world.statuses.items["a"]
    assert (status.phase, status.former_stacks, world.asked) == (Phase.PROVISIONING, (), [])
    assert status.places == DeploymentRecord(**row("a", region="us-east-1", standby_region="eu-west-1")).places


def test_a_copy_of_a_release_that_knows_no_standbys_is_replaced_with_its_standby() -> None:
    """Given a tenant that stands by an older release, which would take the standby out of its pipeline, when its row
    gets one, then it gets the build's release; what has a copy that knows standbys keeps it."""
    world, older = World(), replace(RELEASE, revision="old", contract=STANDBYS - 1)
    stand(world)
    known = replace(RELEASE, revision="known")
    for copy, left in ((older, RELEASE), (known, known)):
        world.pipelines.pinned["a"] = copy
        world.statuses.items["a"] = replace(world.statuses.items["a"], revision_wanted=copy.revision)
        for wanted in ({"standby_region": "us-east-1"}, {}):
            world.put(row("a", **wanted, allow_move=True))
            world.build().run(["a"])
        assert world.pipelines.pinned["a"] == left
        assert world.statuses.items["a"].revision_wanted == left.revision


def test_a_copy_of_a_release_that_hands_no_parameters_on_is_replaced_too() -> None:
    world, older = World(), replace(RELEASE, revision="old", contract=PARAMETERS - 1)
    world.policy = replace(world.policy, parameters={"domain": Parameter()}, tiers={"gold": Tier()})
    for said in ({"parameters": {"domain": "x"}}, {"tier": "gold"}):
        stand(world)
        world.pipelines.pinned["a"] = older
        world.put(row("a", **said))
        world.build().run(["a"])
        assert world.pipelines.pinned["a"] == RELEASE
        assert world.statuses.items["a"].has_parameters
        world.put(row("a"))
        world.build().run(["a"])
        assert not world.statuses.items["a"].has_parameters


def test_a_standby_that_was_deleted_by_hand_is_deployed_again() -> None:
    world = World()
    stand(world, standby_region="us-east-1")
    phases = []
    for gone in ({STANDBY}, set[StackRef]()):
        world.gone = gone
        world.statuses.items["a"] = replace(world.statuses.items["a"], phase=Phase.FAILED)
        world.build().run(["a"])
        phases.append(world.statuses.items["a"].phase)
    assert phases == [Phase.PROVISIONING, Phase.ACTIVE], "with both there, nothing has to change"
