"""A build that CodePipeline starts: sources and artifacts of type CODEPIPELINE."""

from __future__ import annotations

import io
import zipfile
from typing import Any

import pytest

from tests.local.local_cloud_fixtures import REGION, Workbench, allow, wait_until, zipped

_SPEC = """
version: 0.2
env: {exported-variables: [GREETING]}
phases:
  build:
    commands:
      - cat name.txt "$CODEBUILD_SRC_DIR_Extra/name.txt" > both.txt
      - export GREETING="$CODEBUILD_INITIATOR $CODEBUILD_RESOLVED_SOURCE_VERSION"
artifacts:
  secondary-artifacts:
    First: {files: [both.txt]}
    Second: {files: ['*.yml']}
"""


def _source(name: str, bucket: str) -> dict[str, Any]:
    return {
        "name": name,
        "actionTypeId": {"category": "Source", "owner": "AWS", "provider": "S3", "version": "1"},
        "configuration": {"S3Bucket": bucket, "S3ObjectKey": f"{name}.zip", "PollForSourceChanges": "false"},
        "outputArtifacts": [{"name": name}],
    }


def _pipeline(role: str, bucket: str) -> dict[str, Any]:
    build = {
        "name": "Build",
        "actionTypeId": {"category": "Build", "owner": "AWS", "provider": "CodeBuild", "version": "1"},
        "configuration": {"ProjectName": "project", "PrimarySource": "Main"},
        "inputArtifacts": [{"name": "Main"}, {"name": "Extra"}],
        "outputArtifacts": [{"name": "First"}, {"name": "Second"}],
        "namespace": "build",
    }
    return {
        "name": "release",
        "roleArn": role,
        "pipelineType": "V2",
        "artifactStore": {"type": "S3", "location": bucket},
        "stages": [
            {"name": "Source", "actions": [_source("Main", bucket), _source("Extra", bucket)]},
            {"name": "Build", "actions": [build]},
        ],
    }


def test_a_build_takes_its_sources_from_the_pipeline_and_hands_its_artifacts_back(workbench: Workbench) -> None:
    s3, bucket = workbench.client("s3"), f"pipeline-{workbench.account}"
    s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    version = s3.put_object(Bucket=bucket, Key="Main.zip", Body=zipped({"name.txt": "main\n", "buildspec.yml": _SPEC}))[
        "VersionId"
    ]
    s3.put_object(Bucket=bucket, Key="Extra.zip", Body=zipped({"name.txt": "extra\n"}))
    store = [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"]
    workbench.project(
        None,
        role=workbench.build_role(allow("s3:GetObject*", "s3:PutObject", resource=store)),
        source={"type": "CODEPIPELINE"},
        artifacts={"type": "CODEPIPELINE"},
    )
    role = workbench.role(
        "pipeline",
        principal={"Service": "codepipeline.amazonaws.com"},
        statements=[allow("s3:*", resource=store), allow("codebuild:*")],
    )
    codepipeline = workbench.client("codepipeline")
    codepipeline.create_pipeline(pipeline=_pipeline(role, bucket))

    def finished() -> dict[str, Any] | None:
        found = codepipeline.list_action_executions(pipelineName="release")["actionExecutionDetails"]
        build = next((item for item in found if item["actionName"] == "Build"), None)
        return build if build is not None and build["status"] != "InProgress" else None

    action = wait_until(finished, what="the build action's end")
    assert action["status"] == "Succeeded", action
    assert action["output"]["outputVariables"]["GREETING"] == f"codepipeline/release {version}"
    contents = {item["name"]: item["s3location"] for item in action["output"]["outputArtifacts"]}
    assert _names(s3, contents["First"]) == ["both.txt"]
    assert _names(s3, contents["Second"]) == ["buildspec.yml"]


def _names(s3: Any, location: dict[str, str]) -> list[str]:
    body = s3.get_object(Bucket=location["bucket"], Key=location["key"])["Body"].read()
    return zipfile.ZipFile(io.BytesIO(body)).namelist()


@pytest.mark.parametrize("token", ["unknown", "guess"])
def test_a_token_that_no_pipeline_announced_starts_nothing(workbench: Workbench, token: str) -> None:
    workbench.project(
        None, role=workbench.build_role(), source={"type": "CODEPIPELINE"}, artifacts={"type": "CODEPIPELINE"}
    )
    codebuild = workbench.client("codebuild")
    with pytest.raises(codebuild.exceptions.InvalidInputException, match="only CodePipeline"):
        workbench.start(idempotencyToken=token)
