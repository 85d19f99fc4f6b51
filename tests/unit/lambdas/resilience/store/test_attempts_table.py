"""The table of attempts on a real one (moto's): versions, the index, and what another version has written."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import boto3
import pytest

from lambdas.common import dynamo
from lambdas.common.errors import UnreadableError
from lambdas.common.evidence.verdict import Outcome
from lambdas.resilience.model.attempt import Attempt, Evidence, Step
from lambdas.resilience.model.plan import Mode, RingPlan
from lambdas.resilience.model.tenant import Tenant
from lambdas.resilience.store.attempts import AttemptsTable, OvertakenError
from tests.unit.lambdas.resilience.world import CHAOS

_NOW = "2026-11-29T00:00:00.000+00:00"
_SEEN = Evidence(step=Step.BEFORE, probe="home", outcome=Outcome.PASS, value="OK", threshold="OK", at=_NOW)
_ATTEMPT = Attempt(
    id="job-1",
    deployment="acme",
    type="silo",
    account="222222222222",
    region="eu-west-1",
    plan=CHAOS.rings["canary"],
    began=_NOW,
    since=_NOW,
    until=_NOW,
    step=Step.DURING,
    evidence=(_SEEN,),
)


@pytest.fixture
def table(aws: None) -> AttemptsTable:
    client = boto3.client("dynamodb", region_name="eu-west-1")
    client.create_table(
        TableName="attempts",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[
            {"AttributeName": "id", "AttributeType": "S"},
            {"AttributeName": "open", "AttributeType": "S"},
        ],
        GlobalSecondaryIndexes=[
            {
                "IndexName": "open",
                "KeySchema": [{"AttributeName": "open", "KeyType": "HASH"}],
                "Projection": {"ProjectionType": "KEYS_ONLY"},
            }
        ],
        BillingMode="PAY_PER_REQUEST",
    )
    return AttemptsTable(client=client, table="attempts")


def test_what_is_written_is_read(table: AttemptsTable) -> None:
    written = table.save(Tenant(id="acme").with_attempt(_ATTEMPT))
    assert written == replace(Tenant(id="acme").with_attempt(_ATTEMPT), version=1)
    assert table.get("acme") == written
    assert list(table.held()) == [written]
    assert table.get("globex") == Tenant(id="globex")


def test_of_two_who_write_at_once_one_is_refused(table: AttemptsTable) -> None:
    read = table.save(Tenant(id="acme").with_attempt(_ATTEMPT))
    table.save(read.with_attempt(replace(_ATTEMPT, round=1)))
    for stale in (read, Tenant(id="acme")):
        with pytest.raises(OvertakenError):
            table.save(stale.with_attempt(replace(_ATTEMPT, round=2)))
    assert (table.get("acme").attempt or _ATTEMPT).round == 1


def test_who_has_ended_holds_nobody_and_is_remembered(table: AttemptsTable) -> None:
    tenant = Tenant(id="acme")
    for number in range(25):
        attempt = replace(_ATTEMPT, id=f"job-{number}")
        tenant = table.save(tenant.with_attempt(attempt))
        ended = replace(attempt, step=Step.ENDED, outcome="PASS", reason="it held")
        tenant = table.save(tenant.with_attempt(ended))
    assert list(table.held()) == []
    (known,) = table.all()
    assert isinstance(known, Tenant)
    assert [one.id for one in known.past] == [f"job-{number}" for number in range(5, 25)]
    assert known.ended_before("job-24") == known.past[-1]
    assert known.past[-1].said == "PASS: it held"


def test_what_a_later_version_adds_is_left_alone(table: AttemptsTable) -> None:
    """N reads N+1: of the item, the attempt, its plan and its evidence."""
    table.save(Tenant(id="acme").with_attempt(_ATTEMPT))
    item: Any = dynamo.get(table.client, table="attempts", key="acme")
    for part in (item, item["attempt"], item["attempt"]["plan"], item["attempt"]["evidence"][0]):
        part["hue"] = "teal"
    dynamo.put(table.client, table="attempts", item=item)
    assert table.get("acme").attempt == _ATTEMPT


def test_a_step_that_this_version_does_not_know_is_told_and_hides_nobody(table: AttemptsTable) -> None:
    for name in ("acme", "globex"):
        table.save(Tenant(id=name).with_attempt(replace(_ATTEMPT, deployment=name)))
    item: Any = dynamo.get(table.client, table="attempts", key="acme")
    dynamo.put(table.client, table="attempts", item={**item, "attempt": {**item["attempt"], "step": "pondering"}})
    with pytest.raises(UnreadableError, match="'acme' in the table of attempts cannot be read"):
        table.get("acme")
    held = list(table.held())
    assert sorted(isinstance(one, UnreadableError) for one in held) == [False, True]


def test_a_plan_without_an_experiment_is_written_too(table: AttemptsTable) -> None:
    plain = replace(_ATTEMPT, plan=RingPlan(mode=Mode.VALIDATION))
    table.save(Tenant(id="acme").with_attempt(plain))
    assert table.get("acme").attempt == plain
