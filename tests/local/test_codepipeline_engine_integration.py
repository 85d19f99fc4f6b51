"""The CloudFormation type, events and event targets, on a running local cloud."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from tests.local.pipeline_support import REGION, World, action, approval, until


def pascal(value: Any) -> Any:
    """The API's member names as CloudFormation spells them."""
    if isinstance(value, dict):
        kept = {"configuration"}
        return {name[0].upper() + name[1:]: item if name in kept else pascal(item) for name, item in value.items()}
    return [pascal(item) for item in value] if isinstance(value, list) else value


def template(definition: dict[str, Any], **more: Any) -> str:
    """A template with the pipeline; numbers and booleans as strings, as YAML may give them."""
    properties = {**pascal(definition), **more}
    resource = {"Type": "AWS::CodePipeline::Pipeline", "Properties": properties}
    outputs = {"Name": {"Value": {"Ref": "Pipeline"}}, "Version": {"Value": {"Fn::GetAtt": ["Pipeline", "Version"]}}}
    return json.dumps({"Resources": {"Pipeline": resource}, "Outputs": outputs})


def outputs(world: World, stack: str, *, status: str) -> dict[str, str]:
    """The stack's outputs when it has this status."""

    def found() -> dict[str, str] | None:
        described = world.client("cloudformation").describe_stacks(StackName=stack)["Stacks"][0]
        assert not re.search("FAILED|ROLLBACK", described["StackStatus"]), described
        if described["StackStatus"] != status:
            return None
        return {item["OutputKey"]: item["OutputValue"] for item in described["Outputs"]}

    return until(found, what=f"{stack} in {status}")


def test_cloudformation_type(world: World) -> None:
    cloudformation, stack = world.client("cloudformation"), f"pipeline-{world.tag}"
    definition = world.definition("unused", [{"name": "Wait", "actions": [approval("Go", runOrder="1")]}])
    del definition["name"]
    definition["stages"][0]["actions"][0]["configuration"]["PollForSourceChanges"] = False
    tags = [{"Key": "team", "Value": "one"}]
    cloudformation.create_stack(
        StackName=stack, TemplateBody=template(definition, RestartExecutionOnUpdate=True, Tags=tags)
    )
    created = outputs(world, stack, status="CREATE_COMPLETE")
    name = created["Name"]
    assert (name.startswith(stack), created["Version"]) == (True, "1")
    stored = world.pipelines.get_pipeline(name=name)["pipeline"]
    assert stored["stages"][0]["actions"][0]["configuration"]["PollForSourceChanges"] == "false"
    assert stored["stages"][1]["actions"][0]["runOrder"] == 1
    world.waiting_approval(name, "Wait", "Go")

    definition["stages"].append({"name": "Again", "actions": [approval("More")]})
    cloudformation.update_stack(
        StackName=stack, TemplateBody=template(definition, RestartExecutionOnUpdate="true", Tags=tags)
    )
    updated = outputs(world, stack, status="UPDATE_COMPLETE")
    assert updated == {"Name": name, "Version": "2"}
    first, second = until(lambda: world.executions(name)[1:] and world.executions(name), what="the restart")
    assert world.ended(name, first["pipelineExecutionId"])["status"] == "Cancelled"
    world.decide(name, "Wait", "Go")
    world.decide(name, "Again", "More")
    ended = world.ended(name, second["pipelineExecutionId"])
    assert (ended["status"], ended["pipelineVersion"]) == ("Succeeded", 2)

    cloudformation.delete_stack(StackName=stack)
    until(lambda: name not in [item["name"] for item in world.pipelines.list_pipelines()["pipelines"]], what="deletion")


@pytest.fixture(scope="module")
def events(world: World) -> str:
    """The URL of a queue that gets all pipeline events."""
    sqs, rules = world.client("sqs"), world.client("events")
    url: str = sqs.create_queue(QueueName=f"events-{world.tag}")["QueueUrl"]
    arn = f"arn:aws:sqs:{REGION}:{world.account}:events-{world.tag}"
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": arn,
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    rules.put_rule(Name="all", EventPattern=json.dumps({"source": ["aws.codepipeline"]}))
    rules.put_targets(Rule="all", Targets=[{"Id": "queue", "Arn": arn}])
    return url


