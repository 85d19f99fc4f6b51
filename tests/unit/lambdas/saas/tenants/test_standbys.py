"""Pages of the tenants that stand in two Regions."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from itertools import dropwhile
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdas.common import dynamo
from lambdas.common.clients import client
from lambdas.common.errors import GranaryError
from lambdas.saas.model.status import Phase, Placement, Status, Unreadable
from lambdas.saas.tenants import standbys
from lambdas.saas.tenants.handler import handler
from lambdas.saas.tenants.standbys import page_of_standbys

ACCOUNT = "222222222222"
PRIMARY, STANDBY = (Placement(type="silo", account=ACCOUNT, region=one) for one in ("eu-west-1", "us-east-1"))
ALONE = Status(id="alone", phase=Phase.ACTIVE, type="silo", placed=(PRIMARY,), standby_region="us-east-1")
BOTH = replace(ALONE, id="both", placed=(PRIMARY, STANDBY), outputs={"eu-west-1": {"Address": "https://a.example.com"}})
LARGEST = {region: {f"{name:064}": "\x7f" * 512 for name in range(20)} for region in ("eu-west-1", "us-east-1")}


@given(st.lists(st.sampled_from([ALONE, BOTH, Unreadable(id="", why="x")]), max_size=30), st.integers(1, 5))
def test_the_pages_tell_each_once(kinds: list[Status | Unreadable], limit: int) -> None:
    table = [replace(one, id=f"t{number}") for number, one in enumerate(kinds)]
    told: list[str] = []
    after = None
    with patch.object(standbys, "LOOKED_AT", limit):
        while after != "":
            rest = table if after is None else list(dropwhile(lambda one: one.id != after, table))[1:]  # noqa: B023
            page = page_of_standbys(rest)
            assert len(page["standbys"]) + len(page["unreadable"]) <= limit
            told += [*(one["id"] for one in page["standbys"]), *page["unreadable"]]
            after = page["after"]
    assert sorted(told) == sorted(one.id for one in table if isinstance(one, Unreadable) or one.places[1:])


def test_the_largest_answer_is_far_below_what_lambda_takes() -> None:
    page = page_of_standbys(replace(BOTH, id=f"t{number}", outputs=LARGEST) for number in range(500))
    assert page["after"]
    assert len(json.dumps(page)) < 2_000_000


def test_places_are_where_the_pipeline_deploys_whatever_the_row_has_asked_for_since() -> None:
    asked = replace(BOTH, account="333333333333", region="us-east-1", standby_region="eu-west-1")
    (told,) = page_of_standbys([ALONE, asked])["standbys"]
    assert told == {
        "id": "both",
        "type": "silo",
        "account": ACCOUNT,
        "region": "eu-west-1",
        "standby_region": "us-east-1",
        "phase": "ACTIVE",
        "outputs": {"eu-west-1": {"Address": "https://a.example.com"}},
    }


def test_they_are_scanned_after_the_cursor(make_table: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch) -> None:
    table = make_table("statuses")
    monkeypatch.setenv("STATUS_TABLE", "statuses")
    monkeypatch.setattr(standbys, "LOOKED_AT", 2)
    client.cache_clear()
    placed = [{"type": "silo", "account": ACCOUNT, "region": region} for region in ("eu-west-1", "us-east-1")]
    for name in ("a", "b", "c"):
        dynamo.put(table, table="statuses", item={"id": name, "phase": "ACTIVE", "placed": placed})
    dynamo.put(table, table="statuses", item={"id": "bad", "phase": "HIBERNATING"})
    first = handler({"standbys": True}, None)
    last = handler({"standbys": True, "after": first["after"]}, None)
    ends = handler({"standbys": True, "after": last["after"]}, None) if last["after"] else last
    assert ends["after"] == ""
    pages = [first, last] if ends is last else [first, last, ends]
    assert sorted(one["id"] for page in pages for one in page["standbys"]) == ["a", "b", "c"]
    assert [name for page in pages for name in page["unreadable"]] == ["bad"]


@pytest.mark.parametrize("event", [{"standbys": 1}, {"standbys": False}, {"standbys": True, "after": 7}])
def test_another_question_is_refused_with_what_to_ask(
    event: dict[str, Any], make_table: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    make_table("statuses")
    monkeypatch.setenv("STATUS_TABLE", "statuses")
    with pytest.raises(GranaryError, match='ask with "standbys": true'):
        handler(event, None)
