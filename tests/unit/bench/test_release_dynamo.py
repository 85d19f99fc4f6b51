"""The tables in memory: they do with the product's writes what moto's DynamoDB does."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import boto3
import pytest
from moto import mock_aws

from lambdas.common import dynamo
from lambdas.common.clock import stamp
from lambdas.saas.model.release_turns import Aside, Ending, Taking
from lambdas.saas.model.runs import Ring, RingState
from lambdas.saas.model.status import Outcome, Phase
from lambdas.saas.store.release_statuses import ReleaseStatusTable
from lambdas.saas.store.runs_table import RunsTable
from tests.bench.release.calls import Calls
from tests.bench.release.conditions import compiled
from tests.bench.release.dynamo import Dynamo
from tests.bench.release.fleet import NEW, OLD, REGION, status_item
from tests.unit.lambdas.saas.fakes import RELEASE, START

RING = Ring(
    run="run-1",
    index=0,
    name="canary",
    state="ADVANCING",
    total=1,
    concurrency=1,
    allowed_failures=0,
    bake_seconds=0,
)
TAKING = Taking(
    run="run-1",
    ring="canary",
    outcome=Outcome.RUNNING,
    revision=NEW,
    before=OLD,
    token="token-1",
    claim_until=START + timedelta(hours=2),
)


@pytest.fixture
def moto_client(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    with mock_aws():
        client = boto3.client("dynamodb", region_name=REGION)
        for table in ("statuses", "releases"):
            client.create_table(
                TableName=table,
                AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
                KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
                BillingMode="PAY_PER_REQUEST",
            )
        yield client


def live(client: Any) -> tuple[list[object], list[dict[str, Any]]]:
    """A deployment's way through a release, with writes that are repeated, late, or not allowed: answers and items."""
    runs = RunsTable(client=client, name="releases")
    statuses = ReleaseStatusTable(client=client, name="statuses", releases="releases")
    dynamo.put(client, table="statuses", item=status_item(1) or {})
    dynamo.put(client, table="statuses", item=status_item(2) or {})
    runs.planned(RING)
    one, two = (statuses.get(f"customer-0000{number}") for number in (1, 2))
    assert one
    assert two
    ended = Ending(outcome=Outcome.SUCCEEDED, phase=Phase.ACTIVE)
    answers: list[object] = [
        statuses.take(one, TAKING, now=START),  # no run is in force
        runs.take_over("run-1", release=RELEASE, resumes="", now=START),
        runs.take_over("run-0", release=replace(RELEASE, published_at="2020"), resumes="", now=START),
        statuses.take(one, TAKING, now=START),
        statuses.take(one, TAKING, now=START),  # what was read is not there any more
        statuses.started(one.id, token="token-1", execution_id="e1", now=START),
        statuses.started(one.id, token="token-2", execution_id="e2", now=START),
    ]
    taken = statuses.get(one.id)
    assert taken
    answers += [
        statuses.ended(replace(taken, task_token="token-2"), ended, ring=RING, now=START),
        statuses.ended(taken, ended, ring=RING, now=START),
        statuses.ended(taken, ended, ring=RING, now=START),  # counted already
        statuses.answered(one.id, token="token-1", now=START),
        statuses.set_aside(two, ring=RING, outcome=Aside.HELD, reason="stopped", now=START),
        statuses.set_aside(two, ring=RING, outcome=Aside.HELD, reason="stopped", now=START),
        runs.turn(RING, to=RingState.BAKING, now=START, bake_until=stamp(START)),
        runs.turn(RING, to=RingState.BAKING, now=START),
        runs.ring("run-1", 0),
        runs.current(),
    ]
    items = [item for table in ("statuses", "releases") for item in dynamo.scan_pages(client, table=table)]
    return answers, sorted(items, key=lambda item: str(item["id"]))


def test_the_tables_in_memory_do_what_dynamodb_does(moto_client: Any) -> None:
    answers, items = live(Dynamo(Calls()))
    theirs, their_items = live(moto_client)
    assert answers == theirs
    assert items == their_items
    assert {True, False} <= set(answers[:-2])


def test_each_call_is_counted_and_each_page_of_a_scan() -> None:
    calls = Calls()
    client = Dynamo(calls)
    for number in range(1_000):
        dynamo.put(client, table="statuses", item=status_item(number) or {})
    assert len(list(dynamo.scan_pages(client, table="statuses"))) == 1_000
    assert calls.operations["dynamodb", "PutItem"] == 1_000
    assert calls.operations["dynamodb", "Scan"] == 2


@pytest.mark.parametrize(
    "expression", ["contains( #a , :b )", "#a = :b ; #c", "#a BETWEEN :b AND :c", "size( #a ) > :b", "( #a = :b"]
)
def test_an_expression_that_is_not_understood_is_refused(expression: str) -> None:
    with pytest.raises((ValueError, KeyError, IndexError)):
        compiled(expression)
