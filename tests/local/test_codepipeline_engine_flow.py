"""Execution modes, transitions, stop, retry and rollback, on a running local cloud."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.local.pipeline_support import World, action, approval, until


def stage(name: str, *actions: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A stage."""
    return {"name": name, "actions": list(actions), **more}


def start(world: World, name: str) -> str:
    """Start an execution."""
    return str(world.pipelines.start_pipeline_execution(name=name)["pipelineExecutionId"])


def in_stage(world: World, name: str, stage_name: str) -> str | None:
    """The execution that is, or was last, in a stage."""
    states = world.pipelines.get_pipeline_state(name=name)["stageStates"]
    found = next(item for item in states if item["stageName"] == stage_name)
    latest: str | None = found.get("latestExecution", {}).get("pipelineExecutionId")
    return latest


def await_in_stage(world: World, name: str, stage_name: str, execution: str) -> None:
    """Wait until the execution is in the stage."""
    until(lambda: in_stage(world, name, stage_name) == execution, what=f"{execution} in stage {stage_name}")


def test_queued_executions_keep_their_order(world: World) -> None:
    name = world.create("queued", [stage("Wait", approval("Go"))])
    first = world.executions(name)[0]["pipelineExecutionId"]
    world.waiting_approval(name, "Wait", "Go")
    order = [first, start(world, name), start(world, name)]
    for execution in order:
        await_in_stage(world, name, "Wait", execution)
        world.decide(name, "Wait", "Go")
        assert world.ended(name, execution)["status"] == "Succeeded"


def test_superseded(world: World) -> None:
    name = world.create("superseded", [stage("Wait", approval("Go"))], executionMode="SUPERSEDED")
    world.waiting_approval(name, "Wait", "Go")
    second, third = start(world, name), start(world, name)
    assert world.ended(name, second)["status"] == "Superseded"
    world.decide(name, "Wait", "Go")
    await_in_stage(world, name, "Wait", third)
    world.decide(name, "Wait", "Go")
    assert world.ended(name, third)["status"] == "Succeeded"


def test_parallel_executions_do_not_wait(world: World) -> None:
    name = world.create("side-by-side", [stage("Wait", approval("Go"))], executionMode="PARALLEL")
    second = start(world, name)

    def both_wait() -> bool:
        details = world.pipelines.list_action_executions(pipelineName=name)["actionExecutionDetails"]
        return [item["status"] for item in details if item["actionName"] == "Go"] == ["InProgress"] * 2

    until(both_wait, what="two waiting approvals")
    for execution in (second, world.executions(name)[0]["pipelineExecutionId"]):
        world.pipelines.stop_pipeline_execution(pipelineName=name, pipelineExecutionId=execution, abandon=True)
        assert world.ended(name, execution)["status"] == "Stopped"


def test_disabled_transition_holds_executions(world: World) -> None:
    name = world.create("held", [stage("First", approval("One")), stage("Second", approval("Two"))])
    transition = {"pipelineName": name, "stageName": "Second", "transitionType": "Inbound"}
    world.pipelines.disable_stage_transition(**transition, reason="freeze")
    world.decide(name, "First", "One")

    def held() -> bool:
        state = world.pipelines.get_pipeline_state(name=name)["stageStates"][2]
        return bool(state["inboundExecutions"]) and state["inboundTransitionState"]["disabledReason"] == "freeze"

    until(held, what="an execution before the closed stage")
    world.pipelines.enable_stage_transition(**transition)
    world.decide(name, "Second", "Two")
    assert world.ended(name)["status"] == "Succeeded"


def test_stop_waits_for_running_actions(world: World) -> None:
    name = world.create("stopped", [stage("First", approval("One")), stage("Second", approval("Two"))])
    world.waiting_approval(name, "First", "One")
    execution = world.executions(name)[0]["pipelineExecutionId"]
    wanted = {"pipelineName": name, "pipelineExecutionId": execution}
    world.pipelines.stop_pipeline_execution(**wanted, reason="because")
    with pytest.raises(ClientError, match="DuplicatedStopRequestException"):
        world.pipelines.stop_pipeline_execution(**wanted)
    assert world.executions(name)[0]["status"] == "Stopping"
    world.decide(name, "First", "One")
    assert world.ended(name)["status"] == "Stopped"
    assert "Two" not in world.actions(name)
    with pytest.raises(ClientError, match="PipelineExecutionNotStoppableException"):
        world.pipelines.stop_pipeline_execution(**wanted)


def test_retry_runs_only_what_failed(world: World) -> None:
    name = world.create("retried", [stage("Wait", approval("One"), approval("Two"))])
    world.decide(name, "Wait", "One")
    world.decide(name, "Wait", "Two", status="Rejected")
    execution = world.executions(name)[0]["pipelineExecutionId"]
    assert world.ended(name)["status"] == "Failed"
    done = world.actions(name)["One"]["actionExecutionId"]
    world.pipelines.retry_stage_execution(
        pipelineName=name, stageName="Wait", pipelineExecutionId=execution, retryMode="FAILED_ACTIONS"
    )
    world.decide(name, "Wait", "Two")
    assert world.ended(name)["status"] == "Succeeded"
    assert world.actions(name)["One"]["actionExecutionId"] == done


def test_automatic_retry(world: World) -> None:
    failing = stage("Wait", approval("Go"), onFailure={"result": "RETRY"})
    name = world.create("auto-retry", [failing])
    world.decide(name, "Wait", "Go", status="Rejected")
    until(lambda: len(all_actions(world, name)) == 3, what="the second attempt")
    world.decide(name, "Wait", "Go")
    assert world.ended(name)["status"] == "Succeeded"


