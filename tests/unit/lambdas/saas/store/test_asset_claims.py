"""Claims of assets in the releases table: all of a build's, or none."""

from __future__ import annotations

from typing import Any

import boto3
import pytest

from lambdas.common.clock import stamp
from lambdas.saas.model.assets import CLAIMS, Claim
from lambdas.saas.store.asset_claims import AssetClaimsTable
from tests.unit.lambdas.saas.fakes import START

KEYS = ["asset/a", "asset/b"]
ADA, BEN = (Claim(by=name, since=stamp(START)) for name in ("e-ada", "e-ben"))


@pytest.fixture
def table(aws: None) -> AssetClaimsTable:
    del aws
    client = boto3.client("dynamodb", "us-east-1")
    client.create_table(
        TableName="releases",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    return AssetClaimsTable(client=client, name="releases")


def test_claims_are_taken_together_or_not_at_all(table: AssetClaimsTable) -> None:
    assert table.get(KEYS) == {}
    assert table.take(KEYS[:1], ADA, {})
    assert not table.take(KEYS, BEN, {})
    assert table.get(KEYS) == {KEYS[0]: ADA}
    assert table.take(KEYS, BEN, {KEYS[0]: ADA})
    assert not table.note(KEYS, ADA, "p:1")
    assert table.note(KEYS, BEN, "p:2")
    assert {one.build for one in table.get(KEYS).values()} == {"p:2"}


def test_claims_are_given_back_by_who_has_them(table: AssetClaimsTable) -> None:
    table.take(KEYS, ADA, {})
    table.give_back(KEYS, by=BEN.by)
    assert len(table.get(KEYS)) == 2
    table.give_back([*KEYS, "asset/c"], by=ADA.by)
    assert table.get(KEYS) == {}


@pytest.mark.parametrize(
    "spoilt",
    [
        {},
        {"claimed_by": {"N": "5"}},
        {"claimed_by": {"S": ""}},
        {"claimed_by": {"NULL": True}},
        {"claimed_at": {"S": "yesterday"}},
        {"claimed_at": {"SS": ["a", "b"]}},
        {"claimed_at": {"B": b"x"}},
        {"build": {"NULL": True}},
        {"build": {"S": "garbage"}},
        {"build": {"L": []}},
    ],
)
def test_a_claim_that_somebody_has_spoilt_bars_nobody(table: AssetClaimsTable, spoilt: Any) -> None:
    whole = {"claimed_by": {"S": "e"}, "claimed_at": {"S": stamp(START)}, "build": {"S": "p:1"}} if spoilt else {}
    table.client.put_item(TableName="releases", Item={"id": {"S": KEYS[0]}, **whole, **spoilt})
    table.take(KEYS[1:], BEN, {})
    found = table.get(KEYS)
    assert found == {KEYS[1]: BEN}
    assert table.take(KEYS, ADA, found)


def test_as_many_as_are_claimed_at_once(table: AssetClaimsTable) -> None:
    keys = [f"asset/{number}" for number in range(CLAIMS)]
    assert table.take(keys, ADA, {})
    assert len(table.get(keys)) == CLAIMS
