"""The watch on tenants' pipelines."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from lambdas.saas.model.status import Phase, StackRef
from tests.unit.lambdas.saas.pipeline_watch.pipelines import (
    PIPELINE,
    STACK_ID,
    build,
    failed_deploy,
    rollback,
    source,
    succeeded,
    summary,
)
from tests.unit.lambdas.saas.pipeline_watch.world import FAILURE, World


@pytest.mark.parametrize("status", ["InProgress", "Stopping"])
@pytest.mark.parametrize(("deployed", "phase"), [("", Phase.PROVISIONING), ("abc", Phase.UPDATING)])
def test_under_way(world: World, status: str, deployed: str, phase: Phase) -> None:
    world.statuses.items["silo1"] = replace(world.status, revision_deployed=deployed)
    assert world.execute(summary("e1", status)) is phase
    assert (world.status.phase, world.status.reason) == (phase, "")
    assert world.status.revision_deployed == deployed
    assert world.status.execution_id == "e1"
    assert world.status.execution_url == (
        "https://console.aws.amazon.com/codesuite/codepipeline/pipelines/silo-silo1-pipeline/executions/e1/timeline"
        "?region=us-east-1"
    )


def test_a_success_tells_the_revision_and_the_stacks(world: World) -> None:
    assert world.execute(summary("e1", "Succeeded", revision="abc123"), succeeded()) is Phase.ACTIVE
    assert world.status.revision_deployed == "abc123"
    assert world.status.component_stacks == (
        StackRef(kind="component", stack_id=STACK_ID, account="222222222222", region="eu-west-1"),
    )
    assert world.facts.asked == []


def test_what_a_move_left_behind_goes_once_the_new_place_stands(world: World) -> None:
    """Given a move, when its pipeline has deployed the new place, then the lifecycle machine clears up the old one."""
    old = StackRef(kind="component", stack_id="arn:old", account="222222222222", region="us-east-1")
    world.statuses.items["silo1"] = replace(world.status, phase=Phase.MOVING, former_stacks=(old,))
    world.execute(summary("e1", "InProgress"))
    assert world.lifecycles.started == []
    world.execute(summary("e1", "Succeeded", revision="abc123"), succeeded())
    assert (world.status.phase, world.lifecycles.started) == (Phase.MOVING, ["silo1"])


@pytest.mark.parametrize("before", [Phase.FAILED, Phase.UPDATING, Phase.ACTIVE])
def test_a_move_that_failed_on_its_way_is_cleared_up_when_its_pipeline_succeeds(world: World, before: Phase) -> None:
    """Given a move whose first execution failed, when a later one succeeds, then the old place is cleared up."""
    old = StackRef(kind="component", stack_id="arn:old", account="222222222222", region="us-east-1")
    world.statuses.items["silo1"] = replace(world.status, phase=before, former_stacks=(old,))
    world.execute(summary("e2", "Succeeded", revision="abc123"), succeeded())
    assert (world.status.phase, world.lifecycles.started) == (Phase.ACTIVE, ["silo1"])


def test_a_place_that_was_never_left_is_not_cleared_up(world: World) -> None:
    """Given a move that failed, when the pipeline deploys the old place once more, then nothing was left behind."""
    stays = StackRef(kind="component", stack_id=STACK_ID, account="222222222222", region="eu-west-1")
    world.statuses.items["silo1"] = replace(world.status, phase=Phase.FAILED, former_stacks=(stays,))
    world.execute(summary("e2", "Succeeded", revision="abc123"), succeeded())
    assert (world.status.phase, world.lifecycles.started) == (Phase.ACTIVE, [])


def test_a_failure_tells_the_cause(world: World) -> None:
    assert world.execute(summary("e1", "Failed", revision="abc123"), failed_deploy()) is Phase.FAILED
    assert world.status.reason == FAILURE
    assert world.status.revision_deployed == ""


@pytest.mark.parametrize("status", ["Failed", "Stopped"])
def test_what_failed_leaves_no_stack_unknown(world: World, status: str) -> None:
    """Given an execution that failed or was stopped, then the stacks that it may have made are known until they go."""
    touched = StackRef(kind="component", stack_id=STACK_ID, account="222222222222", region="eu-west-1")
    world.execute(summary("e1", status), failed_deploy())
    assert (world.status.component_stacks, world.status.further_stacks) == ((), (touched,))
    world.execute(summary("e2", "Succeeded", second=9, revision="abc123"), succeeded())
    assert (world.status.component_stacks, world.status.further_stacks) == ((touched,), ())


def test_a_stack_that_a_revision_has_dropped_stays_known(world: World) -> None:
    dropped = StackRef(kind="component", stack_id="arn:x:stack/silo-silo1-queue/1", account="2", region="eu-west-1")
    world.statuses.items["silo1"] = replace(world.status, component_stacks=(dropped,))
    world.execute(summary("e1", "Succeeded", revision="abc123"), succeeded())
    assert world.status.further_stacks == (dropped,)
    assert dropped not in world.status.component_stacks


@pytest.mark.parametrize(
    ("trigger", "reason"),
    [
        ({"stopTrigger": {"reason": "wrong day"}}, "stopped by request: wrong day"),
        ({}, "stopped by request: no reason was given"),
    ],
)
def test_stopped(world: World, trigger: dict[str, Any], reason: str) -> None:
    assert world.execute(summary("e1", "Stopped", **trigger)) is Phase.FAILED
    assert world.status.reason == reason


@pytest.mark.parametrize("status", ["Superseded", "Cancelled"])
def test_an_overtaken_execution_tells_nothing(world: World, status: str) -> None:
    before = world.status
    assert world.execute(summary("e1", status)) is None
    assert world.status == before
    assert world.execute(summary("e2", "InProgress", second=5)) is Phase.PROVISIONING


def test_only_the_newest_execution_is_read(world: World) -> None:
    world.history.summaries = [summary(f"e{n}", "Superseded", second=n) for n in range(50)]
    world.execute(summary("e50", "InProgress", second=50))
    assert world.history.read == 1


@pytest.mark.parametrize(
    ("status", "outcome", "deployed"),
    [
        ("InProgress", "rolling back to good", ""),
        ("Succeeded", "rolled back to good", "good"),
        ("Stopped", "the rollback to good was stopped", ""),
        ("Failed", "the rollback to good failed: stage Build, action Synth: no space; phase BUILD: full", ""),
    ],
)
def test_an_automated_rollback_tells_both(world: World, status: str, outcome: str, deployed: str) -> None:
    world.facts.build = "phase BUILD: full"
    world.history.details = {"good": succeeded(), "bad": failed_deploy()}
    world.history.summaries = [
        summary("good", "Succeeded", second=0),
        summary("bad", "Failed", second=10),
        summary("other", "Failed", second=15),
    ]
    own = [build("Failed", message="no space")] if status == "Failed" else [source()]
    undo = rollback("undo", status, second=20, target="good", failed="bad", revision="good")
    assert world.execute(undo, own) is Phase.FAILED
    assert world.status.reason == f"{FAILURE}; {outcome}"
    assert world.status.revision_deployed == deployed
    assert world.status.execution_id == "undo"


def test_a_rollback_by_hand_blames_the_execution_before_it(world: World) -> None:
    world.history.details = {"good": succeeded(), "bad": failed_deploy()}
    world.history.summaries = [
        summary("good", "Succeeded", second=0),
        summary("bad", "Failed", second=10),
        summary("overtaken", "Superseded", second=15),
    ]
    world.execute(rollback("undo", "Succeeded", second=20, target="good", revision="good"))
    assert world.status.reason == f"{FAILURE}; rolled back to good"


def test_a_rollback_that_fetched_nothing_goes_back_to_its_targets_revision(world: World) -> None:
    world.history.summaries = [
        summary("good", "Succeeded", second=0, revision="good"),
        summary("bad", "Failed", second=10, revision="bad"),
    ]
    world.execute(rollback("undo", "InProgress", second=20, target="good", failed="bad"))
    assert world.status.reason.endswith("; rolling back to good")


def test_a_rollback_of_a_success_is_a_persons_wish(world: World) -> None:
    world.history.details = {"good": succeeded(), "unloved": succeeded()}
    world.history.summaries = [
        summary("bad", "Failed", second=0),
        summary("good", "Succeeded", second=5),
        summary("unloved", "Succeeded", second=10),
    ]
    world.execute(rollback("undo", "Succeeded", second=20, target="good", revision="good"))
    assert world.status.reason == "a person asked for a rollback; rolled back to good"


def test_a_rollback_whose_past_is_forgotten(world: World) -> None:
    world.execute(rollback("undo", "Succeeded", second=20, target="gone", failed="gone too"))
    assert world.status.reason == ("the execution that failed is no longer known; rolled back to an unknown revision")
    assert world.status.revision_deployed == ""


def test_after_a_rollback_the_next_success_is_active(world: World) -> None:
    world.execute(rollback("undo", "Succeeded", second=20, target="gone"))
    assert world.execute(summary("e2", "Succeeded", second=30, revision="fixed"), succeeded()) is Phase.ACTIVE
    assert (world.status.reason, world.status.revision_deployed) == ("", "fixed")


@pytest.mark.parametrize("pipeline", ["granary-cicd", "silo-nobody-pipeline", "pool-silo1-pipeline", "silo--pipeline"])
def test_pipelines_of_no_known_deployment_are_left_alone(
    world: World, caplog: pytest.LogCaptureFixture, pipeline: str
) -> None:
    caplog.set_level("INFO")
    before = dict(world.statuses.items)
    assert world.watch.look(pipeline) is None
    assert world.statuses.items == before
    assert pipeline in caplog.text


def test_a_pipeline_that_is_gone_tells_nothing(world: World) -> None:
    assert world.watch.look(PIPELINE) is None


def test_an_invalid_row_keeps_its_phase(world: World) -> None:
    world.statuses.items["silo1"] = replace(world.status, phase=Phase.INVALID, reason="region is missing")
    assert world.execute(summary("e1", "Succeeded", revision="abc123"), succeeded()) is None
    assert (world.status.phase, world.status.reason) == (Phase.INVALID, "region is missing")
    assert world.status.revision_deployed == "abc123"
