"""The Lambda function `sweep`, on moto's AWS."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import boto3
import pytest

from lambdas.common import clients, dynamo
from lambdas.common.clock import stamp
from lambdas.common.errors import GranaryError
from lambdas.saas.model.record import DeploymentRecord
from lambdas.saas.model.runs import Run, RunState, run_name
from lambdas.saas.store.runs_table import RunsTable
from lambdas.saas.sweep import handler as sweep
from tests.unit.lambdas.saas.fakes import RELEASE, START
from tests.unit.lambdas.saas.strategies import ACCOUNTS, POLICY

MACHINES = "arn:aws:states:eu-west-1:123456789012:stateMachine"
NOTHING = dict.fromkeys(
    ("started", "invalid", "removed", "looked", "waiting", "lifecycle", "stopped", "caught_up", "unreadable"), 0
)
NAME = run_name(RELEASE)
ENVIRONMENT = {
    "DEPLOYMENTS_TABLE": "deployments",
    "STATUS_TABLE": "statuses",
    "RELEASES_TABLE": "releases",
    "PROVISIONING_PROJECT": "granary-provisioning",
    "RELEASES_BUCKET": "releases",
    "RELEASE_PARAMETER": "/granary/release/current",
    "MAX_IDS_PER_BUILD": "25",
    "FACTORY": "granary",
    "LIFECYCLE_MACHINE": f"{MACHINES}:granary-lifecycle",
    "RELEASE_MACHINE": f"{MACHINES}:granary-release",
    "PIPELINE_WATCH_FUNCTION": "granary-pipeline-watch",
    "MAX_REMOVED_PERCENT": "10",
    "ON_ROW_REMOVED": "keep",
}


@pytest.fixture
def client(make_table: Callable[[str], Any], give_settings: Callable[..., None]) -> Iterator[Any]:
    """The tables that the function reads its names of; answers the client of DynamoDB."""
    made = [make_table(name) for name in ("statuses", "deployments", "releases")]
    give_settings(ENVIRONMENT, target_policy=POLICY.to_json())
    clients.client.cache_clear()
    sweep._sweep.cache_clear()
    yield made[0]
    clients.client.cache_clear()
    sweep._sweep.cache_clear()


def machine(name: str) -> Any:
    """Make a state machine that waits; answers the client of Step Functions."""
    states = boto3.client("stepfunctions")
    wait = {"StartAt": "Wait", "States": {"Wait": {"Type": "Wait", "Seconds": 60, "End": True}}}
    states.create_state_machine(
        name=name, definition=json.dumps(wait), roleArn="arn:aws:iam::123456789012:role/machine"
    )
    return states


def test_a_round_is_counted(client: Any, sample: Callable[[str], Any]) -> None:
    for record in sample("deployments_stream")["Records"][:3]:
        client.put_item(TableName="deployments", Item=record["dynamodb"]["NewImage"])
    # No release yet: what could be provisioned waits.
    assert sweep.handler(sample("sweep_schedule"), None) == {**NOTHING, "invalid": 1, "waiting": 2}
    items = client.scan(TableName="statuses")["Items"]
    assert {item["id"]["S"]: item["phase"]["S"] for item in items} == {
        "silo1": "PENDING",
        "pool1": "PENDING",
        "bad": "INVALID",
    }


def test_a_release_whose_execution_was_stopped_is_stopped(client: Any, sample: Callable[[str], Any]) -> None:
    """Given an execution that goes on, then so does its run; when it is stopped by hand, then the run is stopped."""
    execution = machine("granary-release").start_execution(stateMachineArn=f"{MACHINES}:granary-release", name=NAME)[
        "executionArn"
    ]
    runs = RunsTable(client=client, name="releases")
    runs.keep(RELEASE)
    assert runs.take_over(NAME, release=RELEASE, resumes="", now=START)
    runs.begun(Run(run=NAME, revision=RELEASE.revision, state="RUNNING", strategy="rings", rings=1, deployments=1))
    assert sweep.handler(sample("sweep_schedule"), None) == NOTHING

    boto3.client("stepfunctions").stop_execution(executionArn=execution)
    assert sweep.handler(sample("sweep_schedule"), None) == {**NOTHING, "stopped": 1}
    run = runs.run(NAME)
    assert run
    assert run.state == RunState.STOPPED
    assert "ABORTED" in run.reason
    assert "`granary resume`" in run.reason


def test_a_releases_table_that_cannot_be_read_costs_no_round(client: Any, sample: Callable[[str], Any]) -> None:
    record = sample("deployments_stream")["Records"][0]
    client.put_item(TableName="deployments", Item=record["dynamodb"]["NewImage"])
    client.delete_table(TableName="releases")
    with pytest.raises(GranaryError, match="the release that is through could not be read"):
        sweep.handler(sample("sweep_schedule"), None)
    (item,) = client.scan(TableName="statuses")["Items"]
    assert item["reason"]["S"].startswith("waiting: no release has been published yet")


def test_a_release_that_is_not_the_one_that_is_kept_starts_no_build(client: Any, sample: Callable[[str], Any]) -> None:
    """Given a parameter with a version that is not there, then rows wait with the command, and no build fails at it."""
    row = {"id": {"S": "good"}, "type": {"S": "silo"}, "account": {"S": ACCOUNTS[0]}, "region": {"S": "eu-west-1"}}
    client.put_item(TableName="deployments", Item=row)
    RunsTable(client=client, name="releases").keep(RELEASE)
    wrong = replace(RELEASE, version_id="no-such-version").to_json()
    boto3.client("ssm").put_parameter(Name="/granary/release/current", Value=wrong, Type="String")
    assert sweep.handler(sample("sweep_schedule"), None) == {**NOTHING, "waiting": 1, "unreadable": 1}
    (item,) = client.scan(TableName="statuses")["Items"]
    assert item["reason"]["S"].endswith("run `granary repair --release`")


def test_one_bad_thing_of_each_kind_harms_only_itself(client: Any, sample: Callable[[str], Any]) -> None:
    """Given a row, a status and a parameter that somebody spoilt, then a good row waits for a release, and says so."""
    target = {"type": {"S": "silo"}, "account": {"S": ACCOUNTS[0]}, "region": {"S": "eu-west-1"}}
    rows: list[dict[str, Any]] = [
        {"id": {"S": "binary"}, **target, "account": {"B": b"222"}},
        {"id": {"S": "deep"}, **target, "tags": {"M": {"team": {"L": [{"BS": [b"x", b"y"]}]}}}},
        {"id": {"S": "good"}, **target, "note": {"N": "1.2345678901234567890123456789012345678E-130"}},
        {"id": {"S": "known"}, **target},
    ]
    for row in rows:
        client.put_item(TableName="deployments", Item=row)
    spoilt = {"id": {"S": "known"}, "phase": {"S": "NONSENSE"}}
    client.put_item(TableName="statuses", Item=spoilt)
    boto3.client("ssm").put_parameter(Name="/granary/release/current", Value="garbage", Type="String")
    counts = {**NOTHING, "invalid": 2, "waiting": 1, "unreadable": 2}
    assert sweep.handler(sample("sweep_schedule"), None) == counts
    items = {item["id"]["S"]: item for item in client.scan(TableName="statuses")["Items"]}
    assert items["known"] == spoilt
    assert 'account must be a string, not {"B": "MjIy"}' in items["binary"]["reason"]["S"]
    assert '{"L": [{"BS": ["eA==", "eQ=="]}]}' in items["deep"]["reason"]["S"]
    assert "`granary repair --release`" in items["good"]["reason"]["S"]
    assert sweep.handler(sample("sweep_schedule"), None) == {**counts, "invalid": 0}, "what is said is not said again"


@pytest.mark.parametrize(("setting", "started"), [("keep", 0), ("retire", 1)])
def test_the_setting_decides_what_a_removed_row_does(
    client: Any, sample: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch, setting: str, started: int
) -> None:
    monkeypatch.setenv("ON_ROW_REMOVED", setting)
    states = machine("granary-lifecycle")
    client.put_item(TableName="statuses", Item={"id": {"S": "gone"}, "phase": {"S": "ACTIVE"}})
    answer = sweep.handler(sample("sweep_schedule"), None)
    assert answer == {**NOTHING, "removed": 1, "lifecycle": started}
    found = states.list_executions(stateMachineArn=f"{MACHINES}:granary-lifecycle")["executions"]
    assert [one["name"].startswith("gone-") for one in found] == [True] * started


def test_who_was_left_behind_catches_up(
    client: Any, sample: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Given a release that is through and a tenant that has another one, then its machine is started, once."""
    monkeypatch.setattr(sweep, "standing_pipelines", lambda _client: {"silo-late-pipeline"})
    states = machine("granary-release")
    runs = RunsTable(client=client, name="releases")
    runs.keep(RELEASE)
    assert runs.take_over(NAME, release=RELEASE, resumes="", now=START)
    runs.begun(Run(run=NAME, revision=RELEASE.revision, state="SUCCEEDED", strategy="rings", rings=0, deployments=0))
    boto3.client("ssm").put_parameter(Name="/granary/release/current", Value=RELEASE.to_json(), Type="String")
    wish = DeploymentRecord(id="late", type="silo", account=ACCOUNTS[0], region="eu-west-1")
    row = {"id": wish.id, "type": wish.type, "account": wish.account, "region": wish.region}
    dynamo.put(client, table="deployments", item=row)
    stack = {"kind": "pipeline", "stack_id": "arn:p", "account": "111111111111", "region": "eu-west-1"}
    status = {
        "phase": "ACTIVE",
        "revision_deployed": "old",
        "applied_digest": wish.digest(),
        "updated_at": stamp(START),
    }
    stacks = {"pipeline_stack": stack, "component_stacks": [{**stack, "kind": "component"}]}
    dynamo.put(client, table="statuses", item={**row, **status, **stacks})
    assert sweep.handler(sample("sweep_schedule"), None) == {**NOTHING, "caught_up": 1}
    sweep.handler(sample("sweep_schedule"), None)
    (found,) = states.list_executions(stateMachineArn=f"{MACHINES}:granary-release")["executions"]
    assert found["name"] == f"{NAME}-r2"
    given = json.loads(states.describe_execution(executionArn=found["executionArn"])["input"])
    assert given == {"release": json.loads(RELEASE.to_json()), "resumes": NAME, "catch_up": True}
