"""What a build makes of rows that change a tenant: moves, ids used again, quotas, and what is not its business."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lambdas.saas.model.record import DeploymentRecord
from lambdas.saas.model.status import Observation, Phase, StackRef
from tests.unit.buildspecs.saas.provision.fakes import STACK_ERROR, World, row
from tests.unit.lambdas.saas.fakes import RELEASE


@pytest.fixture
def world() -> World:
    return World()


COMPONENT = StackRef(kind="component", stack_id="arn:old", account="222222222222", region="eu-west-1")


def stand(world: World, deployment_id: str) -> None:
    """Provision a tenant, and have its pipeline deploy it."""
    world.put(row(deployment_id))
    world.build("granary-provisioning:0").run([deployment_id])
    seen = Observation(phase=Phase.ACTIVE, execution_id="e", revision=RELEASE.revision, stacks=(COMPONENT,))
    assert world.statuses.observed(deployment_id, seen, now=world.clock())


def test_a_move_needs_consent(world: World) -> None:
    stand(world, "a")
    world.put(row("a", region="us-east-1"))
    world.build().run(["a"])
    status = world.statuses.items["a"]
    assert status.phase is Phase.INVALID
    assert "that is a move" in status.reason
    assert world.pipelines.stacks["a"].region == "eu-west-1"


def test_a_move_deploys_the_new_place_and_remembers_the_old_one(world: World) -> None:
    stand(world, "a")
    world.put(row("a", region="us-east-1", allow_move=True))
    world.build().run(["a"])
    status = world.statuses.items["a"]
    assert (status.phase, status.component_stacks, status.former_stacks) == (Phase.MOVING, (), (COMPONENT,))
    assert world.pipelines.stacks["a"].region == "us-east-1"
    assert [one.region for one in status.placed] == ["us-east-1"]


def test_a_move_that_is_called_off_has_its_stacks_back(world: World) -> None:
    """Given a move that failed, when the old place is put back into the row, then nothing is left behind."""
    stand(world, "a")
    world.put(row("a", region="us-east-1", allow_move=True))
    world.pipelines.faults = {("deploy", "a"): STACK_ERROR}
    world.build().run(["a"])
    assert world.statuses.items["a"].former_stacks == (COMPONENT,)
    world.pipelines.faults = {}
    world.put(row("a"))
    world.build("granary-provisioning:2").run(["a"])
    status = world.statuses.items["a"]
    assert (status.component_stacks, status.former_stacks) == ((COMPONENT,), ())
    assert status.phase in (Phase.PROVISIONING, Phase.ACTIVE)


def test_a_retired_id_is_used_again_as_if_it_were_new(world: World) -> None:
    stand(world, "a")
    world.statuses.items["a"] = replace(world.statuses.items["a"], phase=Phase.RETIRED)
    world.put(row("a", type="pool", region="us-east-1"))
    world.build().run(["a"])
    status = world.statuses.items["a"]
    assert (status.phase, status.type, status.component_stacks) == (Phase.PROVISIONING, "pool", ())
    assert (status.attempts, status.revision_deployed) == (0, "")


@pytest.mark.parametrize("state", ["suspended", "retired"])
def test_what_is_to_be_suspended_or_retired_is_left_to_the_lifecycle_machine(world: World, state: str) -> None:
    stand(world, "a")
    before = world.statuses.items["a"]
    world.put(row("a", state=state, size="large"))
    world.build().run(["a"])
    assert world.statuses.items["a"] == before


def test_what_no_quota_has_room_for_is_not_begun(world: World) -> None:
    """Given room for one of two new tenants, then that one is provisioned, and the other says what is missing."""
    stand(world, "old")
    world.put(row("a"), row("b"), row("old", size="large"))
    world.counted.clear()
    world.refused = {"b": "quota: 1 pipeline is missing"}
    world.build().run(["a", "b", "old"])
    assert world.counted == ["a", "b"], "only what has no pipeline yet counts"
    failed = world.statuses.items["b"]
    assert (failed.phase, failed.reason, failed.retry) == (Phase.FAILED, "quota: 1 pipeline is missing", True)
    assert world.synths[-1] == ("a", "old")


def test_a_move_whose_target_has_no_room_is_not_begun(world: World) -> None:
    """Given a full account, when a tenant is to move there, then what stands is left as it is, and the number told."""
    stand(world, "a")
    world.put(row("a", region="us-east-1", allow_move=True))
    world.counted.clear()
    world.refused = {"a": "quota: 1 CloudFormation stack is missing"}
    world.build().run(["a"])
    status = world.statuses.items["a"]
    assert (world.counted, world.moving) == (["a"], {"a"})
    assert (status.phase, status.reason, status.retry) == (Phase.FAILED, world.refused["a"], True)
    assert world.pipelines.stacks["a"].region == "eu-west-1"


def test_quotas_that_cannot_be_read_stop_what_is_new(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.put(row("a"))
    monkeypatch.setattr(world, "refused", None)
    world.build().run(["a"])
    status = world.statuses.items["a"]
    assert (status.phase, status.retry) == (Phase.FAILED, True)
    assert status.reason.startswith("quotas could not be compared: TypeError")


def test_a_tenant_that_never_stood_gets_the_builds_release(world: World) -> None:
    """Given a copy of a release that failed, when a later build takes the tenant up, then the copy is replaced."""
    world.put(row("a"))
    world.pipelines.pinned["a"] = replace(RELEASE, revision="bad")
    world.build().run(["a"])
    assert world.pipelines.pinned["a"] == RELEASE


def test_a_component_that_was_deleted_with_its_status_is_deployed_again(world: World) -> None:
    """Given a status that was deleted too, which alone knew the stack's id, then the build looks for its name."""
    stand(world, "a")
    del world.statuses.items["a"]
    world.gone = {replace(COMPONENT, stack_id="silo-a-resources")}
    world.build().run(["a"])
    assert world.statuses.items["a"].phase is Phase.PROVISIONING


def test_a_component_that_was_deleted_by_hand_is_deployed_again(world: World) -> None:
    """Given a pipeline that delivered what is gone by now, when its row is looked through, then it runs again."""
    stand(world, "a")
    for gone, phase in ((set[StackRef](), Phase.ACTIVE), ({COMPONENT}, Phase.PROVISIONING)):
        world.gone = gone
        assert world.statuses.pending(DeploymentRecord(**row("a")), reason="", anew=True, now=world.clock())
        world.build().run(["a"])
        assert world.statuses.items["a"].phase is phase
