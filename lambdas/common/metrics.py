"""The factory's own metrics in CloudWatch: what is measured, and the port by which it is written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Any, Protocol

NAMESPACE = "Granary"
FACTORY = "Factory"  # dimension of every metric: the prefix keeps two factories in one account apart

COUNT = "Count"
SECONDS = "Seconds"

# https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricData.html
_MAX_METRICS = 1_000
_VALUE_LIMIT = 1_024


@dataclass(frozen=True, kw_only=True)
class Metric:
    """One value now; `dimensions` are those besides `Factory`, none of them empty."""

    name: str
    value: float
    unit: str = COUNT
    dimensions: Mapping[str, str] = field(default_factory=dict)


class Metrics(Protocol):
    """Port to the metrics."""

    def put(self, metrics: Sequence[Metric], *, now: datetime) -> None: ...


@dataclass(frozen=True, kw_only=True)
class CloudWatchMetrics:
    """CloudWatch; `factory` is the prefix."""

    client: Any
    factory: str
    namespace: str = NAMESPACE

    def put(self, metrics: Sequence[Metric], *, now: datetime) -> None:
        """Write values for one moment, in as few requests as CloudWatch takes."""
        remaining = iter(metrics)
        while batch := list(islice(remaining, _MAX_METRICS)):
            self.client.put_metric_data(Namespace=self.namespace, MetricData=[self._datum(one, now) for one in batch])

    def _datum(self, metric: Metric, now: datetime) -> dict[str, Any]:
        return {
            "MetricName": metric.name,
            "Timestamp": now,
            "Value": metric.value,
            "Unit": metric.unit,
            "Dimensions": list(_dimensions({FACTORY: self.factory, **metric.dimensions})),
        }


def _dimensions(dimensions: Mapping[str, str]) -> Iterator[dict[str, str]]:
    for name, value in dimensions.items():
        # CloudWatch takes printable ASCII, and no value that is empty.
        plain = "".join(char if char.isascii() and char.isprintable() else "?" for char in value)
        yield {"Name": name, "Value": plain[:_VALUE_LIMIT].strip() or "-"}
