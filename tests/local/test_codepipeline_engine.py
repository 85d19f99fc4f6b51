"""Pipelines that run: actions, variables, permissions and failures, on a running local cloud."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.local.pipeline_support import QUEUE_TEMPLATE, REGION, World, action, approval, until

GO = {"name": "Wait", "actions": [approval("Go")]}


def deploy(world: World, *, stack: str, **configuration: str) -> dict[str, Any]:
    """A CREATE_UPDATE of the source's template."""
    settings = {
        "ActionMode": "CREATE_UPDATE",
        "StackName": stack,
        "TemplatePath": "Source::template.json",
        "ParameterOverrides": json.dumps({"Name": stack}),
        **configuration,
    }
    return action("Deploy", "Deploy/CloudFormation", configuration=settings, inputs=["Source"], namespace="Deployed")


def test_source_change_set_and_variables(world: World) -> None:
    stack = f"stack-{world.tag}"
    names = {"StackName": stack, "ChangeSetName": "change"}
    prepare = action(
        "Prepare",
        "Deploy/CloudFormation",
        configuration={
            **names,
            "ActionMode": "CHANGE_SET_REPLACE",
            "TemplatePath": "Source::template.json",
            "ParameterOverrides": json.dumps({"Name": "queue-#{Fetched.VersionId}-#{variables.colour}"}),
        },
        inputs=["Source"],
    )
    execute = action(
        "Execute",
        "Deploy/CloudFormation",
        configuration={**names, "ActionMode": "CHANGE_SET_EXECUTE"},
        runOrder=2,
    )
    name = world.create(
        "deploy",
        [{"name": "Deploy", "actions": [prepare, execute]}],
        variables=[{"name": "colour", "defaultValue": "red"}],
    )
    first = world.ended(name)
    assert first["status"] == "Succeeded", world.actions(name)
    version = first["artifactRevisions"][0]["revisionId"]
    assert first["trigger"]["triggerType"] == "CreatePipeline"
    assert first["variables"] == [{"name": "colour", "resolvedValue": "red"}]
    outputs = world.actions(name)["Execute"]["output"]["outputVariables"]
    assert outputs == {"QueueName": f"queue-{version}-red"}

    again = world.pipelines.start_pipeline_execution(name=name)["pipelineExecutionId"]
    assert world.ended(name, again)["status"] == "Succeeded", "an empty change set is a success"


def test_a_chosen_revision_and_variable(world: World) -> None:
    old = world.put_source({"mark": "old"})
    world.put_source({"template.json": "{}"})
    name = world.create("chosen", [GO], variables=[{"name": "who"}])
    assert world.executions(name) == [], "a variable without a default keeps the first execution from starting"
    with pytest.raises(ClientError, match="who is missing"):
        world.pipelines.start_pipeline_execution(name=name)
    started = world.pipelines.start_pipeline_execution(
        name=name,
        variables=[{"name": "who", "value": "me"}],
        clientRequestToken="only-once",
        sourceRevisions=[{"actionName": "Fetch", "revisionType": "S3_OBJECT_VERSION_ID", "revisionValue": old}],
    )
    again = world.pipelines.start_pipeline_execution(name=name, clientRequestToken="only-once")
    assert again["pipelineExecutionId"] == started["pipelineExecutionId"]
    world.decide(name, "Wait", "Go")
    ended = world.ended(name)
    assert ended["status"] == "Succeeded"
    assert ended["artifactRevisions"][0]["revisionId"] == old


def test_object_key_override_must_be_allowed(world: World) -> None:
    world.put_source({"a": "b"}, key="other.zip")
    name = world.create("key", [GO], variables=[{"name": "x"}])
    started = world.pipelines.start_pipeline_execution(
        name=name,
        variables=[{"name": "x", "value": "1"}],
        sourceRevisions=[{"actionName": "Fetch", "revisionType": "S3_OBJECT_KEY", "revisionValue": "other.zip"}],
    )
    assert world.ended(name, started["pipelineExecutionId"])["status"] == "Failed"
    error = world.actions(name)["Fetch"]["output"]["executionResult"]["errorDetails"]
    assert error["code"] == "ConfigurationError"
    assert "AllowOverrideForS3ObjectKey" in error["message"]


