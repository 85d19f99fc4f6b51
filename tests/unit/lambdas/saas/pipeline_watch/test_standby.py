"""What the watch makes of executions that deploy to two places, stage by stage."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from lambdas.saas.model.status import Phase, Placement, StackRef
from tests.unit.lambdas.saas.pipeline_watch.pipelines import (
    DEPLOY_ROLE,
    STACK_ID,
    deploy,
    detail,
    failed_deploy,
    succeeded,
    summary,
)
from tests.unit.lambdas.saas.pipeline_watch.world import CAUSE, World

PRIMARY = StackRef(kind="component", stack_id=STACK_ID, account="222222222222", region="eu-west-1")
STANDBY = replace(PRIMARY, stack_id=STACK_ID.replace("eu-west-1", "us-east-1"), region="us-east-1")
PLACED = Placement(type="silo", account="222222222222", region="eu-west-1")


def standby(status: str, result: dict[str, Any]) -> dict[str, Any]:
    """The deployment of the second stage, whose stack has the same name."""
    given = {**deploy(status)["input"], "roleArn": DEPLOY_ROLE.replace("eu-west-1", "us-east-1"), "region": "us-east-1"}
    output = {"executionResult": result}
    return detail(
        "Standby-us-east-1", "Deploy", status, provider="CloudFormation", second=5, given=given, output=output
    )


def stands(world: World) -> None:
    world.statuses.items["silo1"] = replace(world.status, placed=(PLACED, replace(PLACED, region="us-east-1")))


def test_a_release_is_through_when_both_stages_are(world: World) -> None:
    stands(world)
    actions = [standby("Succeeded", {"externalExecutionId": STANDBY.stack_id}), *succeeded()]
    assert world.execute(summary("e1", "InProgress", revision="abc123"), succeeded()) is Phase.PROVISIONING
    assert (world.status.component_stacks, world.status.revision_deployed) == ((), "")
    assert world.execute(summary("e1", "Succeeded", revision="abc123"), actions) is Phase.ACTIVE
    assert world.status.component_stacks == (PRIMARY, STANDBY)
    assert world.status.revision_deployed == "abc123"


def test_what_fails_in_the_standbys_stage_tells_where(world: World) -> None:
    """Given a primary that was deployed and a standby that failed, then the tenant has failed, and both are known."""
    stands(world)
    error = {"errorDetails": {"code": "JobFailed", "message": "The change set failed"}}
    actions = [standby("Failed", error), *succeeded()]
    assert world.execute(summary("e1", "Failed", revision="abc123"), actions) is Phase.FAILED
    assert world.status.reason == f"stage Standby-us-east-1, action Deploy: The change set failed; {CAUSE}"
    ((stack, place, _),) = (asked for asked in world.facts.asked if len(asked) == 3)
    assert (stack, place.account, place.region) == ("silo-silo1-resources", "222222222222", "us-east-1")
    assert {one.region for one in world.status.further_stacks} == {"eu-west-1", "us-east-1"}


def test_a_primary_that_fails_leaves_the_standby_as_it_is(world: World) -> None:
    stands(world)
    known = (PRIMARY, STANDBY)
    world.statuses.items["silo1"] = replace(world.status, component_stacks=known, revision_deployed="old")
    assert world.execute(summary("e2", "Failed", revision="abc123"), failed_deploy()) is Phase.FAILED
    assert (world.status.component_stacks, world.status.further_stacks) == (known, ())
    assert world.status.revision_deployed == "old"


def test_a_dropped_standby_is_cleared_up_when_an_execution_has_deployed_without_it(world: World) -> None:
    """Given an execution of before that ends late, then nothing is begun by it."""
    moving = replace(world.status, phase=Phase.MOVING, placed=(PLACED,))
    world.statuses.items["silo1"] = replace(moving, further_stacks=(PRIMARY,), former_stacks=(STANDBY,))
    late = [standby("Succeeded", {"externalExecutionId": STANDBY.stack_id}), *succeeded()]
    world.execute(summary("e1", "Succeeded", revision="abc123"), late)
    assert (world.lifecycles.started, world.status.former_stacks) == ([], (STANDBY,))
    world.clock.pass_time(minutes=1)
    world.execute(summary("e2", "Succeeded", second=60, revision="abc123"), succeeded())
    assert (world.lifecycles.started, world.status.component_stacks) == (["silo1"], (PRIMARY,))
    assert (world.status.further_stacks, world.status.former_stacks) == ((), (STANDBY,))
