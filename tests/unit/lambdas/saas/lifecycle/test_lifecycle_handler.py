"""The lifecycle function's entry: from the machine's state to its next."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest

from lambdas.common.clients import client
from lambdas.saas.lifecycle import handler as entry
from tests.unit.lambdas.saas.lifecycle_fakes import TARGETS

ENVIRONMENT = {
    "PREFIX": "granary",
    "DEPLOYMENTS_TABLE": "granary-deployments",
    "STATUS_TABLE": "granary-deployment-status",
    "PROVISIONING_PROJECT": "granary-provisioning",
    "RELEASES_BUCKET": "granary-releases",
    "RELEASE_PARAMETER": "/granary/release/current",
    "TOOLCHAIN_ACCOUNT": "111111111111",
    "BOOTSTRAP_QUALIFIER": "granary",
    "GRACE_HOURS": "0",
    "TOMBSTONE_DAYS": "90",
    "ARCHIVE": "snapshot",
    "ON_ROW_REMOVED": "keep",
    "AWS_REGION": "eu-west-1",
}


@pytest.fixture
def dynamodb(aws: None, give_settings: Callable[..., None]) -> Iterator[Any]:
    give_settings(ENVIRONMENT, target_policy=TARGETS.to_json())
    client.cache_clear()
    entry._lifecycle.cache_clear()
    tables = boto3.client("dynamodb", region_name="eu-west-1")
    for name in ("granary-deployments", "granary-deployment-status"):
        tables.create_table(
            TableName=name,
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
    yield tables
    client.cache_clear()
    entry._lifecycle.cache_clear()


def step(state: dict[str, Any]) -> dict[str, Any]:
    event = {"execution": "acme-1", "started": "2026-11-25T12:00:00.123Z", "state": state}
    return entry.handler(event, None)


def test_there_is_nothing_to_do_for_an_unknown_id(dynamodb: Any) -> None:
    assert step({"id": "acme"}) == {
        "id": "acme",
        "done": True,
        "seconds": 0,
        "tries": 0,
        "announced": False,
        "asked": [],
    }


def test_its_answer_is_its_next_state(dynamodb: Any, caplog: pytest.LogCaptureFixture) -> None:
    """Given a row that led to nothing and asks for the end, then the steps end with a tombstone."""
    caplog.set_level(logging.INFO, logger="lambdas")
    status = {"id": {"S": "acme"}, "phase": {"S": "INVALID"}, "reason": {"S": "type is missing"}}
    dynamodb.put_item(TableName="granary-deployment-status", Item=status)
    row = {"id": {"S": "acme"}, "state": {"S": "retired"}}
    dynamodb.put_item(TableName="granary-deployments", Item=row)
    first = step({"id": "acme"})
    assert (first["done"], first["announced"]) == (False, True)
    assert step(first)["done"]
    item = dynamodb.get_item(TableName="granary-deployment-status", Key={"id": {"S": "acme"}})["Item"]
    assert item["phase"] == {"S": "RETIRED"}
    assert "expires_at" in item
    assert {(vars(line)["deployment"], vars(line)["execution"]) for line in caplog.records} == {("acme", "acme-1")}
