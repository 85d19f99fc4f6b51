"""CodeCommit as a pipeline's source: started by a push, handed over as files or with the history."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.local.codecommit_support import Clone, checked_client, clone_of
from tests.local.local_cloud_fixtures import Workbench, allow
from tests.local.pipeline_support import REGION, World, action, approval, until

_BUILDSPEC = "version: 0.2\nphases: {build: {commands: [git log --format=%s, cat a]}}\n"
_FROM_PIPELINE: dict[str, Any] = {"source": {"type": "CODEPIPELINE"}, "artifacts": {"type": "CODEPIPELINE"}}


@pytest.fixture
def world(workbench: Workbench) -> World:
    """An account of its own, with the empty repository `shop`."""
    checked_client(workbench).create_repository(repositoryName="shop")
    return World(cloud=workbench.cloud, account=workbench.account).build()


def _stages(*last: dict[str, Any], **configuration: str) -> list[dict[str, Any]]:
    settings = {
        "RepositoryName": "shop",
        "BranchName": "main",
        "PollForSourceChanges": "false",
        **configuration,
    }
    source = action("Fetch", "Source/CodeCommit", configuration=settings, outputs=["Source"], namespace="Fetched")
    return [{"name": "Source", "actions": [source]}, {"name": "Next", "actions": list(last)}]


def _create(world: World, name: str, stages: list[dict[str, Any]], **more: Any) -> str:
    definition = world.definition(name, [], **more) | {"stages": stages}
    world.pipelines.create_pipeline(pipeline=definition)
    return str(definition["name"])


def _clone(workbench: Workbench, folder: Path) -> Clone:
    return clone_of(workbench, f"{workbench.cloud.endpoint}/v1/repos/shop", folder)


def _push(clone: Clone, *texts: str) -> list[str]:
    commits = [clone.commit("a", f"{text}\n") for text in texts]
    pushed = clone.git("push", "origin", "main")
    assert pushed.returncode == 0, pushed.stderr
    return commits


def test_a_push_starts_the_pipeline(world: World, workbench: Workbench, tmp_path: Path) -> None:
    """Given the rule that the CDK makes for such a source, then the pushed commit is what the pipeline gets."""
    clone, role = _clone(workbench, tmp_path / "a"), workbench.build_role(allow("s3:*"))
    _push(clone, "one")
    spec = "version: 0.2\nphases: {build: {commands: ['test ! -e .git', cat a]}}"
    configuration = {"ProjectName": workbench.project(spec, role=role, **_FROM_PIPELINE)}
    last = action("Build", "Build/CodeBuild", configuration=configuration, inputs=["Source"])
    name = _create(world, "pushed", _stages(last))
    assert world.ended(name)["status"] == "Succeeded", world.actions(name)
    pattern = {
        "source": ["aws.codecommit"],
        "resources": [f"arn:aws:codecommit:{REGION}:{world.account}:shop"],
        "detail-type": ["CodeCommit Repository State Change"],
        "detail": {"event": ["referenceCreated", "referenceUpdated"], "referenceName": ["main"]},
    }
    starts = world.role("events", service="events.amazonaws.com", actions=["codepipeline:StartPipelineExecution"])
    target = {"Id": "pipeline", "RoleArn": starts, "Arn": f"arn:aws:codepipeline:{REGION}:{world.account}:{name}"}
    world.client("events").put_rule(Name="pushed", EventPattern=json.dumps(pattern))
    world.client("events").put_targets(Rule="pushed", Targets=[target])

    (pushed,) = _push(clone, "two")
    until(lambda: world.executions(name)[1:], what="the second execution")
    second = world.ended(name, world.executions(name)[1]["pipelineExecutionId"])
    assert (second["status"], second["trigger"]["triggerType"]) == ("Succeeded", "CloudWatchEvent")
    (revision,) = second["artifactRevisions"]
    assert (revision["revisionId"], revision["revisionSummary"]) == (pushed, "Write a")
    variables = world.actions(name, second["pipelineExecutionId"])["Fetch"]["output"]["outputVariables"]
    assert (variables["CommitId"], variables["BranchName"], variables["CommitMessage"]) == (pushed, "main", "Write a")


def test_a_clone_has_the_history_if_the_builds_role_may_pull(
    world: World, workbench: Workbench, tmp_path: Path
) -> None:
    commits = _push(_clone(workbench, tmp_path / "a"), "one", "two", "three")
    role = workbench.build_role(allow("s3:*"))
    build = workbench.project(_BUILDSPEC, role=role, **_FROM_PIPELINE)
    last = action("Build", "Build/CodeBuild", configuration={"ProjectName": build}, inputs=["Source"])
    name = _create(world, "cloned", _stages(last, OutputArtifactFormat="CODEBUILD_CLONE_REF"))
    assert world.ended(name)["status"] == "Failed"
    refused = world.actions(name)["Build"]["output"]["executionResult"]["errorDetails"]["message"]
    assert "403" in refused, refused

    policy = {"Version": "2012-10-17", "Statement": [allow("codecommit:GitPull")]}
    workbench.client("iam").put_role_policy(RoleName="build", PolicyName="pull", PolicyDocument=json.dumps(policy))
    revision = {"actionName": "Fetch", "revisionType": "COMMIT_ID", "revisionValue": commits[1]}
    started = world.pipelines.start_pipeline_execution(name=name, sourceRevisions=[revision])["pipelineExecutionId"]
    assert world.ended(name, started)["status"] == "Succeeded", world.actions(name, started)
    build_id = world.actions(name, started)["Build"]["output"]["executionResult"]["externalExecutionId"]
    found = workbench.client("codebuild").batch_get_builds(ids=[build_id])["builds"][0]
    log = workbench.log(found)
    assert found["resolvedSourceVersion"] == commits[1]
    assert ("two\n" in log, "three\n" in log, log.count("Write a")) == (True, False, 2)


def test_a_second_source_is_cloned_with_its_history_if_the_builds_role_may_pull(
    world: World, workbench: Workbench, tmp_path: Path
) -> None:
    """By the address that AWS gives the repository, as templates have it."""
    _, commit, _ = _push(_clone(workbench, tmp_path / "a"), "one", "two", "three")
    address = f"https://git-codecommit.{REGION}.amazonaws.com/v1/repos/shop"
    second = {"type": "CODECOMMIT", "location": address, "sourceIdentifier": "shop"}
    spec = "version: 0.2\nphases:\n  build:\n    commands: ['git -C \"$CODEBUILD_SRC_DIR_shop\" log --format=%H:%s']\n"
    role = workbench.build_role()
    workbench.project(spec, role=role, name="scan", secondarySources=[second])
    wanted = {"secondarySourcesVersionOverride": [{"sourceIdentifier": "shop", "sourceVersion": commit}]}
    refused = workbench.build("scan", **wanted)
    assert refused["buildStatus"] == "FAILED"
    assert "403" in str(refused["phases"])

    policy = {"Version": "2012-10-17", "Statement": [allow("codecommit:GitPull")]}
    workbench.client("iam").put_role_policy(RoleName="build", PolicyName="pull", PolicyDocument=json.dumps(policy))
    build = workbench.build("scan", **wanted)
    assert build["buildStatus"] == "SUCCEEDED", workbench.log(build)
    assert (f"{commit}:Write a" in workbench.log(build), workbench.log(build).count(":Write a")) == (True, 2)


def test_the_source_needs_its_permissions(world: World, workbench: Workbench, tmp_path: Path) -> None:
    _push(_clone(workbench, tmp_path / "a"), "one")
    reading = ["codecommit:GetBranch", "codecommit:GetCommit", "s3:*"]
    role = world.role("reading", service="codepipeline.amazonaws.com", actions=reading)
    name = _create(world, "denied", _stages(approval("Go")), roleArn=role)
    assert world.ended(name)["status"] == "Failed"
    error = world.actions(name)["Fetch"]["output"]["executionResult"]["errorDetails"]
    assert (error["code"], "codecommit:UploadArchive" in error["message"]) == ("PermissionError", True)


def test_polling_is_refused(world: World) -> None:
    with pytest.raises(ClientError, match="does not poll"):
        _create(world, "polls", _stages(approval("Go"), PollForSourceChanges="true"))
