"""The Lambda function `sweep`, on moto's AWS."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import boto3
import pytest

from lambdas.common import clients
from lambdas.saas.sweep import handler as sweep
from tests.unit.lambdas.strategies import POLICY


def test_a_round_is_counted(
    make_table: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch, sample: Callable[[str], Any]
) -> None:
    make_table("statuses")
    table = make_table("deployments")
    for record in sample("deployments_stream")["Records"][:3]:
        table.put_item(TableName="deployments", Item=record["dynamodb"]["NewImage"])
    environment = {
        "TARGET_POLICY": POLICY.to_json(),
        "DEPLOYMENTS_TABLE": "deployments",
        "STATUS_TABLE": "statuses",
        "PROVISIONING_PROJECT": "granary-provisioning",
        "RELEASES_BUCKET": "releases",
        "RELEASE_PARAMETER": "/granary/release/current",
        "MAX_IDS_PER_BUILD": "25",
        "FACTORY": "granary",
        "LIFECYCLE_MACHINE": "arn:aws:states:eu-west-1:111111111111:stateMachine:granary-lifecycle",
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    clients.client.cache_clear()
    sweep._sweep.cache_clear()
    try:
        # No release yet: what could be provisioned waits.
        answer = sweep.handler(sample("sweep_schedule"), None)
    finally:
        clients.client.cache_clear()
        sweep._sweep.cache_clear()
    assert answer == {"started": 0, "invalid": 1, "removed": 0, "looked": 0, "waiting": 2, "lifecycle": 0}
    items = boto3.client("dynamodb").scan(TableName="statuses")["Items"]
    assert {item["id"]["S"]: item["phase"]["S"] for item in items} == {
        "silo1": "PENDING",
        "pool1": "PENDING",
        "bad": "INVALID",
    }
