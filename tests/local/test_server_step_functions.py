"""State machines: their role decides, a path gives a map's concurrency, and tasks end with what they belong to."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.local.local_cloud_fixtures import Workbench, allow, wait_until, zipped

# Answers its token; `boom` raises instead, and `later` leaves its token in a parameter.
_HANDLER = """
import json, boto3

def handler(event, context):
    if event.get("item") == "boom":
        raise ValueError("no such thing")
    if event["item"].startswith("later"):
        return boto3.client("ssm").put_parameter(Name=f"/{event['item']}", Type="String", Value=event["token"])
    output = json.dumps({"done": event["item"]})
    boto3.client("stepfunctions").send_task_success(taskToken=event["token"], output=output)
"""

# A busy machine may take longer than the three seconds that a function has by itself.
_FUNCTION_SECONDS = 60


def _machine(workbench: Workbench, *statements: dict[str, Any]) -> str:
    worker = workbench.role(
        "worker",
        principal={"Service": "lambda.amazonaws.com"},
        statements=[allow("states:SendTaskSuccess"), allow("logs:*"), allow("ssm:PutParameter")],
    )
    workbench.client("lambda").create_function(
        FunctionName="worker",
        Runtime="python3.11",
        Role=worker,
        Handler="index.handler",
        Timeout=_FUNCTION_SECONDS,
        Code={"ZipFile": zipped({"index.py": _HANDLER})},
    )
    workbench.client("s3").create_bucket(
        Bucket=f"items-{workbench.account}", CreateBucketConfiguration={"LocationConstraint": workbench.region}
    )
    task = {
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke.waitForTaskToken",
        "Parameters": {"FunctionName": "worker", "Payload": {"item.$": "$", "token.$": "$$.Task.Token"}},
        "TimeoutSeconds": 600,
        "End": True,
    }
    each = {
        "Type": "Map",
        "ItemReader": {
            "Resource": "arn:aws:states:::s3:getObject",
            "ReaderConfig": {"InputType": "JSON"},
            "Parameters": {"Bucket": f"items-{workbench.account}", "Key.$": "$.key"},
        },
        "MaxConcurrencyPath": "$.concurrency",
        "ItemProcessor": {
            "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
            "StartAt": "One",
            "States": {"One": task},
        },
        "End": True,
    }
    role = workbench.role("machine", principal={"Service": "states.amazonaws.com"}, statements=list(statements))
    return str(
        workbench.client("stepfunctions").create_state_machine(
            name="machine", definition=json.dumps({"StartAt": "Each", "States": {"Each": each}}), roleArn=role
        )["stateMachineArn"]
    )


def _start(workbench: Workbench, machine: str, items: list[str]) -> str:
    workbench.client("s3").put_object(Bucket=f"items-{workbench.account}", Key="items.json", Body=json.dumps(items))
    started = json.dumps({"key": "items.json", "concurrency": 2})
    return str(
        workbench.client("stepfunctions").start_execution(stateMachineArn=machine, input=started)["executionArn"]
    )


def _run(workbench: Workbench, machine: str, items: list[str]) -> dict[str, Any]:
    client = workbench.client("stepfunctions")
    arn = _start(workbench, machine, items)

    def over() -> dict[str, Any] | None:
        execution: dict[str, Any] = client.describe_execution(executionArn=arn)
        return execution if execution["status"] != "RUNNING" else None

    execution: dict[str, Any] = wait_until(over, what="the end of the execution")
    return execution


_ALL = (allow("lambda:InvokeFunction"), allow("s3:GetObject"), allow("states:StartExecution"))


def test_items_are_read_answered_and_bounded_by_a_path(workbench: Workbench) -> None:
    machine = _machine(workbench, *_ALL)
    execution = _run(workbench, machine, ["a", "b", "c"])
    assert json.loads(execution["output"]) == [{"done": "a"}, {"done": "b"}, {"done": "c"}]
    client = workbench.client("stepfunctions")
    (run,) = client.list_map_runs(executionArn=execution["executionArn"])["mapRuns"]
    assert client.describe_map_run(mapRunArn=run["mapRunArn"])["maxConcurrency"] == 2


@pytest.mark.parametrize("missing", ["lambda:InvokeFunction", "s3:GetObject", "states:StartExecution"])
def test_a_machine_whose_role_lacks_a_permission_fails(workbench: Workbench, missing: str) -> None:
    """Given a role without one permission, when the machine needs it, then the execution fails instead of waiting."""
    machine = _machine(workbench, *(statement for statement in _ALL if missing not in statement["Action"]))
    execution = _run(workbench, machine, ["a"])
    assert execution["status"] == "FAILED"


def test_a_function_that_fails_fails_the_task_that_waits_for_its_token(workbench: Workbench) -> None:
    machine = _machine(workbench, *_ALL)
    assert _run(workbench, machine, ["boom"])["status"] == "FAILED"


def test_an_execution_that_is_stopped_takes_its_tasks_along(workbench: Workbench) -> None:
    """Given items that wait, when their execution is stopped, then nobody can answer, and no further one is begun."""
    client, ssm = workbench.client("stepfunctions"), workbench.client("ssm")
    arn = _start(workbench, _machine(workbench, *_ALL), ["later-1", "later-2", "later-3"])

    def tokens() -> list[str] | None:
        found = ssm.get_parameters(Names=["/later-1", "/later-2"])["Parameters"]
        return [parameter["Value"] for parameter in found] if len(found) == 2 else None

    waiting = wait_until(tokens, what="two items to wait")
    client.stop_execution(executionArn=arn, cause="by hand")
    for token in waiting:
        with pytest.raises(client.exceptions.TaskDoesNotExist):
            client.send_task_success(taskToken=token, output="{}")

    def ended() -> bool | None:
        (run,) = client.list_map_runs(executionArn=arn)["mapRuns"]
        return True if client.describe_map_run(mapRunArn=run["mapRunArn"])["executionCounts"]["running"] == 0 else None

    wait_until(ended, what="the items to end")
    assert client.describe_execution(executionArn=arn)["status"] == "ABORTED"
    assert ssm.get_parameters(Names=["/later-3"])["InvalidParameters"] == ["/later-3"]


_RAISES = """
class BusyError(Exception):
    pass