def test_failed_stack_names_the_first_failing_resource(world: World) -> None:
    broken = {"Resources": {"Twin": {"Type": "AWS::CodePipeline::Pipeline", "Properties": {"Nonsense": 1}}}}
    world.put_source({"template.json": json.dumps(broken)})
    name = world.create(
        "broken", [{"name": "Deploy", "actions": [deploy(world, stack=f"broken-{world.tag}", ParameterOverrides="{}")]}]
    )
    assert world.ended(name)["status"] == "Failed"
    error = world.actions(name)["Deploy"]["output"]["executionResult"]["errorDetails"]
    assert error["code"] == "JobFailed"
    assert "Twin (AWS::CodePipeline::Pipeline)" in error["message"]


def test_unresolved_variable_fails_the_action(world: World) -> None:
    settings = {"CustomData": "#{Nowhere.Thing}"}
    name = world.create("unresolved", [{"name": "Wait", "actions": [approval("Go", configuration=settings)]}])
    assert world.ended(name)["status"] == "Failed"
    error = world.actions(name)["Go"]["output"]["executionResult"]["errorDetails"]
    assert "#{Nowhere.Thing}" in error["message"]


def test_action_role_is_enforced(world: World) -> None:
    role = world.role(
        "poor",
        service="none.amazonaws.com",
        actions=["s3:*"],
        trust={"Principal": {"AWS": f"arn:aws:iam::{world.account}:root"}},
    )
    stage = {"name": "Deploy", "actions": [deploy(world, stack=f"denied-{world.tag}") | {"roleArn": role}]}
    name = world.create("denied", [stage])
    assert world.ended(name)["status"] == "Failed"
    error = world.actions(name)["Deploy"]["output"]["executionResult"]["errorDetails"]
    assert error["code"] == "PermissionError"
    assert "cloudformation:" in error["message"]


def test_a_stack_gets_the_role_of_its_action_if_it_may_be_passed(world: World) -> None:
    execution = world.role("execution", service="cloudformation.amazonaws.com", actions=["sns:*"])
    acting = world.role(
        "passing",
        service="none.amazonaws.com",
        actions=["s3:*", "cloudformation:*"],
        trust={"Principal": {"AWS": f"arn:aws:iam::{world.account}:root"}},
    )
    world.put_source({"template.json": json.dumps(QUEUE_TEMPLATE)})
    declared = deploy(world, stack=f"passed-{world.tag}", RoleArn=execution) | {"roleArn": acting}
    name = world.create("passed", [{"name": "Deploy", "actions": [declared]}])
    assert world.ended(name)["status"] == "Failed"
    error = world.actions(name)["Deploy"]["output"]["executionResult"]["errorDetails"]
    assert error["code"] == "PermissionError"
    assert f"iam:PassRole on resource: {execution}" in error["message"]

    world.allow("passing", ["iam:PassRole"])
    again = world.pipelines.start_pipeline_execution(name=name)["pipelineExecutionId"]
    assert world.ended(name, again)["status"] == "Failed"
    error = world.actions(name, again)["Deploy"]["output"]["executionResult"]["errorDetails"]
    assert f"execution-{world.tag}/AWSCloudFormation is not authorized to perform: sqs:CreateQueue" in error["message"]


def test_action_role_that_does_not_trust_the_pipeline(world: World) -> None:
    role = world.role("closed", service="lambda.amazonaws.com", actions=["*"])
    name = world.create("closed", [{"name": "Wait", "actions": [approval("Go", roleArn=role)]}])
    assert world.ended(name)["status"] == "Failed"
    assert role in world.actions(name)["Go"]["output"]["executionResult"]["errorDetails"]["message"]


def test_trust_policy_with_source_arn(world: World) -> None:
    def trusting(pipeline: str) -> str:
        arn = f"arn:aws:codepipeline:{REGION}:{world.account}:{pipeline}-{world.tag}"
        trust = {
            "Condition": {"ArnEquals": {"aws:SourceArn": arn}, "StringEquals": {"aws:SourceAccount": world.account}}
        }
        return world.role(f"only-{pipeline}", service="codepipeline.amazonaws.com", actions=["*"], trust=trust)

    role = trusting("mine")
    mine = world.create("mine", [GO], roleArn=role)
    world.decide(mine, "Wait", "Go")
    assert world.ended(mine)["status"] == "Succeeded"
    yours = world.create("yours", [GO], roleArn=role)
    assert world.ended(yours)["status"] == "Failed"


