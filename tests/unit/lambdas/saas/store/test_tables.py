"""What the tables' adapters do beyond the contract: paging, and what DynamoDB alone can refuse."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from botocore.exceptions import ClientError

from lambdas.common import dynamo
from lambdas.common.clock import stamp
from lambdas.common.errors import UnreadableError
from lambdas.common.versioned_json import plain
from lambdas.saas.model.runs import Ring, Run
from lambdas.saas.model.status import Phase, Status, sort_out
from lambdas.saas.store.runs_table import RunsTable
from lambdas.saas.store.tables import DeploymentsTable, StatusTable
from tests.unit.lambdas.saas.fakes import RELEASE, START, Paged, PagingClient

MakeTable = Any


RUN = Run(run="r", revision="x", state="RUNNING", strategy="rings", rings=1, deployments=0)
RING = Ring(run="r", index=0, name="all", state="BAKING", total=0, concurrency=1, allowed_failures=0, bake_seconds=1)


def typed(one: Run | Ring) -> dict[str, Any]:
    return {name: dynamo.write_value(value) for name, value in plain(one).items()}


def test_every_page_is_read_consistently() -> None:
    pages = [{"Items": [{"id": {"S": f"silo{page}{row}"}} for row in range(3)]} for page in range(4)]
    paged = Paged(pages=pages)
    rows = DeploymentsTable(client=PagingClient(paged), name="deployments").rows()
    assert next(rows) == {"id": "silo00"}
    assert paged.read == 1
    assert [row["id"] for row in rows][-1] == "silo32"
    assert paged.asked == {"TableName": "deployments", "ConsistentRead": True}


def test_more_rows_than_a_page_holds(make_table: MakeTable) -> None:
    client = make_table("deployments")
    filling = {"S": "x" * 300_000}
    for number in range(8):
        client.put_item(TableName="deployments", Item={"id": {"S": f"silo{number}"}, "note": filling})
    table = DeploymentsTable(client=client, name="deployments")
    assert sorted(row["id"] for row in table.rows()) == [f"silo{number}" for number in range(8)]


def test_a_row_is_read_as_it_was_put(make_table: MakeTable) -> None:
    client = make_table("deployments")
    item = {"id": {"S": "silo1"}, "seats": {"N": "3"}, "tags": {"L": [{"S": "a"}]}}
    client.put_item(TableName="deployments", Item=item)
    table = DeploymentsTable(client=client, name="deployments")
    assert table.get("silo1") == {"id": "silo1", "seats": Decimal(3), "tags": ["a"]}
    assert table.get("silo2") is None


def test_attributes_of_a_later_version_are_left_alone(make_table: MakeTable) -> None:
    client = make_table("statuses")
    item = {"id": {"S": "silo1"}, "phase": {"S": "ACTIVE"}, "attempts": {"N": "2"}, "cost": {"N": "1"}}
    client.put_item(TableName="statuses", Item=item)
    table = StatusTable(client=client, name="statuses")
    assert table.get("silo1") == Status(id="silo1", phase=Phase.ACTIVE, attempts=2)
    table.invalid("silo1", reason="x", now=START)
    assert client.get_item(TableName="statuses", Key={"id": {"S": "silo1"}})["Item"]["cost"] == {"N": "1"}


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"phase": None}, "phase is missing"),
        ({"phase": {"S": "HIBERNATING"}}, "phase: 'HIBERNATING' is unknown to this version"),
        ({"attempts": {"S": "two"}}, "attempts: 'two' is no whole number"),
        ({"pipeline_stack": {"M": {"kind": {"S": "pipeline"}}}}, "pipeline_stack: stack_id is missing"),
        ({"updated_at": {"S": "today"}}, "updated_at: Invalid isoformat"),
    ],
)
def test_an_item_that_cannot_be_read_is_told_and_hides_no_other(
    make_table: MakeTable, change: dict[str, Any], why: str
) -> None:
    client = make_table("statuses")
    item = {name: value for name, value in ({"phase": {"S": "ACTIVE"}} | change).items() if value}
    client.put_item(TableName="statuses", Item={"id": {"S": "bad"}, **item})
    client.put_item(TableName="statuses", Item={"id": {"S": "good"}, "phase": {"S": "ACTIVE"}})
    table = StatusTable(client=client, name="statuses")
    statuses, unreadable = sort_out(table.all())
    assert statuses == {"good": Status(id="good", phase=Phase.ACTIVE)}
    assert why in unreadable["bad"].why
    with pytest.raises(UnreadableError, match=r"deployment bad: its status cannot be read.*`granary repair bad`"):
        table.get("bad")


@pytest.mark.parametrize(
    ("key", "item"),
    [
        ("current", {"run": {"N": "1"}}),
        ("current", {"run": {"S": "x" * 3_000}}),
        ("run/r", {"run": {"S": "r"}}),
        ("run/r", typed(replace(RUN, resumes="x" * 3_000))),
        ("ring/r/0", typed(replace(RING, run="x" * 81))),
        ("run/r", {"run": {"S": "r"}, "state": {"S": "PAUSED"}}),
        ("ring/r/0", {"run": {"S": "r"}, "index": {"S": "0"}}),
        ("release/r", {"release": {"S": "{}"}}),
        ("release/r", {"release": {"N": "1"}}),
        ("release/r", {"release": {"S": replace(RELEASE, published_at="soon").to_json()}}),
        ("run/r", typed(replace(RUN, started_at="soon"))),
        ("ring/r/0", typed(replace(RING, bake_until="soon"))),
        ("ring/r/0", {**typed(RING), "concurrency": {"N": "0"}}),
    ],
)
def test_an_item_of_a_release_that_cannot_be_read_is_named(
    make_table: MakeTable, key: str, item: dict[str, Any]
) -> None:
    client = make_table("releases")
    client.put_item(TableName="releases", Item={"id": {"S": key}, **item})
    table = RunsTable(client=client, name="releases")
    reads: dict[str, Any] = {
        "current": table.current,
        "run/r": lambda: table.run("r"),
        "ring/r/0": lambda: table.rings(RUN),
        "release/r": lambda: table.release("r"),
    }
    then = "run `granary repair --release`" if key == "current" else "publish a newer release"
    with pytest.raises(UnreadableError, match=f"^item {key} of the releases table cannot be read .*{then}$"):
        reads[key]()


def test_a_run_comes_into_force_when_what_cannot_be_read_was_deleted(make_table: MakeTable) -> None:
    client = make_table("releases")
    client.put_item(TableName="releases", Item={"id": {"S": "current"}, "run": {"N": "1"}})
    table = RunsTable(client=client, name="releases")
    assert not table.take_over("r", release=RELEASE, resumes="", now=START)
    client.delete_item(TableName="releases", Key={"id": {"S": "current"}})
    assert table.take_over("r", release=RELEASE, resumes="", now=START)
    assert table.current() == "r"


@pytest.mark.parametrize(
    ("name", "value"),
    # moto compares no number with a text, as DynamoDB does.
    [("published_at", one) for one in (None, {"NULL": True}, {"S": "soon"}, {"S": "9999-01-01"})]
    + [("revision", None), ("revision", {"B": b"x"})],
)
def test_what_is_spoilt_of_the_run_in_force_bars_no_other_for_ever(
    make_table: MakeTable, name: str, value: dict[str, Any] | None
) -> None:
    client = make_table("releases")
    table = RunsTable(client=client, name="releases")
    assert table.take_over("r", release=RELEASE, resumes="", now=START)
    item = client.get_item(TableName="releases", Key={"id": {"S": "current"}})["Item"]
    spoilt = {key: one for key, one in {**item, name: value}.items() if one}
    client.put_item(TableName="releases", Item=spoilt)
    assert table.take_over("r-r2", release=RELEASE, resumes="r", now=START)
    client.put_item(TableName="releases", Item=spoilt)
    newer = replace(RELEASE, published_at=stamp(START + timedelta(minutes=1)))
    assert table.take_over("newer", release=newer, resumes="", now=START)
    assert table.current() == "newer"


def test_many_items_are_read_in_order_whatever_their_number(make_table: MakeTable) -> None:
    client = make_table("releases")
    for number in range(120):
        client.put_item(TableName="releases", Item={"id": {"S": f"ring/{number}"}})
    keys = [f"ring/{number}" for number in range(121)]
    assert [item["id"] for item in dynamo.get_many(client, table="releases", keys=keys)] == keys[:120]
    assert dynamo.get_many(client, table="releases", keys=[]) == []


def test_what_a_read_had_no_room_for_is_asked_for_again() -> None:
    asked: list[list[str]] = []

    class Narrow:
        def batch_get_item(self, RequestItems: dict[str, Any]) -> dict[str, Any]:
            ((table, request),) = RequestItems.items()
            first, *others = request["Keys"]
            asked.append([key["id"]["S"] for key in request["Keys"]])
            return {"Responses": {table: [first]}, "UnprocessedKeys": {table: {"Keys": others}} if others else {}}

    found = dynamo.get_many(Narrow(), table="t", keys=["b", "a", "c"])
    assert [item["id"] for item in found] == ["b", "a", "c"]
    assert asked == [["b", "a", "c"], ["a", "c"], ["c"]]


def test_a_fault_is_no_unmet_condition(make_table: MakeTable) -> None:
    client = make_table("statuses")
    with pytest.raises(ClientError, match="ResourceNotFound"):
        dynamo.update(client, table="elsewhere", key="silo1", sets={"a": "b"}, condition="#a = :a")
