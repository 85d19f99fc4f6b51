"""Reading the executions of the release machine."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from lambdas.saas.sweep.dead_run import Execution
from lambdas.saas.sweep.executions import WatchedReleaseMachine

MACHINE = "arn:aws:states:eu-west-1:111111111111:stateMachine:granary-release"
ARN = "arn:aws:states:eu-west-1:111111111111:execution:granary-release:rev1-11111111"
REQUEST = {"executionArn": ARN}


@pytest.fixture
def states(aws: None) -> Iterator[Stubber]:
    with Stubber(boto3.client("stepfunctions", region_name="eu-west-1")) as stub:
        yield stub
        stub.assert_no_pending_responses()


def answer(**changes: Any) -> dict[str, Any]:
    return {"executionArn": ARN, "stateMachineArn": MACHINE, "status": "RUNNING", "startDate": 0, **changes}


def look(states: Stubber) -> Execution:
    return WatchedReleaseMachine(client=states.client, machine_arn=MACHINE).look("rev1-11111111")


def test_one_that_was_stopped(states: Stubber) -> None:
    found = answer(status="ABORTED", error="Maintenance", cause="why", input='{"release": {"revision": "rev1"}}')
    states.add_response("describe_execution", found, REQUEST)
    assert look(states) == Execution(
        arn=ARN, status="ABORTED", error="Maintenance", cause="why", given={"release": {"revision": "rev1"}}
    )


def test_one_that_goes_on(states: Stubber) -> None:
    states.add_response("describe_execution", answer(), REQUEST)
    assert look(states) == Execution(arn=ARN, status="RUNNING")


@pytest.mark.parametrize("text", ["not JSON", "[]", '"rev1"'])
def test_one_that_was_started_with_anything(states: Stubber, text: str) -> None:
    states.add_response("describe_execution", answer(input=text), REQUEST)
    assert look(states).given == {}


def test_one_that_nobody_knows(states: Stubber) -> None:
    states.add_client_error("describe_execution", "ExecutionDoesNotExist", expected_params=REQUEST)
    assert look(states) == Execution(arn=ARN)


@pytest.mark.parametrize("code", ["AccessDeniedException", "KmsAccessDeniedException", "InvalidArn"])
def test_another_error_is_a_fault(states: Stubber, code: str) -> None:
    states.add_client_error("describe_execution", code)
    with pytest.raises(ClientError):
        look(states)
