"""The replica of a Region, as moto's DynamoDB has it and as the fake of the model's tests does."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import boto3
import pytest

from lambdas.resilience.model.failover.catalogue import Group, Mode
from lambdas.resilience.model.failover.placement import initial
from lambdas.resilience.model.failover.request import Progress, Request, State
from lambdas.resilience.store.failover.table import FailoverTable
from tests.unit.lambdas.resilience.failover.aws import A, World
from tests.unit.lambdas.resilience.failover.planes import application

_NOW = datetime(2026, 11, 29, tzinfo=UTC)
_GROUP = Group(name="shop", primary=A, mode=Mode.SWITCH, alarms={})
_REQUEST = Request(
    id="r1", group="shop", origin=A, to="eu-west-1", reason="x", actor="y", at="2026-11-29T00:00:00.000+00:00"
)


@pytest.fixture(params=["fake", pytest.param("dynamodb", marks=pytest.mark.slow)])
def table(request: pytest.FixtureRequest) -> FailoverTable:
    client = World().tables[A] if request.param == "fake" else _moto(request)
    return FailoverTable(client=client, name="failover", region=A)


def _moto(request: pytest.FixtureRequest) -> object:
    request.getfixturevalue("aws")
    client = boto3.client("dynamodb", region_name=A)
    client.create_table(
        TableName="failover",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}, {"AttributeName": "sort", "KeyType": "RANGE"}],
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("id", "sort")],
        BillingMode="PAY_PER_REQUEST",
    )
    return client


def test_a_request_is_taken_together_with_where_it_leads_or_not_at_all(table: FailoverTable) -> None:
    home = table.placement(_GROUP)
    assert home == initial(_GROUP)
    moved = replace(home, active="eu-west-1", request="r1", version=1)
    assert table.accept(_REQUEST, moved)
    assert table.placement(_GROUP) == moved
    assert table.request("shop", "r1") == _REQUEST
    other = replace(_REQUEST, id="r2", at="2026-11-29T00:00:01.000+00:00")
    assert not table.accept(other, replace(home, request="r2", version=1)), "it has not seen the first"
    assert table.request("shop", "r2") is None
    assert not table.accept(_REQUEST, replace(home, request="r1", version=2)), "an id is there once"
    assert table.accept(other, replace(home, request="r2", version=2))
    assert [one.id for one in table.requests("shop")] == ["r2", "r1"]


def test_progress_begins_open(table: FailoverTable) -> None:
    assert table.progress(_REQUEST).state is State.OPEN
    table.save(_REQUEST, Progress(state=State.DONE, done=("switch",)))
    assert table.progress(_REQUEST).done == ("switch",)


def test_a_lease_is_one_holders_until_it_ends_or_is_given_back(table: FailoverTable) -> None:
    def takes(holder: str, minutes: int) -> bool:
        return table.lease("x", holder, now=_NOW + timedelta(minutes=minutes), lasts=timedelta(minutes=2))

    assert takes("one", 0)
    assert not takes("two", 1)
    assert takes("one", 1)
    assert takes("two", 4)
    table.give_back("x", "two", now=_NOW + timedelta(minutes=4))
    assert takes("one", 4)


def test_a_line_of_the_history_is_never_changed(table: FailoverTable) -> None:
    assert table.say("shop", {"message": "first"}, key="1")
    assert not table.say("shop", {"message": "other"}, key="1")
    assert table.say("shop", {"message": "second"}, key="2")
    assert [one["message"] for one in table.history("shop")] == ["first", "second"]


def test_applications_are_written_once_for_a_configuration(table: FailoverTable) -> None:
    table.register("d1", [application(1), application(2)], [_GROUP])
    theirs = replace(application(3), source="elsewhere")
    table.register("d2", [application(2), theirs], [_GROUP])
    assert [one.name for one in table.applications("shop")] == ["app2", "app3"]
    table.register("d2", [], [_GROUP])
    assert len(table.applications("shop")) == 2, "nothing is read or written again"
    table.register("d3", [], [_GROUP])
    assert table.applications("shop") == [theirs], "what others wrote stays"
