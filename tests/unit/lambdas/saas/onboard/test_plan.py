"""What a batch of stream records asks for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lambdas.saas.onboard.plan import looks


def test_a_batch_is_one_look_a_deployment(sample: Callable[[str], Any]) -> None:
    found = looks(sample("deployments_stream")["Records"])
    assert [look.id for look in found] == ["silo1", "pool1", "bad", "gone"]
    silo1 = found[0]
    assert silo1.sequence == "100000000000000000001"
    assert silo1.image is not None
    assert silo1.image["region"] == {"S": "us-east-1"}
    assert found[-1].image is None


def test_a_row_that_is_removed_and_put_again_is_there(sample: Callable[[str], Any]) -> None:
    records = sample("deployments_stream")["Records"]
    removal = {**records[4], "dynamodb": {**records[4]["dynamodb"], "Keys": {"id": {"S": "silo1"}}}}
    assert looks([records[0], removal])[0].image is None
    assert looks([records[0], removal, records[3]])[0].image is not None
