"""What a batch of stream records asks for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from lambdas.saas.onboard.plan import Look, looks


def test_a_batch_is_one_look_a_deployment(sample: Callable[[str], Any]) -> None:
    found = looks(sample("deployments_stream")["Records"])
    assert [look.id for look in found] == ["silo1", "pool1", "bad", "gone"]
    assert found[0] == Look(id="silo1", sequence="100000000000000000001", event="INSERT")
    assert found[-1].event == "REMOVE"


@pytest.mark.parametrize("keys", [None, "silo1", {}, {"id": None}, {"id": "silo1"}, {"id": {"N": "1"}}])
def test_a_record_that_names_no_deployment_is_a_look_without_id(keys: object) -> None:
    change = {"Keys": keys, "SequenceNumber": "1"}
    (found,) = looks([{"eventName": "INSERT", "dynamodb": change}])
    assert found == Look(id="", sequence="1", event="INSERT")


@pytest.mark.parametrize("record", [{}, {"dynamodb": None}, {"dynamodb": {"SequenceNumber": 1}, "eventName": None}])
def test_a_record_that_says_nothing_is_a_look_all_the_same(record: Mapping[str, Any]) -> None:
    assert looks([record]) == [Look(id="", sequence="", event="")]