def test_events_have_the_documented_shape(world: World, events: str) -> None:
    name = world.create("events", [{"name": "Wait", "actions": [approval("Go")]}])
    world.decide(name, "Wait", "Go", status="Rejected")
    world.ended(name)
    received: list[dict[str, Any]] = []

    def complete() -> bool:
        answer = world.client("sqs").receive_message(QueueUrl=events, MaxNumberOfMessages=10)
        received.extend(json.loads(message["Body"]) for message in answer.get("Messages", []))
        return any(
            event["detail-type"] == "CodePipeline Pipeline Execution State Change"
            and event["detail"]["pipeline"] == name
            and event["detail"]["state"] == "FAILED"
            for event in received
        )

    until(complete, what="the events")
    mine = [event for event in received if event["detail"]["pipeline"] == name]
    kinds = [(event["detail-type"].split()[1], event["detail"]["state"]) for event in mine]
    assert sorted(kinds) == sorted(
        [("Pipeline", "STARTED"), ("Pipeline", "FAILED")]
        + [("Stage", state) for state in ("STARTED", "SUCCEEDED", "STARTED", "FAILED")]
        + [("Action", state) for state in ("STARTED", "SUCCEEDED", "STARTED", "FAILED")]
    )
    failed = next(
        event for event in mine if event["detail-type"].split()[1] == "Action" and event["detail"]["state"] == "FAILED"
    )
    assert failed["resources"] == [f"arn:aws:codepipeline:{REGION}:{world.account}:{name}"]
    detail = failed["detail"]
    assert (detail["stage"], detail["action"], detail["region"]) == ("Wait", "Go", REGION)
    assert detail["type"] == {"owner": "AWS", "provider": "Manual", "category": "Approval", "version": "1"}
    assert detail["execution-result"]["error-code"] == "Rejected"


def test_rule_starts_a_pipeline_with_its_role(world: World) -> None:
    name = world.create("by-rule", [{"name": "Wait", "actions": [approval("Go")]}])
    world.decide(name, "Wait", "Go")
    world.ended(name)
    rules, arn = world.client("events"), f"arn:aws:codepipeline:{REGION}:{world.account}:{name}"
    rules.put_rule(Name="start", EventPattern=json.dumps({"source": ["test"]}))
    role = world.role("starts", service="events.amazonaws.com", actions=["codepipeline:StartPipelineExecution"])
    rules.put_targets(Rule="start", Targets=[{"Id": "pipeline", "Arn": arn, "RoleArn": role}])
    rules.put_events(Entries=[{"Source": "test", "DetailType": "go", "Detail": "{}"}])
    until(lambda: world.executions(name)[1:], what="the execution that the rule starts")
    assert world.executions(name)[1]["trigger"]["triggerType"] == "CloudWatchEvent"

    poor = world.role("poor-starter", service="events.amazonaws.com", actions=["s3:*"])
    rules.put_targets(Rule="start", Targets=[{"Id": "pipeline", "Arn": arn, "RoleArn": poor}])
    rules.put_events(Entries=[{"Source": "test", "DetailType": "go", "Detail": "{}"}])
    world.decide(name, "Wait", "Go")
    world.ended(name, world.executions(name)[1]["pipelineExecutionId"])
    assert len(world.executions(name)) == 2, "a role without permission starts nothing"


def test_output_file_of_a_stack_becomes_an_artifact(world: World) -> None:
    template_body = {"Resources": {"T": {"Type": "AWS::SNS::Topic"}}, "Outputs": {"A": {"Value": "42"}}}
    world.put_source({"template.json": json.dumps(template_body)})
    settings = {
        "ActionMode": "CREATE_UPDATE",
        "StackName": f"outputs-{world.tag}",
        "TemplatePath": "Source::template.json",
        "OutputFileName": "outputs.json",
    }
    first = action("Deploy", "Deploy/CloudFormation", configuration=settings, inputs=["Source"], outputs=["Outputs"])
    reads = {
        **settings,
        "StackName": f"reads-{world.tag}",
        "ParameterOverrides": json.dumps({"Name": {"Fn::GetParam": ["Outputs", "outputs.json", "A"]}}),
        "TemplatePath": "Source::named.json",
    }
    del reads["OutputFileName"]
    named = {
        "Parameters": {"Name": {"Type": "String"}},
        "Resources": {"T": {"Type": "AWS::SNS::Topic"}},
        "Outputs": {"Name": {"Value": {"Ref": "Name"}}},
    }
    world.put_source({"template.json": json.dumps(template_body), "named.json": json.dumps(named)})
    second = action("Read", "Deploy/CloudFormation", configuration=reads, inputs=["Source", "Outputs"], runOrder=2)
    name = world.create("outputs", [{"name": "Deploy", "actions": [first, second]}])
    assert world.ended(name)["status"] == "Succeeded", world.actions(name)
    assert world.actions(name)["Read"]["output"]["outputVariables"] == {"Name": "42"}
