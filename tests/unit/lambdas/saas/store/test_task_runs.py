"""What the releases table keeps of tasks' runs."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import boto3
import pytest

from lambdas.common.clock import stamp
from lambdas.common.dynamo import write_value
from lambdas.common.errors import UnreadableError
from lambdas.saas.model.task_runs import TaskRun, TaskState
from lambdas.saas.store.task_runs import TaskRunsTable
from tests.unit.lambdas.saas.fakes import START
from tests.unit.lambdas.saas.tasks.world import ECS

RUN = TaskRun(
    id="task/acme/Deploy/silo-acme-data/Migrate",
    execution="e1",
    attempt=1,
    job="job1",
    state=TaskState.BEGINNING,
    task=ECS,
    began=stamp(START),
    until=stamp(START),
)


@pytest.fixture
def table(aws: None) -> TaskRunsTable:
    del aws
    client = boto3.client("dynamodb", "us-east-1")
    client.create_table(
        TableName="releases",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    return TaskRunsTable(client=client, name="releases")


def _spoil(table: TaskRunsTable, name: str, value: Any) -> None:
    table.client.update_item(
        TableName="releases",
        Key={"id": {"S": RUN.id}},
        UpdateExpression="SET #name = :value",
        ExpressionAttributeNames={"#name": name},
        ExpressionAttributeValues={":value": write_value(value)},
    )


def test_a_run_is_written_in_the_place_of_the_one_that_was_read(table: TaskRunsTable) -> None:
    assert table.get(RUN.id) is None
    assert table.write(RUN, None)
    assert not table.write(replace(RUN, job="job2"), None)
    assert table.get(RUN.id) == RUN
    running = replace(RUN, state=TaskState.RUNNING, ref="arn")
    assert table.write(running, RUN)
    assert not table.write(replace(RUN, state=TaskState.FAILED), RUN)
    assert table.get(RUN.id) == running


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("run", "{"),
        ("run", None),
        ("run", 5),
        ("run", RUN.to_json().replace("beginning", "resting")),
        ("state", "running"),
        ("attempt", "1"),
        ("job", None),
        ("execution", {"S": "e1"}),
    ],
)
def test_a_run_that_somebody_has_changed_is_told_by_name(table: TaskRunsTable, name: str, value: Any) -> None:
    """Given what no write would find as it was read, then the job fails, and nobody waits for it for a day."""
    table.write(RUN, None)
    _spoil(table, name, value)
    with pytest.raises(UnreadableError, match=f"item {RUN.id} of the releases table cannot be read: .*; delete it"):
        table.get(RUN.id)