def all_actions(world: World, name: str) -> list[dict[str, Any]]:
    """All runs of all actions, the newest first."""
    found: list[dict[str, Any]] = world.pipelines.list_action_executions(pipelineName=name)["actionExecutionDetails"]
    return found


def test_automatic_rollback(world: World) -> None:
    good = world.put_source({"mark": "good"})
    name = world.create("rollback", [stage("Wait", approval("Go"), onFailure={"result": "ROLLBACK"})])
    world.decide(name, "Wait", "Go")
    first = world.executions(name)[0]["pipelineExecutionId"]
    assert world.ended(name)["status"] == "Succeeded"
    bad = world.put_source({"mark": "bad"})
    second = start(world, name)
    await_in_stage(world, name, "Wait", second)
    world.decide(name, "Wait", "Go", status="Rejected")
    failed = world.ended(name, second)
    assert (failed["status"], failed["artifactRevisions"][0]["revisionId"]) == ("Failed", bad)

    until(lambda: len(world.executions(name)) == 3, what="the rollback")
    world.decide(name, "Wait", "Go")
    third = world.executions(name)[2]["pipelineExecutionId"]
    rolled_back = world.ended(name, third)
    assert rolled_back["status"] == "Succeeded"
    assert rolled_back["executionType"] == "ROLLBACK"
    assert rolled_back["rollbackMetadata"] == {"rollbackTargetPipelineExecutionId": first}
    assert rolled_back["artifactRevisions"][0]["revisionId"] == good
    assert rolled_back["trigger"]["triggerType"] == "AutomatedRollback"
    assert "FailedPipelineExecutionId" in json.loads(rolled_back["trigger"]["triggerDetail"])


def test_rollback_without_an_earlier_success(world: World) -> None:
    name = world.create("nowhere", [stage("Wait", approval("Go"), onFailure={"result": "ROLLBACK"})])
    world.decide(name, "Wait", "Go", status="Rejected")
    assert world.ended(name)["status"] == "Failed"
    until(lambda: "No execution has succeeded" in world.ended(name).get("statusSummary", ""), what="the reason")
    with pytest.raises(ClientError, match="UnableToRollbackStageException"):
        world.pipelines.rollback_stage(
            pipelineName=name,
            stageName="Wait",
            targetPipelineExecutionId=world.executions(name)[0]["pipelineExecutionId"],
        )


def test_update_cancels_what_runs(world: World) -> None:
    name = world.create("updated", [stage("Wait", approval("Go"))])
    world.waiting_approval(name, "Wait", "Go")
    definition = world.pipelines.get_pipeline(name=name)["pipeline"]
    definition["stages"][1]["name"] = "Renamed"
    assert world.pipelines.update_pipeline(pipeline=definition)["pipeline"]["version"] == 2
    ended = world.ended(name)
    assert ended["status"] == "Cancelled"
    assert "definition was updated" in ended["statusSummary"]
    assert world.actions(name)["Go"]["status"] == "Abandoned"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"stages": []}, "InvalidStructureException"),
        ({"variables": [{"name": "x"}], "pipelineType": "V1"}, "ValidationException"),
        ({"executionMode": "SOMETIMES"}, "ValidationException"),
    ],
)
def test_refused_structures(world: World, change: dict[str, Any], code: str) -> None:
    definition = {**world.definition("refused", [stage("Wait", approval("Go"))]), **change}
    with pytest.raises(ClientError, match=code):
        world.pipelines.create_pipeline(pipeline=definition)


@pytest.mark.parametrize(
    "refused",
    [
        stage("Deploy", action("Ship", "Deploy/ECS", inputs=["Source"])),
        stage("Build", action("Build", "Build/CodeBuild", configuration={"ProjectName": "p"}, inputs=["Missing"])),
        stage("Build", action("Build", "Build/CodeBuild", inputs=["Source"])),
    ],
)
def test_refused_actions(world: World, refused: dict[str, Any]) -> None:
    with pytest.raises(ClientError, match="InvalidActionDeclarationException"):
        world.pipelines.create_pipeline(pipeline=world.definition("refused", [refused]))


def test_conditions_are_refused_loudly(world: World) -> None:
    rule = {"name": "r", "ruleTypeId": {"category": "Rule", "provider": "CloudWatchAlarm"}}
    guarded = stage("Wait", approval("Go"), beforeEntry={"conditions": [{"result": "FAIL", "rules": [rule]}]})
    with pytest.raises(ClientError, match="does not evaluate stage conditions"):
        world.pipelines.create_pipeline(pipeline=world.definition("guarded", [guarded]))


def test_names_are_unique_and_tags_are_kept(world: World) -> None:
    name = world.create("tagged", [stage("Wait", approval("Go"))])
    definition = world.pipelines.get_pipeline(name=name)
    with pytest.raises(ClientError, match="PipelineNameInUseException"):
        world.pipelines.create_pipeline(pipeline=definition["pipeline"])
    arn = definition["metadata"]["pipelineArn"]
    world.pipelines.tag_resource(resourceArn=arn, tags=[{"key": "a", "value": "1"}, {"key": "b", "value": "2"}])
    world.pipelines.untag_resource(resourceArn=arn, tagKeys=["a"])
    assert world.pipelines.list_tags_for_resource(resourceArn=arn)["tags"] == [{"key": "b", "value": "2"}]
    assert world.pipelines.list_rule_executions(pipelineName=name)["ruleExecutionDetails"] == []
