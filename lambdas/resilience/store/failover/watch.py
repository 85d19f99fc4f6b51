"""CloudWatch of one Region: states of alarms, measures of groups, and the metrics behind the switches."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from lambdas.common.aws_errors import ignoring
from lambdas.common.metrics import Metric, Metrics
from lambdas.resilience.model.failover.catalogue import Group, Measure
from lambdas.resilience.model.failover.names import (
    DISAGREEMENTS_METRIC,
    GROUP_DIMENSION,
    OUT_DIMENSION,
    REGION_DIMENSION,
    SWITCH_METRIC,
    WEIGHT_METRIC,
)
from lambdas.resilience.model.failover.readiness import CAPACITY, LAG

_ALARMS = 100  # names that one request takes; it answers with 50 unless told
_NOW, _DAY = timedelta(minutes=15), timedelta(days=1)
_LONG = timedelta(hours=1)


@dataclass(frozen=True, kw_only=True)
class Watch:
    """CloudWatch and Parameter Store of the Region `region`."""

    cloudwatch: Any
    ssm: Any
    metrics: Metrics
    region: str

    def alarms(self, names: Iterable[str]) -> dict[str, tuple[str, datetime]]:
        """State of each alarm that is there, and since when."""
        wanted, found = sorted(set(names)), dict[str, tuple[str, datetime]]()
        for first in range(0, len(wanted), _ALARMS):
            answer = self.cloudwatch.describe_alarms(
                AlarmNames=wanted[first : first + _ALARMS],
                AlarmTypes=["MetricAlarm", "CompositeAlarm"],
                MaxRecords=_ALARMS,
            )
            for one in (*answer.get("MetricAlarms", ()), *answer.get("CompositeAlarms", ())):
                since = one.get("StateTransitionedTimestamp", one["StateUpdatedTimestamp"])
                found[one["AlarmName"]] = (one["StateValue"], since)
        return found

    def measured(self, group: Group, *, now: datetime) -> tuple[int | None, int | None, int | None]:
        """Lag, capacity and its peak of a day; None is what has no values."""
        lag, capacity = group.measures.get(LAG), group.measures.get(CAPACITY)
        return (
            self._last(lag, "Maximum", max, now) if lag else None,
            self._last(capacity, "Minimum", min, now) if capacity else None,
            self._values(capacity, "Maximum", _DAY, _LONG, max, now) if capacity else None,
        )

    def revision(self, parameter: str) -> str:
        """The revision that a parameter says runs here; empty when nobody has said it."""
        with ignoring("ParameterNotFound"):
            return str(self.ssm.get_parameter(Name=parameter)["Parameter"]["Value"])
        return ""

    def publish(self, switches: Mapping[tuple[str, str], int], *, now: datetime) -> None:
        """Write the metric behind each switch, by group and the Region that it takes out: one request for all."""
        given = [
            Metric(
                name=SWITCH_METRIC, value=value, unit="None", dimensions={GROUP_DIMENSION: group, OUT_DIMENSION: out}
            )
            for (group, out), value in switches.items()
        ]
        self.metrics.put(given, now=now)

    def show(self, group: str, weights: Mapping[str, float], disagreements: int | None, *, now: datetime) -> None:
        """Write what the dashboard draws: per cent of the applications by Region, and what was found to disagree."""
        given = [
            Metric(
                name=WEIGHT_METRIC,
                value=share,
                unit="Percent",
                dimensions={GROUP_DIMENSION: group, REGION_DIMENSION: region},
            )
            for region, share in weights.items()
        ]
        if disagreements is not None:
            found = Metric(name=DISAGREEMENTS_METRIC, value=disagreements, dimensions={GROUP_DIMENSION: group})
            given.append(found)
        self.metrics.put(given, now=now)

    def _last(self, measure: Measure, statistic: str, worst: Any, now: datetime) -> int | None:
        return self._values(measure, statistic, _NOW, timedelta(minutes=1), worst, now)

    def _values(  # noqa: PLR0917 - private, and called in two places
        self, measure: Measure, statistic: str, window: timedelta, period: timedelta, worst: Any, now: datetime
    ) -> int | None:
        answer = self.cloudwatch.get_metric_statistics(
            Namespace=measure.namespace,
            MetricName=measure.metric,
            Dimensions=[{"Name": key, "Value": value} for key, value in measure.dimensions[self.region].items()],
            StartTime=now - window,
            EndTime=now,
            Period=int(period.total_seconds()),
            Statistics=[statistic],
        )
        values = [one[statistic] for one in answer["Datapoints"]]
        # What is not a number is no value: replaced by 0 it would pass.
        known = [one for one in values if math.isfinite(one)]
        return math.ceil(worst(known)) if known and len(known) == len(values) else None