def handler(event, context):
    raise BusyError(event["words"])
"""


@pytest.mark.parametrize("words", ["another run is at work: wait", "two\nlines", ""])
def test_a_task_fails_with_the_class_of_what_its_function_raised(workbench: Workbench, words: str) -> None:
    """Given a machine that catches an exception by its class, then it does, whatever the message is."""
    worker = workbench.role("worker", principal={"Service": "lambda.amazonaws.com"}, statements=[allow("logs:*")])
    workbench.client("lambda").create_function(
        FunctionName="worker",
        Runtime="python3.11",
        Role=worker,
        Handler="index.handler",
        Timeout=_FUNCTION_SECONDS,
        Code={"ZipFile": zipped({"index.py": _RAISES})},
    )
    task = {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "End": True}
    task |= {"Parameters": {"FunctionName": "worker", "Payload": {"words": words}}}
    task |= {"Catch": [{"ErrorEquals": ["BusyError"], "Next": "Busy"}]}
    states = {"Task": task, "Busy": {"Type": "Succeed"}}
    client = workbench.client("stepfunctions")
    machine = client.create_state_machine(
        name="machine",
        definition=json.dumps({"StartAt": "Task", "States": states}),
        roleArn=workbench.role(
            "machine",
            principal={"Service": "states.amazonaws.com"},
            statements=[allow("lambda:InvokeFunction")],
        ),
    )["stateMachineArn"]
    arn = client.start_execution(stateMachineArn=machine)["executionArn"]
    wait_until(lambda: client.describe_execution(executionArn=arn)["status"] != "RUNNING", what="the end")
    told = client.describe_execution(executionArn=arn)
    assert (told["status"], json.loads(told["output"])["Error"]) == ("SUCCEEDED", "BusyError")


@pytest.mark.parametrize(("detail_type", "status"), [("Told", "SUCCEEDED"), ("Else", "FAILED")])
def test_a_machine_puts_the_events_that_its_role_may(workbench: Workbench, detail_type: str, status: str) -> None:
    entry = {"EventBusName": "default", "Source": "test", "DetailType": detail_type, "Detail": {"a": 1}}
    task = {"Type": "Task", "Resource": "arn:aws:states:::events:putEvents", "Parameters": {"Entries": [entry]}}
    bus = f"arn:aws:events:{workbench.region}:{workbench.account}:event-bus/default"
    may = allow("events:PutEvents", resource=bus, StringEquals={"events:detail-type": "Told", "events:source": "test"})
    client = workbench.client("stepfunctions")
    machine = client.create_state_machine(
        name="machine",
        definition=json.dumps({"StartAt": "Task", "States": {"Task": {**task, "End": True}}}),
        roleArn=workbench.role("machine", principal={"Service": "states.amazonaws.com"}, statements=[may]),
    )["stateMachineArn"]
    arn = client.start_execution(stateMachineArn=machine)["executionArn"]
    wait_until(lambda: client.describe_execution(executionArn=arn)["status"] != "RUNNING", what="the end")
    assert client.describe_execution(executionArn=arn)["status"] == status
