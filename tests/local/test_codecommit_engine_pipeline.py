"""CodeCommit as a pipeline's source: started by a push, handed over as files or with the history."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.local.codecommit_support import checked_client, clone_of
from tests.local.local_cloud_fixtures import Workbench, allow
from tests.local.pipeline_support import REGION, World, action, approval, until

_BUILDSPEC = (
    "version: 0.2\nphases: {build: {commands: [git log --format=%s, 'cat a', 'git status --short --branch']}}\n"
)


@pytest.fixture
def bench(world: World) -> Workbench:
    """The same account, with the repository `shop`."""
    found = Workbench(cloud=world.cloud, account=world.account, region=REGION)
    checked_client(found).create_repository(repositoryName=f"shop-{world.tag}")
    return found


def _stages(world: World, *last: dict[str, Any], **configuration: str) -> list[dict[str, Any]]:
    settings = {
        "RepositoryName": f"shop-{world.tag}",
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


def _push(world: World, bench: Workbench, folder: Path, *texts: str) -> list[str]:
    url = f"{world.cloud.endpoint}/v1/repos/shop-{world.tag}"
    clone = clone_of(bench, url, folder)
    commits = [clone.commit("a", f"{text}\n") for text in texts]
    pushed = clone.git("push", "origin", "main")
    assert pushed.returncode == 0, pushed.stderr
    return commits


def test_a_push_starts_the_pipeline(world: World, bench: Workbench, tmp_path: Path) -> None:
    """Given the rule that the CDK makes for such a source, then the pushed commit is what the pipeline gets."""
    arn = f"arn:aws:codecommit:{REGION}:{world.account}:shop-{world.tag}"
    role = world.role("events", service="events.amazonaws.com", actions=["codepipeline:StartPipelineExecution"])
    build = bench.project(
        "version: 0.2\nphases: {build: {commands: ['test ! -e .git', 'grep two a']}}",
        role=bench.build_role(allow("s3:*")),
        source={"type": "CODEPIPELINE"},
        artifacts={"type": "CODEPIPELINE"},
    )
    commits = _push(world, bench, tmp_path / "a", "one", "two")
    configuration = {"ProjectName": build, "EnvironmentVariables": "[]"}
    last = action("Build", "Build/CodeBuild", configuration=configuration, inputs=["Source"])
    name = _create(world, "pushed", _stages(world, last), variables=[{"name": "who", "defaultValue": "me"}])
    first = world.ended(name)
    assert first["status"] == "Succeeded", world.actions(name)
    pattern = {
        "source": ["aws.codecommit"],
        "resources": [arn],
        "detail-type": ["CodeCommit Repository State Change"],
        "detail": {"event": ["referenceCreated", "referenceUpdated"], "referenceName": ["main"]},
    }
    events = world.client("events")
    events.put_rule(Name="pushed", EventPattern=json.dumps(pattern))
    target = {"Id": "pipeline", "RoleArn": role, "Arn": f"arn:aws:codepipeline:{REGION}:{world.account}:{name}"}
    events.put_targets(Rule="pushed", Targets=[target])
    put = checked_client(bench).put_file(
        repositoryName=f"shop-{world.tag}",
        branchName="main",
        filePath="b",
        fileContent=b"b",
        parentCommitId=commits[-1],
        commitMessage="Write b",
    )
    until(lambda: world.executions(name)[1:], what="the second execution")
    second = world.ended(name, world.executions(name)[1]["pipelineExecutionId"])
    assert second["status"] == "Succeeded"
    assert second["trigger"]["triggerType"] == "CloudWatchEvent"
    assert second["artifactRevisions"][0]["revisionId"] == put["commitId"]
    assert second["artifactRevisions"][0]["revisionSummary"] == "Write b"


def test_a_clone_has_the_history_if_the_builds_role_may_pull(world: World, bench: Workbench, tmp_path: Path) -> None:
    commits = _push(world, bench, tmp_path / "a", "one", "two", "three")
    role = bench.build_role(allow("s3:*"))
    build = bench.project(_BUILDSPEC, role=role, source={"type": "CODEPIPELINE"}, artifacts={"type": "CODEPIPELINE"})
    last = action("Build", "Build/CodeBuild", configuration={"ProjectName": build}, inputs=["Source"])
    name = _create(world, "cloned", _stages(world, last, OutputArtifactFormat="CODEBUILD_CLONE_REF"))
    assert world.ended(name)["status"] == "Failed"
    refused = world.actions(name)["Build"]["output"]["executionResult"]["errorDetails"]["message"]
    assert "403" in refused, refused

    policy = {"Version": "2012-10-17", "Statement": [allow("codecommit:GitPull")]}
    bench.client("iam").put_role_policy(RoleName="build", PolicyName="pull", PolicyDocument=json.dumps(policy))
    revision = {"actionName": "Fetch", "revisionType": "COMMIT_ID", "revisionValue": commits[1]}
    started = world.pipelines.start_pipeline_execution(name=name, sourceRevisions=[revision])["pipelineExecutionId"]
    assert world.ended(name, started)["status"] == "Succeeded", world.actions(name, started)
    build_id = world.actions(name, started)["Build"]["output"]["executionResult"]["externalExecutionId"]
    found = bench.client("codebuild").batch_get_builds(ids=[build_id])["builds"][0]
    log = bench.log(found)
    assert found["resolvedSourceVersion"] == commits[1]
    assert ("two\n" in log, "three\n" in log, log.count("Write a")) == (True, False, 2)


def test_the_source_needs_its_permissions(world: World, bench: Workbench, tmp_path: Path) -> None:
    _push(world, bench, tmp_path / "a", "one")
    reading = ["codecommit:GetBranch", "codecommit:GetCommit", "s3:*"]
    role = world.role("reading", service="codepipeline.amazonaws.com", actions=reading)
    name = _create(world, "denied", _stages(world, approval("Go")), roleArn=role)
    assert world.ended(name)["status"] == "Failed"
    error = world.actions(name)["Fetch"]["output"]["executionResult"]["errorDetails"]
    assert (error["code"], "codecommit:UploadArchive" in error["message"]) == ("PermissionError", True)


def test_polling_is_refused(world: World, bench: Workbench) -> None:
    with pytest.raises(ClientError, match="does not poll"):
        _create(world, "polls", _stages(world, approval("Go"), PollForSourceChanges="true"))
