"""The lifecycle function's adapters: what is asked of AWS, and what its answers mean."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError
from botocore.stub import ANY, Stubber

from lambdas.common.errors import GranaryError
from lambdas.saas.lifecycle.build_logs import BuildLogGroups
from lambdas.saas.lifecycle.copies import ReleaseCopies
from lambdas.saas.lifecycle.facts import Pipeline, Stack
from lambdas.saas.lifecycle.pipelines import CodePipelines
from lambdas.saas.lifecycle.stacks import CloudFormationStacks
from lambdas.saas.model.names import SaasNames
from lambdas.saas.model.stateful import Stateful
from lambdas.saas.store.release_parameter import ReleaseParameter
from tests.unit.lambdas.saas.fakes import RELEASE, FakeReleases
from tests.unit.lambdas.saas.lifecycle.adapters import EXECUTION_ROLE, NAME, NOON, REGION, ROLE, SESSION, roles, stubbed
from tests.unit.lambdas.saas.lifecycle_fakes import COMPONENT, TOOLCHAIN, WORKLOAD, ref

OWN = f"arn:aws:iam::{TOOLCHAIN}:role/granary"
ACTIONS = [
    "cloudformation:DeleteStack",
    "cloudformation:DescribeStackEvents",
    "cloudformation:DescribeStacks",
    "cloudformation:GetTemplate",
    "iam:PassRole",
]


def test_a_session_reaches_one_stack_and_the_execution_role(sts: Stubber) -> None:
    asked: dict[str, Any] = {"RoleArn": ANY, "RoleSessionName": "granary-lifecycle", "Policy": ANY}
    sts.add_response("assume_role", SESSION, {**asked, "RoleArn": f"{ROLE}-deploy-role-{WORKLOAD}-{REGION}"})
    seen: list[str] = []
    sts.client.meta.events.register(
        "provide-client-params.sts.AssumeRole", lambda params, **_: seen.append(params["Policy"])
    )
    roles(sts).cloudformation(COMPONENT)
    (statement,) = json.loads(seen[0])["Statement"]
    assert statement["Resource"] == [
        f"arn:aws:cloudformation:{REGION}:{WORKLOAD}:stack/silo-acme-resources/*",
        EXECUTION_ROLE,
    ]
    assert {"cloudformation:DeleteStack", "cloudformation:GetTemplate"} <= set(statement["Action"])


@pytest.mark.parametrize(("kind", "passed"), [("pipeline", [f"{OWN}-tenant-execution"]), ("support", [])])
def test_what_stands_in_the_toolchains_account_is_the_toolchains_own_roles(
    sts: Stubber, kind: str, passed: list[str]
) -> None:
    """Given a stack of a tenant there, when it is deleted, then no bootstrap role is assumed, and none is passed."""
    one = ref(kind, "silo-acme-pipeline", account=TOOLCHAIN)
    narrowed = {"Effect": "Allow", "Action": ACTIONS, "Resource": [one.stack_id.replace("/1f2e", "/*"), *passed]}
    session = {
        "RoleSessionName": "granary-lifecycle",
        "Policy": json.dumps({"Version": "2012-10-17", "Statement": [narrowed]}),
    }
    sts.add_response("assume_role", SESSION, {"RoleArn": f"{OWN}-tenant-deploy", **session})
    role = {"RoleARN": passed[0]} if passed else {}
    with stubbed("cloudformation") as cloudformation:
        cloudformation.add_response("delete_stack", {}, {"StackName": one.stack_id, **role})
        CloudFormationStacks(roles=roles(sts, cloudformation)).delete(one)


def test_the_archive_role_that_is_missing_is_named_with_its_stack(sts: Stubber) -> None:
    sts.add_client_error("assume_role", "AccessDenied")
    with pytest.raises(
        GranaryError, match=f"role/granary-archive cannot be .*-workload-roles-{WORKLOAD}` .*; or set lifecycle"
    ):
        roles(sts).archiving(
            "rds", account=WORKLOAD, region=REGION, actions=["rds:CreateDBSnapshot"], resources=["db:silo-acme"]
        )


def test_another_fault_of_sts_is_a_fault(sts: Stubber) -> None:
    sts.add_client_error("assume_role", "ServiceUnavailable")
    with pytest.raises(ClientError):
        roles(sts).cloudformation(COMPONENT)


def described(status: str, **more: Any) -> dict[str, Any]:
    stack = {"StackId": COMPONENT.stack_id, "StackName": "x", "CreationTime": NOON, "StackStatus": status, **more}
    return {"Stacks": [stack]}


@pytest.fixture
def cloudformation(sts: Stubber) -> Iterator[Stubber]:
    sts.add_response("assume_role", SESSION)
    with stubbed("cloudformation") as stub:
        yield stub


def test_a_stack_is_found_by_its_id_with_what_it_declares(sts: Stubber, cloudformation: Stubber) -> None:
    outputs = [
        {"OutputKey": "StatefulOrders", "OutputValue": "dynamodb-table:silo-acme-orders"},
        {"OutputKey": "Address", "OutputValue": "https://x"},
    ]
    answer = described("CREATE_COMPLETE", Outputs=outputs)
    cloudformation.add_response("describe_stacks", answer, {"StackName": COMPONENT.stack_id})
    stateful = (Stateful(kind="dynamodb-table", name="silo-acme-orders"),)
    seen = CloudFormationStacks(roles=roles(sts, cloudformation)).look(COMPONENT)
    assert seen == Stack(ref=COMPONENT, status="CREATE_COMPLETE", stateful=stateful)


@pytest.mark.parametrize("known", [True, False])
def test_a_stack_that_was_deleted_is_gone(sts: Stubber, cloudformation: Stubber, known: bool) -> None:
    if known:
        cloudformation.add_response("describe_stacks", described("DELETE_COMPLETE"))
    else:
        cloudformation.add_client_error("describe_stacks", "ValidationError", "Stack with id x does not exist")
    assert CloudFormationStacks(roles=roles(sts, cloudformation)).look(COMPONENT).gone


def test_a_failed_deletion_tells_its_first_failing_event(sts: Stubber, cloudformation: Stubber) -> None:
    event = {
        "StackId": COMPONENT.stack_id,
        "EventId": "1",
        "StackName": "x",
        "LogicalResourceId": "Files",
        "ResourceType": "AWS::S3::Bucket",
        "ResourceStatus": "DELETE_FAILED",
        "ResourceStatusReason": "is not empty",
        "Timestamp": NOON,
    }
    cloudformation.add_response("describe_stacks", described("DELETE_FAILED"))
    cloudformation.add_response("describe_stack_events", {"StackEvents": [event]})
    seen = CloudFormationStacks(roles=roles(sts, cloudformation)).look(COMPONENT)
    assert seen.failure == "Files (AWS::S3::Bucket): is not empty"


def test_an_account_that_cannot_be_reached_is_a_problem_and_no_fault(sts: Stubber) -> None:
    sts.add_client_error("assume_role", "AccessDenied")
    seen = CloudFormationStacks(roles=roles(sts)).look(COMPONENT)
    assert not seen.gone
    assert f"{ROLE}-deploy-role-{WORKLOAD}-{REGION} cannot be assumed: if the account is closed" in seen.problem


@pytest.mark.parametrize(
    "code",
    [
        "AccessDenied",
        "ExpiredToken",
        "InvalidClientTokenId",
        "OptInRequired",
        "SubscriptionRequiredException",
        "UnrecognizedClientException",
    ],
)
def test_an_account_that_refuses_everything_is_a_problem_and_no_fault(
    sts: Stubber, cloudformation: Stubber, code: str
) -> None:
    """Given an account that denies everything, or a Region that is off, when it is looked at, then that is told."""
    cloudformation.add_client_error("describe_stacks", code, "explicit deny", http_status_code=403)
    seen = CloudFormationStacks(roles=roles(sts, cloudformation)).look(COMPONENT)
    assert not seen.gone
    assert seen.problem == f"CloudFormation tells nothing of it: explicit deny ({code})"


@pytest.mark.parametrize(("code", "status"), [("Throttling", 400), ("InternalFailure", 500)])
def test_what_passes_by_itself_is_no_problem_of_a_stack(
    sts: Stubber, cloudformation: Stubber, code: str, status: int
) -> None:
    cloudformation.add_client_error("describe_stacks", code, http_status_code=status)
    with pytest.raises(ClientError):
        CloudFormationStacks(roles=roles(sts, cloudformation)).look(COMPONENT)


def test_events_that_may_not_be_read_hide_no_stack(sts: Stubber, cloudformation: Stubber) -> None:
    cloudformation.add_response("describe_stacks", described("DELETE_FAILED"))
    cloudformation.add_client_error("describe_stack_events", "AccessDenied", "no", http_status_code=403)
    seen = CloudFormationStacks(roles=roles(sts, cloudformation)).look(COMPONENT)
    assert (seen.status, seen.problem) == ("DELETE_FAILED", "")
    assert seen.failure == "its events cannot be read: no (AccessDenied)"


def test_a_stack_is_deleted_with_the_role_that_it_was_deployed_with(sts: Stubber, cloudformation: Stubber) -> None:
    asked = {"StackName": COMPONENT.stack_id, "RoleARN": EXECUTION_ROLE}
    cloudformation.add_response("delete_stack", {}, asked)
    CloudFormationStacks(roles=roles(sts, cloudformation)).delete(COMPONENT)


@pytest.mark.parametrize("code", ["ValidationError", "AccessDenied", "OptInRequired", "ExpiredTokenException"])
def test_a_refused_deletion_is_told(sts: Stubber, cloudformation: Stubber, code: str) -> None:
    cloudformation.add_client_error("delete_stack", code, "TerminationProtection is enabled")
    with pytest.raises(GranaryError, match="cannot be deleted: TerminationProtection is enabled"):
        CloudFormationStacks(roles=roles(sts, cloudformation)).delete(COMPONENT)


@pytest.fixture
def codepipeline(aws: None) -> Iterator[Stubber]:
    with stubbed("codepipeline") as stub:
        yield stub


def execution(number: int, status: str) -> dict[str, Any]:
    return {
        "pipelineExecutionId": f"00000000-0000-0000-0000-00000000000{number}",
        "status": status,
        "startTime": NOON + timedelta(minutes=number),
    }


def test_a_pipeline_is_read(codepipeline: Stubber) -> None:
    stages = [
        {"stageName": "Source", "inboundTransitionState": {"enabled": True}},
        {"stageName": "Build", "inboundTransitionState": {"enabled": False}},
        {"stageName": "Deploy", "inboundTransitionState": {"enabled": True}},
    ]
    codepipeline.add_response("get_pipeline_state", {"stageStates": stages}, {"name": NAME})
    summaries = [execution(1, "Stopping"), execution(3, "Succeeded"), execution(2, "InProgress")]
    answer = {"pipelineExecutionSummaries": summaries}
    codepipeline.add_response("list_pipeline_executions", answer, {"pipelineName": NAME, "maxResults": 100})
    assert CodePipelines(client=codepipeline.client).look(NAME) == Pipeline(
        gate="Build",
        enabled=False,
        running=("00000000-0000-0000-0000-000000000002",),
        stopping=True,
        newest="Succeeded",
    )


def test_a_pipeline_that_is_gone_is_no_fault(codepipeline: Stubber) -> None:
    codepipeline.add_client_error("get_pipeline_state", "PipelineNotFoundException")
    assert not CodePipelines(client=codepipeline.client).look(NAME).exists


def test_transitions_are_closed_and_opened(codepipeline: Stubber) -> None:
    gate = {"pipelineName": NAME, "stageName": "Build", "transitionType": "Inbound"}
    codepipeline.add_response("disable_stage_transition", {}, {**gate, "reason": "why"})
    codepipeline.add_response("enable_stage_transition", {}, gate)
    pipelines = CodePipelines(client=codepipeline.client)
    pipelines.disable(NAME, stage="Build", reason="why")
    pipelines.enable(NAME, stage="Build")


def test_an_execution_is_stopped_though_it_has_ended(codepipeline: Stubber) -> None:
    asked = {"pipelineName": NAME, "pipelineExecutionId": "e1" * 18, "abandon": False, "reason": "why"}
    codepipeline.add_response("stop_pipeline_execution", {}, asked)
    codepipeline.add_client_error("stop_pipeline_execution", "PipelineExecutionNotStoppableException")
    pipelines = CodePipelines(client=codepipeline.client)
    pipelines.stop(NAME, execution_id="e1" * 18, reason="why")
    pipelines.stop(NAME, execution_id="e1" * 18, reason="why")


def test_a_start_has_a_token(codepipeline: Stubber) -> None:
    codepipeline.add_response("start_pipeline_execution", {}, {"name": NAME, "clientRequestToken": "t"})
    CodePipelines(client=codepipeline.client).start(NAME, token="t")


def test_a_copy_is_of_one_version(aws: None) -> None:
    with stubbed("s3") as s3:
        source = {"Bucket": "releases", "Key": RELEASE.key, "VersionId": "v1"}
        key = "tenants/silo-acme/source.zip"
        s3.add_response("copy_object", {}, {"Bucket": "releases", "Key": key, "CopySource": ANY})
        s3.add_response("delete_object", {}, {"Bucket": "releases", "Key": key})
        copies = ReleaseCopies(s3=s3.client, bucket="releases", releases=FakeReleases())
        seen: list[Any] = []
        s3.client.meta.events.register_first(
            "provide-client-params.s3.CopyObject", lambda params, **_: seen.append(params["CopySource"])
        )
        copies.move("silo", "acme", RELEASE)
        copies.remove("silo", "acme")
        assert seen == [source]
        assert copies.current() == RELEASE


def test_the_logs_of_a_tenants_builds_go_and_those_that_never_were_are_no_fault(aws: None) -> None:
    with stubbed("logs") as logs:
        for job in ("synth", "self-mutate"):
            group = f"/aws/codebuild/granary-silo-acme-{job}"
            logs.add_response("delete_log_group", {}, {"logGroupName": group})
        logs.add_client_error("delete_log_group", "ResourceNotFoundException")
        logs.add_client_error("delete_log_group", "AccessDeniedException", "no")
        groups = BuildLogGroups(client=logs.client, names=SaasNames(prefix="granary"))
        refused = r"log group /aws/codebuild/granary-silo-acme-image-assets cannot be deleted: no"
        with pytest.raises(GranaryError, match=refused):
            groups.remove("silo", "acme")


def test_before_the_first_release_there_is_none(aws: None) -> None:
    with stubbed("ssm") as ssm:
        ssm.add_client_error("get_parameter", "ParameterNotFound")
        releases = ReleaseParameter(client=ssm.client, name="/granary/release/current")
        assert ReleaseCopies(s3=None, bucket="releases", releases=releases).current() is None
