"""The watch's adapters: CodePipeline, CodeBuild, CloudFormation, and the handler that wires them."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import boto3
import pytest
from botocore.stub import ANY, Stubber

from lambdas.common import clients
from lambdas.common.cross_account import LookupRoles
from lambdas.common.errors import GranaryError
from lambdas.saas.model.status import StackRef
from lambdas.saas.pipeline_watch import handler as pipeline_watch
from lambdas.saas.pipeline_watch.evidence import ServiceEvidence
from lambdas.saas.pipeline_watch.executions import CodePipelineHistory
from lambdas.saas.store.builds import failure_of
from tests.unit.lambdas.saas.pipeline_watch.pipelines import (
    PIPELINE,
    STACK_ID,
    WORKLOAD,
    at,
    failed_deploy,
    rollback,
    source,
    summary,
)

SESSION = {
    "Credentials": {
        "AccessKeyId": "ASIAEXAMPLEEXAMPLE00",
        "SecretAccessKey": "secret",
        "SessionToken": "token",
        "Expiration": "2026-11-23T13:00:00Z",
    }
}


@pytest.fixture
def stubbed(aws: None) -> Callable[[str], Stubber]:
    """Make a stubbed client, active until the test ends."""

    def make(service: str) -> Stubber:
        stub = Stubber(boto3.client(service, region_name="us-east-1"))  # type: ignore[call-overload]
        stub.activate()
        return stub

    return make


def test_executions_are_read_newest_first_and_no_further_than_needed(
    stubbed: Callable[[str], Stubber],
) -> None:
    codepipeline = stubbed("codepipeline")
    first = {
        "pipelineExecutionSummaries": [
            summary("e1", "Superseded", second=1),
            summary("e2", "Failed", second=2),
        ],
        "nextToken": "more",
    }
    codepipeline.add_response("list_pipeline_executions", first, {"pipelineName": PIPELINE})
    executions = CodePipelineHistory(client=codepipeline.client).executions(PIPELINE)
    assert [next(executions).id, next(executions).id] == ["e2", "e1"]
    second = {"pipelineExecutionSummaries": [rollback("e0", "Succeeded", second=0, target="t", failed="f")]}
    asked = {"pipelineName": PIPELINE, "nextToken": "more"}
    codepipeline.add_response("list_pipeline_executions", second, asked)
    (last,) = executions
    assert (last.rollback, last.failed_id, last.target_id) == (True, "f", "t")


def test_a_pipeline_that_is_gone_has_no_executions(stubbed: Callable[[str], Stubber]) -> None:
    codepipeline = stubbed("codepipeline")
    codepipeline.add_client_error("list_pipeline_executions", "PipelineNotFoundException")
    assert list(CodePipelineHistory(client=codepipeline.client).executions(PIPELINE)) == []


@pytest.mark.parametrize("told", ["", "[]", "arn:aws:sts::1:assumed-role/r", "{}"])
def test_an_odd_trigger_names_no_failed_execution(stubbed: Callable[[str], Stubber], told: str) -> None:
    codepipeline = stubbed("codepipeline")
    odd = summary("e1", "Succeeded", trigger={"triggerType": "AutomatedRollback", "triggerDetail": told})
    codepipeline.add_response("list_pipeline_executions", {"pipelineExecutionSummaries": [odd]})
    assert next(CodePipelineHistory(client=codepipeline.client).executions(PIPELINE)).failed_id == ""


def test_every_page_of_runs_is_read(stubbed: Callable[[str], Stubber]) -> None:
    codepipeline = stubbed("codepipeline")
    asked = {"pipelineName": PIPELINE, "filter": {"pipelineExecutionId": "e1"}}
    details = failed_deploy()
    codepipeline.add_response(
        "list_action_executions", {"actionExecutionDetails": details[:1], "nextToken": "more"}, asked
    )
    codepipeline.add_response(
        "list_action_executions", {"actionExecutionDetails": details[1:]}, {**asked, "nextToken": "more"}
    )
    read = CodePipelineHistory(client=codepipeline.client).runs(PIPELINE, "e1")
    assert [(run.name, run.account, run.message) for run in read] == [
        ("Deploy", "222222222222", "The change set failed"),
        ("Synth", "", ""),
        ("Release", "", ""),
    ]


PHASES = [
    {"phaseType": "INSTALL", "phaseStatus": "SUCCEEDED", "contexts": [{"statusCode": "", "message": ""}]},
    {
        "phaseType": "BUILD",
        "phaseStatus": "FAILED",
        "contexts": [{"statusCode": "COMMAND_EXECUTION_ERROR", "message": "exit status 1"}],
    },
    {"phaseType": "COMPLETED"},
]


@pytest.mark.parametrize(
    ("phases", "told"),
    [
        (PHASES, "phase BUILD: exit status 1"),
        (PHASES[:1], ""),
        ([{"phaseType": "QUEUED", "phaseStatus": "TIMED_OUT"}], "phase QUEUED: TIMED_OUT"),
        (
            [{"phaseType": "BUILD", "phaseStatus": "FAULT", "contexts": [{"statusCode": "OOM"}]}],
            "phase BUILD: OOM",
        ),
        ([], ""),
    ],
)
def test_the_failing_phase_of_a_build(phases: list[Any], told: str) -> None:
    assert failure_of({"phases": phases}) == told


@pytest.fixture
def evidence(stubbed: Callable[[str], Stubber]) -> tuple[ServiceEvidence, dict[str, Stubber]]:
    stubs = {service: stubbed(service) for service in ("codebuild", "logs", "sts", "cloudformation")}
    roles = LookupRoles(
        sts=stubs["sts"].client,
        qualifier="granary",
        make_client=lambda service, **_: stubs[service].client,
    )
    facts = ServiceEvidence(codebuild=stubs["codebuild"].client, logs=stubs["logs"].client, lookup_roles=roles)
    return facts, stubs


Evidence = tuple[ServiceEvidence, dict[str, Stubber]]


def test_a_builds_failure_is_read(evidence: Evidence) -> None:
    facts, stubs = evidence
    stubs["codebuild"].add_response("batch_get_builds", {"builds": [{"phases": PHASES}]}, {"ids": ["b:1"]})
    assert facts.build_failure("b:1") == "phase BUILD: exit status 1"
    stubs["codebuild"].add_response("batch_get_builds", {"builds": [], "buildsNotFound": ["b:1"]})
    assert facts.build_failure("b:1") is None


LOGGED = {"phases": PHASES, "logs": {"groupName": "/aws/codebuild/b", "streamName": "1"}}


def test_a_failed_builds_log_is_told(evidence: Evidence) -> None:
    facts, stubs = evidence
    stubs["codebuild"].add_response("batch_get_builds", {"builds": [LOGGED]})
    asked = {"logGroupName": "/aws/codebuild/b", "logStreamName": "1", "limit": 200, "startFromHead": False}
    lines = [{"message": "on my way\n"}, {"message": "Error: no way\n"}, {"message": "[Container] failed\n"}]
    stubs["logs"].add_response("get_log_events", {"events": lines}, asked)
    assert facts.build_failure("b:1") == "phase BUILD: exit status 1; its log: Error: no way"


def test_a_log_that_says_nothing_or_may_not_be_read_is_not_told(
    evidence: Evidence, caplog: pytest.LogCaptureFixture
) -> None:
    facts, stubs = evidence
    stubs["codebuild"].add_response("batch_get_builds", {"builds": [LOGGED]})
    stubs["logs"].add_response("get_log_events", {"events": []})
    assert facts.build_failure("b:1") == "phase BUILD: exit status 1"
    stubs["codebuild"].add_response("batch_get_builds", {"builds": [LOGGED]})
    stubs["logs"].add_client_error("get_log_events", "AccessDeniedException")
    assert facts.build_failure("b:1") == "phase BUILD: exit status 1"
    assert "stream 1 of log group /aws/codebuild/b" in caplog.text


def test_a_build_that_did_not_fail_is_not_explained_by_its_log(evidence: Evidence) -> None:
    facts, stubs = evidence
    stubs["codebuild"].add_response("batch_get_builds", {"builds": [{**LOGGED, "phases": PHASES[:1]}]})
    assert facts.build_failure("b:1") is None


def test_a_build_that_may_not_be_read(evidence: Evidence) -> None:
    facts, stubs = evidence
    stubs["codebuild"].add_client_error("batch_get_builds", "AccessDeniedException")
    with pytest.raises(GranaryError, match=r"build b:1: .*AccessDenied"):
        facts.build_failure("b:1")


def test_a_stacks_failure_is_read_with_the_lookup_role(evidence: Evidence) -> None:
    facts, stubs = evidence
    role = "arn:aws:iam::222222222222:role/granary/cdk-granary-lookup-role-222222222222-eu-west-1"
    asked = {"RoleArn": role, "RoleSessionName": "granary", "Policy": ANY}
    stubs["sts"].add_response("assume_role", SESSION, asked)
    event = {
        "StackId": STACK_ID,
        "EventId": "1",
        "StackName": "silo-silo1-resources",
        "LogicalResourceId": "Queue",
        "ResourceType": "AWS::SQS::Queue",
        "ResourceStatus": "CREATE_FAILED",
        "ResourceStatusReason": "no",
        "Timestamp": at(4),
    }
    stubs["cloudformation"].add_response("describe_stack_events", {"StackEvents": [event]}, {"StackName": "s"})
    assert facts.stack_failure("s", place=WORKLOAD, since=at(3)) == "Queue (AWS::SQS::Queue): no"


def test_a_role_that_cannot_be_assumed_tells_the_command(evidence: Evidence) -> None:
    facts, stubs = evidence
    stubs["sts"].add_client_error("assume_role", "AccessDenied")
    with pytest.raises(GranaryError, match="npx cdk bootstrap aws://222222222222/eu-west-1"):
        facts.stack_failure("s", place=WORKLOAD, since=at(3))


def test_a_stacks_id_is_read_or_left_unknown(evidence: Evidence) -> None:
    facts, stubs = evidence
    stubs["sts"].add_response("assume_role", SESSION)
    known = {"StackName": "s", "StackId": STACK_ID, "CreationTime": at(0), "StackStatus": "CREATE_COMPLETE"}
    stubs["cloudformation"].add_response("describe_stacks", {"Stacks": [known]}, {"StackName": "s"})
    assert facts.stack_id("s", place=WORKLOAD) == STACK_ID
    stubs["sts"].add_client_error("assume_role", "AccessDenied")
    assert facts.stack_id("s", place=WORKLOAD) is None


def test_a_stacks_outputs_are_read_with_the_lookup_role_or_left_unknown(
    evidence: Evidence, caplog: pytest.LogCaptureFixture
) -> None:
    facts, stubs = evidence
    stack = StackRef(kind="component", stack_id=STACK_ID, account="222222222222", region="eu-west-1")
    role = "arn:aws:iam::222222222222:role/granary/cdk-granary-lookup-role-222222222222-eu-west-1"
    known = {"StackName": "s", "StackId": STACK_ID, "CreationTime": at(0), "StackStatus": "UPDATE_COMPLETE"}
    stubs["sts"].add_response("assume_role", SESSION, {"RoleArn": role, "RoleSessionName": "granary", "Policy": ANY})
    address = {"OutputKey": "Address", "OutputValue": "https://acme.example.com"}
    for outputs, told in (({"Outputs": [address]}, {"Address": "https://acme.example.com"}), ({}, {})):
        stubs["cloudformation"].add_response("describe_stacks", {"Stacks": [known | outputs]}, {"StackName": STACK_ID})
        assert facts.stack_outputs(stack) == told
        stubs["sts"].add_response("assume_role", SESSION)
    for refused in ("AccessDenied", "Throttling", "ValidationError"):
        stubs["cloudformation"].add_client_error("describe_stacks", refused)
        assert facts.stack_outputs(stack) is None
        assert f"stack {STACK_ID} in account 222222222222, eu-west-1: An error occurred ({refused})" in caplog.text
        stubs["sts"].add_response("assume_role", SESSION)


def test_the_function_reads_the_pipeline_and_writes_the_status(
    make_table: Callable[[str], Any],
    stubbed: Callable[[str], Stubber],
    monkeypatch: pytest.MonkeyPatch,
    sample: Callable[[str], Any],
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, logger="lambdas")
    table = make_table("statuses")
    table.put_item(TableName="statuses", Item={"id": {"S": "silo1"}, "phase": {"S": "PROVISIONING"}})
    environment = {
        "PREFIX": "granary",
        "DEPLOYMENTS_TABLE": "deployments",
        "STATUS_TABLE": "statuses",
        "RELEASES_TABLE": "releases",
        "LIFECYCLE_MACHINE": "arn:aws:states:eu-west-1:111111111111:stateMachine:granary-lifecycle",
        "TOOLCHAIN_ACCOUNT": "111111111111",
        "BOOTSTRAP_QUALIFIER": "granary",
        "AWS_REGION": "eu-west-1",
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    codepipeline = stubbed("codepipeline")
    newest = summary("e1", "Succeeded", revision="abc123")
    codepipeline.add_response("list_pipeline_executions", {"pipelineExecutionSummaries": [newest]})
    codepipeline.add_response("list_action_executions", {"actionExecutionDetails": [source()]})
    plain = clients.client
    monkeypatch.setattr(
        pipeline_watch,
        "client",
        lambda service: codepipeline.client if service == "codepipeline" else plain.__wrapped__(service),
    )
    pipeline_watch._watch.cache_clear()
    try:
        answer = pipeline_watch.handler(sample("pipeline_execution_succeeded"), None)
    finally:
        pipeline_watch._watch.cache_clear()
    assert answer == {"pipeline": PIPELINE, "phase": "ACTIVE"}
    item = table.get_item(TableName="statuses", Key={"id": {"S": "silo1"}})["Item"]
    assert item["revision_deployed"] == {"S": "abc123"}
    execution = sample("pipeline_execution_succeeded")["detail"]["execution-id"]
    assert {(vars(line)["deployment"], vars(line)["execution"]) for line in caplog.records} == {("silo1", execution)}
