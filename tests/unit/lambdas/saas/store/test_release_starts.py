"""Starting runs: names that are taken, by what goes on and by what came to nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber
from hypothesis import given
from hypothesis import strategies as st

from lambdas.common.errors import GranaryError
from lambdas.saas.model.runs import BROKEN, Run, RunState, resumed_name, run_name
from lambdas.saas.store.release_starts import NAMES_LIMIT, ReleaseMachine, Started, start_run
from tests.unit.lambdas.saas.execution_fakes import FakeReleaseExecutions
from tests.unit.lambdas.saas.fakes import RELEASE
from tests.unit.lambdas.saas.release_fakes import FakeRuns

NAME = run_name(RELEASE)
SECOND, THIRD = f"{NAME}-r2", f"{NAME}-r3"
MACHINE = "arn:aws:states:eu-west-1:111111111111:stateMachine:granary-release"
ARN = f"arn:aws:states:eu-west-1:111111111111:execution:granary-release:{NAME}"
GOES_ON = ("RUNNING", "SUCCEEDED", "PENDING_REDRIVE", "")


def run_of(name: str, state: RunState) -> Run:
    return Run(run=name, revision=RELEASE.revision, state=state.value, strategy="rings", rings=1, deployments=1)


def test_a_run_is_started_with_what_it_is_about() -> None:
    executions = FakeReleaseExecutions()
    assert start_run(executions, NAME, release=RELEASE) == Started(name=NAME, new=True)
    assert start_run(executions, SECOND, release=RELEASE, resumes=NAME, catch_up=True).new
    assert executions.given == {
        NAME: {"release": json.loads(RELEASE.to_json()), "resumes": ""},
        SECOND: {"release": json.loads(RELEASE.to_json()), "resumes": NAME, "catch_up": True},
    }


@pytest.mark.parametrize("status", GOES_ON)
def test_what_goes_on_or_is_through_is_not_started_again(status: str) -> None:
    executions = FakeReleaseExecutions(statuses={NAME: status})
    assert start_run(executions, NAME, release=RELEASE) == Started(name=NAME, new=False)
    assert executions.given == {}


@pytest.mark.parametrize("status", sorted(BROKEN))
def test_what_came_to_nothing_gives_way_to_the_next_name(status: str) -> None:
    """Given two executions that broke, then the third name is started with the same input, and only once."""
    executions = FakeReleaseExecutions(statuses={NAME: status, SECOND: status})
    for new in (True, False):
        assert start_run(executions, NAME, release=RELEASE, runs=FakeRuns()) == Started(name=THIRD, new=new)
    assert executions.given == {THIRD: {"release": json.loads(RELEASE.to_json()), "resumes": ""}}


@pytest.mark.parametrize("status", sorted(BROKEN))
def test_a_run_in_force_that_broke_is_it_and_can_be_resumed(status: str) -> None:
    executions = FakeReleaseExecutions(statuses={NAME: status})
    runs = FakeRuns(force={"run": NAME})
    assert start_run(executions, NAME, release=RELEASE, runs=runs) == Started(name=NAME, new=False)


def test_a_resumption_that_was_refused_does_not_keep_the_next_from_it() -> None:
    """Given a second run of a release that was refused, when its first is resumed, then by a third one."""
    executions = FakeReleaseExecutions(statuses={SECOND: "SUCCEEDED"})
    runs = FakeRuns(runs={SECOND: run_of(SECOND, RunState.SUPERSEDED)}, force={"run": NAME})
    assert start_run(executions, SECOND, release=RELEASE, resumes=NAME, runs=runs).name == THIRD
    assert start_run(executions, SECOND, release=RELEASE, runs=runs).name == SECOND, "of a release nothing is changed"


@pytest.mark.parametrize("tries", [1, 5, NAMES_LIMIT])
def test_it_is_given_up_after_so_many_names(tries: int) -> None:
    executions = FakeReleaseExecutions()
    name = NAME
    for _ in range(tries):
        executions.statuses[name] = "FAILED"
        name = resumed_name(name)
    with pytest.raises(GranaryError, match=f"{tries} runs of release {RELEASE.revision} came to nothing"):
        start_run(executions, NAME, release=RELEASE, tries=tries)
    assert executions.given == {}
    assert start_run(executions, NAME, release=RELEASE, tries=tries + 1) == Started(name=name, new=True)


@given(st.lists(st.sampled_from([*sorted(BROKEN), *GOES_ON]), max_size=8), st.integers(0, 8))
def test_whoever_asks_again_gets_the_same_run(statuses: list[str], in_force: int) -> None:
    names = [NAME]
    while len(names) <= max(len(statuses), in_force):
        names.append(resumed_name(names[-1]))
    executions = FakeReleaseExecutions(statuses=dict(zip(names, statuses, strict=False)))
    runs = FakeRuns(force={"run": names[in_force]})
    first = start_run(executions, NAME, release=RELEASE, runs=runs)
    assert start_run(executions, NAME, release=RELEASE, runs=runs) == replace(first, new=False)
    before = statuses[: names.index(first.name)]
    assert all(status in BROKEN for status in before)
    assert first.new is (names.index(first.name) == len(statuses))


@pytest.fixture
def states(aws: None) -> Iterator[Stubber]:
    with Stubber(boto3.client("stepfunctions", region_name="eu-west-1")) as stub:
        yield stub
        stub.assert_no_pending_responses()


def test_the_machine_is_started_by_name(states: Stubber) -> None:
    machine = ReleaseMachine(client=states.client, machine_arn=MACHINE)
    request = {"stateMachineArn": MACHINE, "name": NAME, "input": json.dumps({"resumes": ""})}
    states.add_response("start_execution", {"executionArn": ARN, "startDate": 0}, request)
    states.add_client_error("start_execution", "ExecutionAlreadyExists", expected_params=request)
    states.add_client_error("start_execution", "AccessDeniedException", expected_params=request)
    assert machine.start(NAME, {"resumes": ""})
    assert not machine.start(NAME, {"resumes": ""})
    with pytest.raises(ClientError, match="AccessDenied"):
        machine.start(NAME, {"resumes": ""})


def test_an_execution_is_described_without_its_data(states: Stubber) -> None:
    """The data is encrypted, and who publishes has no use of the key."""
    machine = ReleaseMachine(client=states.client, machine_arn=MACHINE)
    request = {"executionArn": ARN, "includedData": "METADATA_ONLY"}
    found = {"executionArn": ARN, "stateMachineArn": MACHINE, "status": "FAILED", "startDate": 0}
    states.add_response("describe_execution", found, request)
    states.add_client_error("describe_execution", "ExecutionDoesNotExist", expected_params=request)
    states.add_client_error("describe_execution", "AccessDeniedException", expected_params=request)
    assert machine.status(NAME) == "FAILED"
    assert machine.status(NAME) == ""
    with pytest.raises(ClientError, match="AccessDenied"):
        machine.status(NAME)
