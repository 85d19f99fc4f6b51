"""Invoke actions and their permissions, on a running local cloud."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.local.pipeline_support import World, action, until, zipped

WORKER = """
import os, boto3, json

def handler(event, context):
    job = event["CodePipeline.job"]
    client = boto3.client("codepipeline")
    data = job["data"]
    parameters = json.loads(data["actionConfiguration"]["configuration"]["UserParameters"])
    if parameters["mode"] == "fail":
        client.put_job_failure_result(jobId=job["id"], failureDetails={"type": "JobFailed", "message": "no luck"})
        return
    if "continuationToken" not in data:
        client.put_job_success_result(jobId=job["id"], continuationToken="again")
        return
    if parameters["mode"] == "whose":
        whose = client.get_job_details(jobId=job["id"])["jobDetails"]["data"]["pipelineContext"]
        told = {"pipeline": whose["pipelineName"], "stage": whose["stage"]["name"], "action": whose["action"]["name"]}
        told["known"] = str("pipelineContext" in data)
        client.put_job_success_result(jobId=job["id"], outputVariables=told)
        return
    place = data["inputArtifacts"][0]["location"]["s3Location"]
    keys = data["artifactCredentials"]
    s3 = boto3.client("s3", aws_access_key_id=keys["accessKeyId"], aws_secret_access_key=keys["secretAccessKey"],
                      aws_session_token=keys["sessionToken"])
    size = len(s3.get_object(Bucket=place["bucketName"], Key=place["objectKey"])["Body"].read())
    variables = {"size": str(size), "token": data["continuationToken"]}
    client.put_job_success_result(jobId=job["id"], outputVariables=variables)
"""


def function(world: World, *, actions: list[str]) -> str:
    """A Lambda function that works on jobs, with these permissions."""
    name = f"worker-{world.tag}-{len(actions)}"
    role = world.role(f"worker-{len(actions)}", service="lambda.amazonaws.com", actions=actions)
    world.client("lambda").create_function(
        FunctionName=name,
        Runtime="python3.11",
        Role=role,
        Handler="index.handler",
        Code={"ZipFile": zipped({"index.py": WORKER})},
        Timeout=30,
    )
    return name


@pytest.fixture(scope="module")
def worker(world: World) -> str:
    """A function that may put results."""
    return function(world, actions=["codepipeline:PutJobSuccessResult", "codepipeline:PutJobFailureResult"])


def invoke(name: str, mode: str) -> dict[str, Any]:
    """A stage that invokes the function."""
    settings = {"FunctionName": name, "UserParameters": json.dumps({"mode": mode})}
    declared = action("Call", "Invoke/Lambda", configuration=settings, inputs=["Source"], namespace="Called")
    return {"name": "Invoke", "actions": [declared]}


def test_lambda_continues_and_returns_variables(world: World, worker: str) -> None:
    name = world.create("lambda", [invoke(worker, "work")])
    assert world.ended(name)["status"] == "Succeeded", world.actions(name)["Call"]
    variables = world.actions(name)["Call"]["output"]["outputVariables"]
    assert variables["token"] == "again"
    assert int(variables["size"]) > 0


def test_lambda_reports_failure(world: World, worker: str) -> None:
    name = world.create("lambda-fails", [invoke(worker, "fail")])
    assert world.ended(name)["status"] == "Failed"
    error = world.actions(name)["Call"]["output"]["executionResult"]["errorDetails"]
    assert error == {"code": "JobFailed", "message": "no luck"}


def test_whose_a_job_is_is_told_to_who_asks_and_the_job_does_not_say(world: World) -> None:
    asking = function(world, actions=["codepipeline:PutJobSuccessResult", "codepipeline:GetJobDetails", "logs:*"])
    name = world.create("lambda-whose", [invoke(asking, "whose")])
    assert world.ended(name)["status"] == "Succeeded", world.actions(name)["Call"]
    variables = world.actions(name)["Call"]["output"]["outputVariables"]
    assert variables == {"pipeline": name, "stage": "Invoke", "action": "Call", "known": "False"}


def test_lambda_without_permission_cannot_answer(world: World) -> None:
    silent = function(world, actions=["logs:*"])
    name = world.create("lambda-denied", [invoke(silent, "fail")])
    logs = world.client("logs")

    def denied() -> bool:
        try:
            events = logs.filter_log_events(logGroupName=f"/aws/lambda/{silent}")["events"]
        except logs.exceptions.ResourceNotFoundException:
            return False
        return any("AccessDenied" in event["message"] for event in events)

    until(denied, what="the refusal in the function's log")
    execution = world.executions(name)[0]["pipelineExecutionId"]
    world.pipelines.stop_pipeline_execution(pipelineName=name, pipelineExecutionId=execution, abandon=True)
    assert world.ended(name)["status"] == "Stopped"


def test_unknown_job(world: World) -> None:
    with pytest.raises(ClientError, match="JobNotFoundException"):
        world.pipelines.put_job_success_result(jobId="5f1b3a0c-4f0e-4fd9-93e8-0b9d1f6b6a55")


def machine(world: World, name: str, state: dict[str, Any]) -> str:
    """A state machine of one state."""
    role = world.role(f"machine-{name}", service="states.amazonaws.com", actions=["*"])
    definition = {"StartAt": "Only", "States": {"Only": state}}
    answer = world.client("stepfunctions").create_state_machine(
        name=f"{name}-{world.tag}", definition=json.dumps(definition), roleArn=role
    )
    return str(answer["stateMachineArn"])


def run_machine(arn: str, **settings: str) -> dict[str, Any]:
    """A stage that runs the state machine."""
    configuration = {"StateMachineArn": arn, "ExecutionNamePrefix": "from-pipeline", **settings}
    declared = action("Run", "Invoke/StepFunctions", configuration=configuration, inputs=["Source"])
    return {"name": "Run", "actions": [declared]}


def test_step_functions_with_input_from_a_file(world: World) -> None:
    world.put_source({"input.json": json.dumps({"ring": 1})})
    arn = machine(world, "passes", {"Type": "Pass", "End": True})
    name = world.create("steps", [run_machine(arn, InputType="FilePath", Input="input.json")])
    assert world.ended(name)["status"] == "Succeeded", world.actions(name)["Run"]
    run = world.actions(name)["Run"]
    execution = world.client("stepfunctions").describe_execution(
        executionArn=run["output"]["outputVariables"]["ExecutionArn"]
    )
    assert json.loads(execution["input"]) == {"ring": 1}
    assert execution["name"] == f"from-pipeline-{run['actionExecutionId']}"


def test_step_functions_failure_and_abandon(world: World) -> None:
    failing = machine(world, "fails", {"Type": "Fail", "Error": "Broken", "Cause": "on purpose"})
    name = world.create("steps-fail", [run_machine(failing)])
    assert world.ended(name)["status"] == "Failed"
    message = world.actions(name)["Run"]["output"]["executionResult"]["errorDetails"]["message"]
    assert "Broken, on purpose" in message

    waiting = machine(world, "waits", {"Type": "Wait", "Seconds": 600, "End": True})
    name = world.create("steps-stop", [run_machine(waiting)])
    until(lambda: world.actions(name).get("Run", {}).get("output", {}).get("executionResult"), what="the start")
    execution = world.executions(name)[0]["pipelineExecutionId"]
    world.pipelines.stop_pipeline_execution(pipelineName=name, pipelineExecutionId=execution, abandon=True)
    assert world.ended(name)["status"] == "Stopped"
    found = world.client("stepfunctions").list_executions(stateMachineArn=waiting)["executions"]
    assert [item["status"] for item in found] == ["ABORTED"]
