"""CodeBuild actions: artifacts, variables, failures and what stopping does, on a running local cloud."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.local.pipeline_support import REGION, World, action, until

BUILD = """
version: 0.2
env:
  exported-variables: [RESULT]
phases:
  build:
    commands:
      - cat source.txt
      - export RESULT="$GREETING-$(cat source.txt)-$CODEBUILD_RESOLVED_SOURCE_VERSION"
      - mkdir out && echo "$RESULT" > out/result.txt
artifacts:
  base-directory: out
  files: ["**/*"]
"""
JOIN = """
version: 0.2
env:
  exported-variables: [JOINED]
phases:
  build:
    commands:
      - export JOINED="$(cat source.txt)+$(cat "$CODEBUILD_SRC_DIR_Built/result.txt")"
"""
FAIL = "version: 0.2\nphases: {build: {commands: ['exit 3']}}\n"
HANG = "version: 0.2\nphases: {build: {commands: ['sleep 300']}}\n"


def project(world: World, name: str, buildspec: str) -> str:
    """A project for pipelines; returns its name."""
    full = f"{name}-{world.tag}"
    role = world.role(f"build-{name}", service="codebuild.amazonaws.com", actions=["logs:*", "s3:*", "kms:*"])
    world.client("codebuild").create_project(
        name=full,
        source={"type": "CODEPIPELINE", "buildspec": buildspec},
        artifacts={"type": "CODEPIPELINE"},
        environment={
            "type": "LINUX_CONTAINER",
            "image": "aws/codebuild/standard:7.0",
            "computeType": "BUILD_GENERAL1_SMALL",
        },
        serviceRole=role,
    )
    return full


def build(name: str, project_name: str, **more: Any) -> dict[str, Any]:
    """A build action of the source."""
    configuration = {"ProjectName": project_name, **more.pop("configuration", {})}
    inputs = more.pop("inputs", ["Source"])
    return action(name, "Build/CodeBuild", configuration=configuration, inputs=inputs, **more)


def builds(world: World, project_name: str) -> list[dict[str, Any]]:
    """The project's builds."""
    codebuild = world.client("codebuild")
    ids = codebuild.list_builds_for_project(projectName=project_name)["ids"]
    found: list[dict[str, Any]] = codebuild.batch_get_builds(ids=ids)["builds"] if ids else []
    return found


def test_builds_pass_artifacts_and_variables_on(world: World) -> None:
    version = world.put_source({"source.txt": "apple"})
    variables = [{"name": "GREETING", "value": "hello-#{variables.tone}", "type": "PLAINTEXT"}]
    first = build(
        "Make",
        project(world, "make", BUILD),
        outputs=["Built"],
        namespace="Made",
        configuration={"EnvironmentVariables": json.dumps(variables)},
    )
    second = build(
        "Join",
        project(world, "join", JOIN),
        inputs=["Source", "Built"],
        runOrder=2,
        configuration={"PrimarySource": "Source"},
    )
    name = world.create(
        "build",
        [{"name": "Build", "actions": [first, second]}],
        variables=[{"name": "tone", "defaultValue": "soft"}],
    )
    assert world.ended(name)["status"] == "Succeeded", world.actions(name)
    result = f"hello-soft-apple-{version}"
    actions = world.actions(name)
    assert actions["Make"]["output"]["outputVariables"] == {"RESULT": result}
    assert actions["Join"]["output"]["outputVariables"] == {"JOINED": f"apple+{result}"}
    record = builds(world, f"make-{world.tag}")[0]
    assert record["id"] == actions["Make"]["output"]["executionResult"]["externalExecutionId"]
    assert record["initiator"] == f"codepipeline/{name}"


def test_failed_build_names_the_command(world: World) -> None:
    name = world.create("fails", [{"name": "Build", "actions": [build("Make", project(world, "fails", FAIL))]}])
    assert world.ended(name)["status"] == "Failed"
    error = world.actions(name)["Make"]["output"]["executionResult"]["errorDetails"]
    assert error["code"] == "JobFailed"
    assert "Phase: BUILD, Code: COMMAND_EXECUTION_ERROR" in error["message"]
    assert "exit 3" in error["message"]


def test_abandoning_stops_the_build_and_an_update_does_not(world: World) -> None:
    hanging = project(world, "hangs", HANG)
    name = world.create("hangs", [{"name": "Build", "actions": [build("Make", hanging)]}])
    until(lambda: builds(world, hanging), what="the build")
    first = world.executions(name)[0]["pipelineExecutionId"]
    world.pipelines.stop_pipeline_execution(pipelineName=name, pipelineExecutionId=first, abandon=True)
    assert world.ended(name)["status"] == "Stopped"
    # The execution has ended when the build is told to: its processes take a moment to.
    until(lambda: [item["buildStatus"] for item in builds(world, hanging)] == ["STOPPED"], what="the stopped build")

    world.pipelines.start_pipeline_execution(name=name)
    until(lambda: builds(world, hanging)[1:], what="the second build")
    definition = world.pipelines.get_pipeline(name=name)["pipeline"]
    definition["stages"][1]["name"] = "Renamed"
    world.pipelines.update_pipeline(pipeline=definition)
    second = world.executions(name)[1]["pipelineExecutionId"]
    assert world.ended(name, second)["status"] == "Cancelled"
    running = [item for item in builds(world, hanging) if item["buildStatus"] == "IN_PROGRESS"]
    assert len(running) == 1, "self-mutation must be able to finish its own build"
    world.client("codebuild").stop_build(id=running[0]["id"])


def test_batch_builds_are_refused(world: World) -> None:
    batch = build("Make", "any", configuration={"BatchEnabled": "true"})
    with pytest.raises(ClientError, match="does not execute BatchEnabled"):
        world.create("batch", [{"name": "Build", "actions": [batch]}])


def test_rule_starts_a_build(world: World) -> None:
    quick = project(world, "quick", "version: 0.2\nphases: {build: {commands: ['true']}}\n")
    world.client("codebuild").update_project(
        name=quick,
        source={"type": "NO_SOURCE", "buildspec": "version: 0.2\nphases: {build: {commands: ['true']}}\n"},
        artifacts={"type": "NO_ARTIFACTS"},
    )
    role = world.role("starter", service="events.amazonaws.com", actions=["codebuild:StartBuild"])
    arn = f"arn:aws:codebuild:{REGION}:{world.account}:project/{quick}"
    rules = world.client("events")
    rules.put_rule(Name="build", EventPattern=json.dumps({"source": ["test.build"]}))
    rules.put_targets(Rule="build", Targets=[{"Id": "project", "Arn": arn, "RoleArn": role}])
    rules.put_events(Entries=[{"Source": "test.build", "DetailType": "go", "Detail": "{}"}])
    until(lambda: [item for item in builds(world, quick) if item["buildStatus"] == "SUCCEEDED"], what="the build")
