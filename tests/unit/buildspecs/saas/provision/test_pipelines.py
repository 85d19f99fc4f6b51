"""Pinning a release and deploying a pipeline stack, with stub clients and no process."""

from __future__ import annotations

import os
import select
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from hypothesis import HealthCheck, given, settings

from buildspecs.saas.provision.pipelines import Deployed
from buildspecs.synthesis import ROOT
from lambdas.common.errors import GranaryError
from lambdas.saas.model.contract import PARAMETERS, STANDBYS
from lambdas.saas.model.record import DeploymentRecord
from lambdas.saas.model.status import StackRef
from tests.examples import examples
from tests.unit.buildspecs.saas.commands import Commands, stand_in
from tests.unit.buildspecs.saas.provision.clients import (
    ASSEMBLY,
    BUCKET,
    LATER,
    NAME,
    PROJECT,
    RECORD,
    STACK,
    STACK_ID,
    CloudFormation,
    CodeBuild,
    CodePipeline,
    error,
    pipelines,
)
from tests.unit.lambdas.saas.fakes import RELEASE
from tests.unit.lambdas.saas.strategies import records


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


def test_a_fresh_tenant_gets_the_release_whatever_it_has(aws: None) -> None:
    s3 = boto3.client("s3", region_name="us-east-1")
    s3.create_bucket(Bucket=BUCKET)
    s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    s3.put_object(Bucket=BUCKET, Key="tenants/silo-a/source.zip", Body=b"old")
    released = s3.put_object(Bucket=BUCKET, Key=RELEASE.key, Body=b"new")
    ours = pipelines(s3=s3)
    release = RELEASE.__class__(**{**vars(RELEASE), "version_id": released["VersionId"]})
    ours.pin(RECORD, release)
    assert s3.get_object(Bucket=BUCKET, Key="tenants/silo-a/source.zip")["Body"].read() == b"old"
    ours.pin(RECORD, release, fresh=True)
    assert s3.get_object(Bucket=BUCKET, Key="tenants/silo-a/source.zip")["Body"].read() == b"new"


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


@pytest.mark.parametrize(("version", "missing"), [(0, []), (1, [PROJECT])])
def test_a_stack_whose_parts_were_deleted_by_hand_is_made_anew(
    commands: Commands, version: int, missing: list[str]
) -> None:
    """Given a stack that the CLI leaves as it is, though its pipeline or a project is gone, then it is made anew."""
    cloudformation, pipeline = CloudFormation(stack=STACK), CodePipeline(version=version)

    def effect() -> None:
        if len(commands.run) == 3:
            cloudformation.stack, pipeline.version = {**STACK, "CreationTime": LATER}, 1

    commands.effect = effect
    ours = pipelines(cloudformation=cloudformation, codepipeline=pipeline, codebuild=CodeBuild(missing=missing))
    deployed = ours.deploy(RECORD, assembly=ASSEMBLY, say=lambda _text: None)
    assert [command[1] for command in commands.run] == ["deploy", "destroy", "deploy"]
    assert commands.run[1][2:] == [NAME, "--app", str(ASSEMBLY), "--exclusively", "--force", "--ci"]
    assert deployed.changed


@settings(deadline=None, max_examples=examples(40), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(records)
def test_the_command_is_a_list_in_which_only_the_stacks_name_varies(
    commands: Commands, record: DeploymentRecord
) -> None:
    commands.run.clear()
    commands.options.clear()
    deploy(CloudFormation(stack=STACK), record)
    (command,), (options,) = commands.run, commands.options
    expected = [str(ROOT / "node_modules/.bin/cdk"), "deploy", "STACK", "--app", str(ASSEMBLY), "--exclusively"]
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
    ("before", "after", "restarted"),
    [
        ({"version": 1}, {"version": 1}, False),
        ({"version": 1}, {"version": 2}, True),
        ({"version": 1}, {"version": 1, "updated": LATER}, True),  # replaced: versions begin again
        ({"version": 0}, {"version": 1}, True),  # a stack whose creation had failed before
    ],
)
def test_only_a_changed_pipeline_has_restarted(
    commands: Commands, before: dict[str, Any], after: dict[str, Any], restarted: bool
) -> None:
    cloudformation, codepipeline = CloudFormation(stack=STACK), CodePipeline(**before)

    def effect() -> None:
        cloudformation.stack = {**STACK, "LastUpdatedTime": LATER}
        vars(codepipeline).update(after)

    commands.effect = effect
    ours = pipelines(cloudformation=cloudformation, codepipeline=codepipeline)
    deployed = ours.deploy(RECORD, assembly=ASSEMBLY, say=lambda _: None)
    assert (deployed.changed, deployed.restarted, deployed.touched) == (True, restarted, LATER)


