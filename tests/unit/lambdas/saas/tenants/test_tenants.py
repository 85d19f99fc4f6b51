"""What other rooms are told of tenants, on a real table."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from lambdas.common import dynamo
from lambdas.common.clients import client
from lambdas.common.errors import GranaryError
from lambdas.saas.tenants.handler import handler

ITEM = {
    "id": "acme",
    "phase": "UPDATING",
    "type": "silo",
    "account": "222222222222",
    "region": "eu-west-1",
    "revision_deployed": "r1",
    "revision_wanted": "r2",
    "release_ring": "early",
    "release_run": "r2-c0ffee00",
    "release_outcome": "running",
    "release_execution_id": "execution-2",
}


@pytest.fixture
def ask(make_table: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch) -> Callable[..., dict[str, Any]]:
    """Ask about deployments of a table that holds one."""
    table = make_table("statuses")
    dynamo.put(table, table="statuses", item=ITEM)
    monkeypatch.setenv("STATUS_TABLE", "statuses")
    client.cache_clear()
    return lambda **event: handler(event, None)


@pytest.mark.parametrize("key", [{"deployment": "acme"}, {"pipeline": "silo-acme-pipeline"}])
def test_a_tenant_is_told_by_id_and_by_pipeline(ask: Callable[..., dict[str, Any]], key: dict[str, str]) -> None:
    told = ask(**key)
    assert (told["known"], told["ring"], told["run"], told["revision"]) == (True, "early", "r2-c0ffee00", "r1")
    assert (told["account"], told["region"], told["phase"]) == ("222222222222", "eu-west-1", "UPDATING")


def test_only_the_execution_that_a_release_started_has_its_run(ask: Callable[..., dict[str, Any]]) -> None:
    assert ask(deployment="acme", execution="execution-2")["run"] == "r2-c0ffee00"
    stranger = ask(deployment="acme", execution="execution-3")
    assert (stranger["known"], stranger["ring"], stranger["run"], stranger["outcome"]) == (True, "", "", "")


def test_a_stranger_is_not_known(ask: Callable[..., dict[str, Any]]) -> None:
    assert ask(deployment="nobody") == {"deployment": "nobody", "known": False}


@pytest.mark.parametrize(
    "event",
    [
        {},
        {"deployment": ""},
        {"deployment": 7},
        {"pipeline": "granary-cicd"},
        {"pipeline": ["silo-acme-pipeline"]},
        {"deployment": "acme", "execution": 7},
    ],
)
def test_a_question_that_names_nobody_is_refused_with_what_to_ask(
    ask: Callable[..., dict[str, Any]], event: dict[str, Any]
) -> None:
    with pytest.raises(GranaryError, match="ask with `deployment`"):
        ask(**event)
