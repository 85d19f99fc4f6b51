"""Deploying a pipeline stack and seeing to it that it runs, with stub clients and no process."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from hypothesis import HealthCheck, given, settings

from buildspecs.saas.provision.pipelines import Deployed, TenantPipelines
from lambdas.common.errors import GranaryError
from lambdas.common.record import DeploymentRecord
from tests.unit.buildspecs.saas.commands import Commands, stand_in
from tests.unit.buildspecs.saas.provision.fakes import stack_of
from tests.unit.lambdas.fakes import RELEASE, Paged
from tests.unit.lambdas.strategies import records

RECORD = DeploymentRecord(id="a", type="silo", account="222222222222", region="eu-west-1")
NAME = "silo-a-pipeline"
STACK_ID = f"arn:aws:cloudformation:us-east-1:111111111111:stack/{NAME}/1"
CREATED = datetime(2026, 11, 1, tzinfo=UTC)
LATER = CREATED + timedelta(days=1)
BUCKET = "releases"
STACK: dict[str, Any] = {"StackId": STACK_ID, "CreationTime": CREATED}
ASSEMBLY = Path("/somewhere/assembly")


def error(code: str, message: str = "") -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, "Operation")


@dataclass
class CloudFormation:
    """One stack, or none, and its events."""

    stack: dict[str, Any] | None = None
    fault: ClientError | None = None
    reason: str = "User is not authorized"

    def describe_stacks(self, StackName: str) -> dict[str, Any]:
        if self.fault:
            raise self.fault
        if self.stack is None:
            raise error("ValidationError", f"Stack with id {StackName} does not exist")
        return {"Stacks": [self.stack]}

    def get_paginator(self, _operation: str) -> Paged:
        failing = {
            "StackId": STACK_ID,
            "Timestamp": LATER,
            "LogicalResourceId": "Pipeline",
            "ResourceType": "AWS::CodePipeline::Pipeline",
            "ResourceStatus": "CREATE_FAILED",
            "ResourceStatusReason": self.reason,
        }
        return Paged([{"StackEvents": [failing]}])


@dataclass
class CodePipeline:
    """The newest executions of one pipeline, and those that are started."""

    newest: list[dict[str, str]] = field(default_factory=list)
    started: list[dict[str, str]] = field(default_factory=list)

    def list_pipeline_executions(self, **request: Any) -> dict[str, Any]:
        assert request == {"pipelineName": NAME, "maxResults": 1}
        return {"pipelineExecutionSummaries": self.newest}

    def start_pipeline_execution(self, **request: str) -> None:
        self.started.append(request)


def pipelines(**clients: Any) -> TenantPipelines:
    unused = {"s3": None, "cloudformation": None, "codepipeline": None}
    return TenantPipelines(**{**unused, **clients}, releases_bucket=BUCKET, account="111111111111", region="us-east-1")


@pytest.fixture
def commands(monkeypatch: pytest.MonkeyPatch) -> Commands:
    return stand_in(monkeypatch)


def deploy(cloudformation: CloudFormation, record: DeploymentRecord = RECORD) -> tuple[Deployed, list[str]]:
    told: list[str] = []
    deployed = pipelines(cloudformation=cloudformation).deploy(record, assembly=ASSEMBLY, say=told.append)
    return deployed, told


def test_pinning_copies_the_release_once(aws: None) -> None:
    s3 = boto3.client("s3", region_name="us-east-1")
    s3.create_bucket(Bucket=BUCKET)
    s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    released = s3.put_object(Bucket=BUCKET, Key=RELEASE.key, Body=b"one", Metadata={"revision": "abc123"})
    s3.put_object(Bucket=BUCKET, Key=RELEASE.key, Body=b"two")
    ours = pipelines(s3=s3)
    release = RELEASE.__class__(**{**vars(RELEASE), "version_id": released["VersionId"]})
    ours.pin(RECORD, release)
    first = s3.get_object(Bucket=BUCKET, Key="tenants/silo-a/source.zip")
    assert first["Body"].read() == b"one", "the pinned version, not the newest"
    assert first["Metadata"] == {"revision": "abc123"}
    newer = s3.put_object(Bucket=BUCKET, Key="releases/def/source.zip", Body=b"three")
    moved = RELEASE.__class__(**{**vars(RELEASE), "key": "releases/def/source.zip", "version_id": newer["VersionId"]})
    ours.pin(RECORD, moved)
    assert s3.head_object(Bucket=BUCKET, Key="tenants/silo-a/source.zip")["VersionId"] == first["VersionId"]


def test_pinning_does_not_take_a_refusal_for_absence() -> None:
    class Refusing:
        def head_object(self, **_request: Any) -> None:
            raise error("403", "Forbidden")

    with pytest.raises(ClientError, match="Forbidden"):
        pipelines(s3=Refusing()).pin(RECORD, RELEASE)


def test_a_new_stack_is_a_change(commands: Commands) -> None:
    cloudformation = CloudFormation()
    commands.effect = lambda: setattr(cloudformation, "stack", STACK)
    commands.stdout, commands.stderr = "deployed\n", "warned\n"
    deployed, told = deploy(cloudformation)
    assert deployed.changed
    assert (deployed.stack.kind, deployed.stack.stack_id) == ("pipeline", STACK_ID)
    assert (deployed.stack.account, deployed.stack.region) == ("111111111111", "us-east-1")
    assert told == ["deployed\nwarned\n"]


@pytest.mark.parametrize(
    ("before", "after", "changed"),
    [
        (STACK, STACK, False),
        (STACK, {**STACK, "LastUpdatedTime": LATER}, True),
        ({**STACK, "LastUpdatedTime": LATER}, {**STACK, "LastUpdatedTime": LATER}, False),
        (STACK, {**STACK, "CreationTime": LATER}, True),
    ],
)
def test_only_a_stack_that_was_touched_has_changed(
    commands: Commands, before: dict[str, Any], after: dict[str, Any], changed: bool
) -> None:
    cloudformation = CloudFormation(stack=before)
    commands.effect = lambda: setattr(cloudformation, "stack", after)
    assert deploy(cloudformation)[0].changed is changed


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(records)
def test_the_command_is_a_list_in_which_only_the_stacks_name_varies(
    commands: Commands, record: DeploymentRecord
) -> None:
    commands.run.clear()
    commands.options.clear()
    deploy(CloudFormation(stack=STACK), record)
    (command,), (options,) = commands.run, commands.options
    expected = ["npx", "cdk", "deploy", "STACK", "--app", str(ASSEMBLY), "--exclusively"]
    expected += ["--require-approval", "never", "--progress", "events", "--ci"]
    assert command == [f"{record.type}-{record.id}-pipeline" if word == "STACK" else word for word in expected]
    assert "shell" not in options
    assert options["timeout"] > 0


def test_a_failing_stack_tells_its_own_reason(commands: Commands) -> None:
    cloudformation = CloudFormation(stack=STACK)
    commands.returncode, commands.stderr = 1, "the CLI's long story"
    commands.effect = lambda: setattr(cloudformation, "stack", {**STACK, "LastUpdatedTime": LATER})
    with pytest.raises(GranaryError) as raised:
        deploy(cloudformation)
    assert str(raised.value) == (
        f"stack {NAME} could not be deployed: Pipeline (AWS::CodePipeline::Pipeline): User is not authorized"
    )


@pytest.mark.parametrize("stack", [None, STACK])
def test_a_stack_that_was_not_touched_tells_nothing_of_old_failures(
    commands: Commands, stack: dict[str, Any] | None
) -> None:
    commands.returncode, commands.stderr = 1, "one\ntwo\n\nthree\nfour\n"
    with pytest.raises(GranaryError, match=f"^stack {NAME} could not be deployed: three | four$"):
        deploy(CloudFormation(stack=stack))


@pytest.mark.parametrize(("stdout", "tail"), [("only here\n", "only here"), ("", "no message")])
def test_a_cli_that_fails_without_a_word_on_stderr(commands: Commands, stdout: str, tail: str) -> None:
    commands.returncode, commands.stdout = 1, stdout
    with pytest.raises(GranaryError, match=f"could not be deployed: {tail}$"):
        deploy(CloudFormation())


def test_a_stack_that_is_not_there_afterwards_is_an_error(commands: Commands) -> None:
    with pytest.raises(GranaryError, match="is not there after its deployment"):
        deploy(CloudFormation())


def test_other_errors_of_cloudformation_are_faults(commands: Commands) -> None:
    with pytest.raises(ClientError, match="Throttling"):
        deploy(CloudFormation(fault=error("Throttling", "Rate exceeded")))
    assert commands.run == []


@pytest.mark.parametrize(
    ("newest", "answer", "starts"),
    [
        (None, None, True),
        ("Succeeded", "e1", False),
        ("InProgress", None, False),
        ("Stopping", None, False),
        ("Failed", None, True),
        ("Stopped", None, True),
        ("Cancelled", None, True),
        ("Superseded", None, True),
    ],
)
def test_an_unchanged_pipeline_is_started_unless_it_runs_or_has_delivered(
    newest: str | None, answer: str | None, starts: bool
) -> None:
    codepipeline = CodePipeline([{"pipelineExecutionId": "e1", "status": newest}] if newest else [])
    unchanged = Deployed(stack=stack_of("a"), changed=False)
    assert pipelines(codepipeline=codepipeline).run(RECORD, deployed=unchanged, token="t") == answer
    assert codepipeline.started == ([{"name": NAME, "clientRequestToken": "t"}] if starts else [])


def test_a_changed_pipeline_starts_by_itself() -> None:
    codepipeline = CodePipeline([{"pipelineExecutionId": "e1", "status": "Succeeded"}])
    changed = Deployed(stack=stack_of("a"), changed=True)
    assert pipelines(codepipeline=codepipeline).run(RECORD, deployed=changed, token="t") is None
    assert codepipeline.started == []