def test_a_new_pipeline_is_not_looked_at(commands: Commands) -> None:
    cloudformation, codepipeline = CloudFormation(), CodePipeline()
    commands.effect = lambda: setattr(cloudformation, "stack", STACK)
    ours = pipelines(cloudformation=cloudformation, codepipeline=codepipeline)
    assert ours.deploy(RECORD, assembly=ASSEMBLY, say=lambda _: None).restarted
    assert codepipeline.looks == 0


def test_support_stacks_are_recorded_after_the_deployment(commands: Commands) -> None:
    asked: list[tuple[str, Path, int]] = []
    support = StackRef(kind="support", stack_id="arn:s", account="111111111111", region="eu-west-1")

    def find(name: str, assembly: Path) -> tuple[StackRef, ...]:
        asked.append((name, assembly, len(commands.run)))
        return (support,)

    ours = pipelines(cloudformation=CloudFormation(stack=STACK), support=find)
    assert ours.deploy(RECORD, assembly=ASSEMBLY, say=lambda _: None).support == (support,)
    assert asked == [(NAME, ASSEMBLY, 1)]


@pytest.mark.slow
def test_a_cli_that_takes_too_long_is_ended_with_all_that_it_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Given a CLI whose child does the work, when the time is over, then the child does not go on."""
    os.mkfifo(alive := tmp_path / "alive")
    cli = tmp_path / "cdk"
    cli.write_text(f"#!/bin/sh\nsleep 600 3>{alive} &\nwait\n")
    cli.chmod(0o755)
    monkeypatch.setattr("buildspecs.saas.provision.pipelines._CLI", cli)
    monkeypatch.setattr("buildspecs.saas.provision.pipelines._DEPLOY_TIMEOUT_SECONDS", 2)
    reader = os.open(alive, os.O_RDONLY | os.O_NONBLOCK)
    try:
        with pytest.raises(subprocess.TimeoutExpired):
            deploy(CloudFormation(stack=STACK))
        # The child holds the pipe's other end; once that is closed, the pipe ends, which is what poll tells of it.
        poll = select.poll()
        poll.register(reader, select.POLLHUP)
        assert poll.poll(5_000), "the child goes on"
    finally:
        os.close(reader)


def contract(number: int) -> dict[str, str]:
    return {"granary-contract": str(number)}


STANDBY = replace(RECORD, standby_region="us-east-1")
SAYS_MORE = replace(STANDBY, parameters=(("domain", "a.example.com"),))


@pytest.mark.parametrize(
    ("record", "metadata", "outdated"),
    [
        (STANDBY, {}, True),
        (STANDBY, contract(STANDBYS - 1), True),
        (STANDBY, contract(STANDBYS), False),
        (SAYS_MORE, contract(PARAMETERS - 1), True),
        (replace(RECORD, tier="gold"), contract(PARAMETERS - 1), True),
        (SAYS_MORE, RELEASE.metadata, False),
        (RECORD, {}, False),
    ],
)
def test_a_copy_tells_whether_it_knows_what_the_row_says(
    aws: None, record: DeploymentRecord, metadata: dict[str, str], outdated: bool
) -> None:
    s3 = boto3.client("s3", region_name="us-east-1")
    s3.create_bucket(Bucket=BUCKET)
    assert not pipelines(s3=s3).outdated(record), "there is none, and it gets one"
    s3.put_object(Bucket=BUCKET, Key="tenants/silo-a/source.zip", Body=b"old", Metadata=metadata)
    assert pipelines(s3=s3).outdated(record) is outdated