def test_callers_need_codepipeline_permissions(world: World) -> None:
    name = world.create("guarded", [GO])
    role = world.role(
        "caller",
        service="none.amazonaws.com",
        actions=["codepipeline:GetPipeline"],
        trust={"Principal": {"AWS": f"arn:aws:iam::{world.account}:root"}},
    )
    session = world.client("sts").assume_role(RoleArn=role, RoleSessionName="someone")["Credentials"]
    caller = world.cloud.client("codepipeline", world.account, REGION, session)
    assert caller.get_pipeline(name=name)["pipeline"]["name"] == name
    with pytest.raises(ClientError, match="AccessDenied"):
        caller.start_pipeline_execution(name=name)


def test_rejected_approval(world: World) -> None:
    name = world.create("rejected", [GO])
    world.decide(name, "Wait", "Go", status="Rejected")
    assert world.ended(name)["status"] == "Failed"
    with pytest.raises(ClientError, match="ApprovalAlreadyCompletedException"):
        world.pipelines.put_approval_result(
            pipelineName=name,
            stageName="Wait",
            actionName="Go",
            token="1f6c8e7b-3c69-4bf1-9d8c-6ee0a2a54c3d",
            result={"summary": "", "status": "Approved"},
        )


def test_actions_of_one_run_order_run_in_parallel(world: World) -> None:
    stage = {"name": "Wait", "actions": [approval("One"), approval("Two"), approval("Last", runOrder=2)]}
    name = world.create("parallel", [stage])
    world.waiting_approval(name, "Wait", "One")
    world.waiting_approval(name, "Wait", "Two")
    assert "Last" not in world.actions(name)
    for each in ("Two", "One", "Last"):
        world.decide(name, "Wait", each)
    assert world.ended(name)["status"] == "Succeeded"


def test_cross_region_action_reads_from_its_regions_store(world: World) -> None:
    other = "us-west-2"
    store = f"far-{world.tag}"
    world.client("s3", region=other).create_bucket(
        Bucket=store, CreateBucketConfiguration={"LocationConstraint": other}
    )
    world.put_source({"template.json": json.dumps({"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}})})
    stack = f"far-{world.tag}"
    definition = world.definition(
        "far",
        [{"name": "Deploy", "actions": [deploy(world, stack=stack, ParameterOverrides="{}") | {"region": other}]}],
    )
    definition["artifactStores"] = {
        REGION: definition.pop("artifactStore"),
        other: {"type": "S3", "location": store},
    }
    world.pipelines.create_pipeline(pipeline=definition)
    name = definition["name"]
    assert world.ended(name)["status"] == "Succeeded", world.actions(name)
    assert world.actions(name)["Deploy"]["input"]["inputArtifacts"][0]["s3location"]["bucket"] == store
    assert world.client("cloudformation", region=other).describe_stacks(StackName=stack)["Stacks"]


def test_delete_only_and_unknown_pipeline(world: World) -> None:
    stack = f"gone-{world.tag}"
    template = json.dumps({"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}})
    cloudformation = world.client("cloudformation")
    cloudformation.create_stack(StackName=stack, TemplateBody=template)
    cloudformation.get_waiter("stack_create_complete").wait(StackName=stack, WaiterConfig={"Delay": 1})
    settings = {"ActionMode": "DELETE_ONLY", "StackName": stack}
    name = world.create(
        "gone", [{"name": "Delete", "actions": [action("Delete", "Deploy/CloudFormation", configuration=settings)]}]
    )
    assert world.ended(name)["status"] == "Succeeded"
    with pytest.raises(ClientError, match="does not exist"):
        cloudformation.describe_stacks(StackName=stack)
    world.pipelines.delete_pipeline(name=name)
    with pytest.raises(ClientError, match="PipelineNotFoundException"):
        world.pipelines.get_pipeline_state(name=name)
    until(lambda: name not in [item["name"] for item in world.pipelines.list_pipelines()["pipelines"]], what="deletion")
