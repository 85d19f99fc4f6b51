"""Starting the lifecycle machine."""

from __future__ import annotations

from collections.abc import Iterator

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from lambdas.saas.lifecycle.facts import Memory
from lambdas.saas.store.lifecycle_machine import LifecycleMachine

MACHINE = "arn:aws:states:eu-west-1:111111111111:stateMachine:granary-lifecycle"
REQUEST = {"stateMachineArn": MACHINE, "name": "acme-0123456789abcdef0123", "input": '{"id": "acme"}'}
STARTED = {"executionArn": "arn:aws:states:eu-west-1:111111111111:execution:granary-lifecycle:x", "startDate": 0}


@pytest.fixture
def states(aws: None) -> Iterator[Stubber]:
    with Stubber(boto3.client("stepfunctions", region_name="eu-west-1")) as stub:
        yield stub
        stub.assert_no_pending_responses()


def start(states: Stubber) -> None:
    LifecycleMachine(client=states.client, machine_arn=MACHINE).start("acme", token="0123456789abcdef0123456789")


def test_an_execution_bears_the_id_and_the_token(states: Stubber) -> None:
    states.add_response("start_execution", STARTED, REQUEST)
    start(states)


def test_the_machine_knows_by_its_input_that_the_removal_of_the_row_was_counted(states: Stubber) -> None:
    states.add_response("start_execution", STARTED, {**REQUEST, "input": '{"id": "acme", "counted": true}'})
    machine = LifecycleMachine(client=states.client, machine_arn=MACHINE)
    machine.start("acme", token="0123456789abcdef0123456789", counted=True)
    assert Memory.from_event({"id": "acme", "counted": True}).counted
    remembered = Memory.from_event(Memory(counted=True, tries=1).to_event())
    assert (remembered.counted, remembered.tries) == (True, 1)


def test_a_second_start_is_the_first(states: Stubber) -> None:
    states.add_client_error("start_execution", "ExecutionAlreadyExists")
    start(states)


def test_another_error_is_a_fault(states: Stubber) -> None:
    states.add_client_error("start_execution", "AccessDeniedException")
    with pytest.raises(ClientError):
        start(states)
