"""Writing metrics to CloudWatch."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber
from hypothesis import given
from hypothesis import strategies as st

from lambdas.common.metrics import CloudWatchMetrics, Metric

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)


@pytest.fixture
def cloudwatch(aws: None) -> Any:
    return boto3.client("cloudwatch", region_name="eu-west-1")


def test_a_metric_carries_the_factory_and_its_own_dimensions(cloudwatch: Any) -> None:
    asked = {
        "Namespace": "Granary",
        "MetricData": [
            {
                "MetricName": "Deployments",
                "Timestamp": NOW,
                "Value": 3,
                "Unit": "Count",
                "Dimensions": [{"Name": "Factory", "Value": "granary"}, {"Name": "Phase", "Value": "ACTIVE"}],
            }
        ],
    }
    with Stubber(cloudwatch) as stub:
        stub.add_response("put_metric_data", {}, asked)
        CloudWatchMetrics(client=cloudwatch, factory="granary").put(
            [Metric(name="Deployments", value=3, dimensions={"Phase": "ACTIVE"})], now=NOW
        )


def test_nothing_is_asked_for_nothing(cloudwatch: Any) -> None:
    with Stubber(cloudwatch):
        CloudWatchMetrics(client=cloudwatch, factory="granary").put([], now=NOW)


class FakeCloudWatch:
    """Refuses what CloudWatch would."""

    def __init__(self) -> None:
        self.data: list[dict[str, Any]] = []

    def put_metric_data(self, *, Namespace: str, MetricData: list[dict[str, Any]]) -> None:
        assert Namespace == "Granary"
        assert 1 <= len(MetricData) <= 1_000
        for one in MetricData:
            for dimension in one["Dimensions"]:
                assert dimension["Value"].isascii()
                assert 1 <= len(dimension["Value"].strip()) <= 1_024
        self.data += MetricData


@given(st.integers(min_value=0, max_value=2_100), st.text(max_size=1_100))
def test_requests_keep_the_limits_and_lose_nothing(count: int, ring: str) -> None:
    fake = FakeCloudWatch()
    metrics = [Metric(name="ReleaseDone", value=number, dimensions={"Ring": ring}) for number in range(count)]
    CloudWatchMetrics(client=fake, factory="granary").put(metrics, now=NOW)
    assert [one["Value"] for one in fake.data] == list(range(count))
