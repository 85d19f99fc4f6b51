"""The dashboard of the fleet: all tenants together, so that it stays as large as it is however many there are."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from lambdas.common import metrics
from lambdas.saas.model import metric_names
from lambdas.saas.model.failures import FailureCategory
from lambdas.saas.model.names import SaasNames
from lambdas.saas.model.status import Outcome, Phase

PENDING_AGE_LIMIT = cdk.Duration.minutes(30)

# What is told of each ring.
_PROGRESS = {
    metric_names.RELEASE_TOTAL: "in all",
    metric_names.RELEASE_DONE: "done",
    metric_names.RELEASE_FAILED: "failed",
}
_WIDTH = 12
_HEIGHT = 6


class FleetMetrics:
    """The metrics that the sweep writes, as the dashboard and the alarms read them.

    A shorter period than the sweep's would be without a value now and then, and an alarm on it would come and go.
    """

    def __init__(self, names: SaasNames, *, sweep_interval: cdk.Duration) -> None:
        self._factory = {metrics.FACTORY: names.prefix}
        # Of 60 seconds and more, CloudWatch takes multiples of 60 only:
        # https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
        self._period = cdk.Duration.minutes(math.ceil(sweep_interval.to_seconds() / 60))

    def of(self, name: str, dimensions: Mapping[str, str] | None = None, *, label: str = "") -> cloudwatch.Metric:
        """One metric, its highest value in an interval of the sweep."""
        return cloudwatch.Metric(
            namespace=metrics.NAMESPACE,
            metric_name=name,
            dimensions_map={**self._factory, **(dimensions or {})},
            statistic="Maximum",
            period=self._period,
            label=label or None,
        )

    def each(self, name: str, dimension: str, values: Sequence[str]) -> list[cloudwatch.IMetric]:
        """One metric a value of a dimension."""
        return [self.of(name, {dimension: value}, label=value) for value in values]

    def search(self, name: str, dimension: str, *, label: str) -> cloudwatch.MathExpression:
        """One line for every value that the dimension has had lately: CloudWatch finds them, nobody lists them.

        The value is put before the label:
        https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/graph-dynamic-labels.html
        """
        factory = self._factory[metrics.FACTORY]
        schema = f"{metrics.NAMESPACE},{metrics.FACTORY},{dimension}"
        query = f'{{{schema}}} MetricName="{name}" {metrics.FACTORY}="{factory}"'
        return cloudwatch.MathExpression(
            expression=f"SEARCH('{query}', 'Maximum', {self._period.to_seconds():.0f})",
            using_metrics={},
            label=f"${{PROP('Dim.{dimension}')}}: {label}",
            period=self._period,
        )


class FleetDashboard(Construct):
    """`<prefix>-fleet`: phases, releases, what waits, what fails and why; $3 a month, and $0.30 a metric.

    Nothing in it is made of tenants or rings: a dashboard has at most 500 widgets.
    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_limits.html
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        names: SaasNames,
        fleet: FleetMetrics,
        machines: Mapping[str, Sequence[cloudwatch.IMetric]],
        errors: Sequence[cloudwatch.IMetric],
    ) -> None:
        super().__init__(scope, construct_id)
        age = fleet.of(metric_names.OLDEST_PENDING_AGE, label="oldest pending row")
        self.dashboard = cloudwatch.Dashboard(self, "Resource", dashboard_name=f"{names.prefix}-fleet")
        self.dashboard.add_widgets(
            _stacked("Deployments by phase", fleet.each(metric_names.DEPLOYMENTS, metric_names.PHASE, list(Phase))),
            _stacked(
                "Failed deployments by reason",
                fleet.each(metric_names.FAILURES, metric_names.REASON, [*FailureCategory]),
            ),
            _stacked(
                "Release in force: deployments by outcome",
                fleet.each(metric_names.RELEASE_DEPLOYMENTS, metric_names.OUTCOME, list(Outcome)),
            ),
            _graph(
                "Release in force: deployments by ring",
                [fleet.search(name, metric_names.RING, label=label) for name, label in _PROGRESS.items()],
            ),
            _graph("Age of the oldest pending row (s)", [age], limit=PENDING_AGE_LIMIT.to_seconds()),
            _graph(
                "Deployments that are not at the wanted revision",
                [fleet.of(metric_names.NOT_AT_WANTED_REVISION, label="not at the wanted revision")],
            ),
            *(_graph(f"Executions of {name}", list(executions)) for name, executions in machines.items()),
            _graph("Errors of the functions", list(errors), width=2 * _WIDTH),
        )


def _graph(
    title: str, lines: Sequence[cloudwatch.IMetric], *, limit: float | None = None, width: int = _WIDTH
) -> cloudwatch.GraphWidget:
    annotations = [cloudwatch.HorizontalAnnotation(value=limit, label="alarm")] if limit is not None else []
    return cloudwatch.GraphWidget(
        title=title,
        left=list(lines),
        left_annotations=annotations,
        left_y_axis=cloudwatch.YAxisProps(min=0),
        width=width,
        height=_HEIGHT,
    )


def _stacked(title: str, lines: Sequence[cloudwatch.IMetric]) -> cloudwatch.GraphWidget:
    return cloudwatch.GraphWidget(
        title=title,
        left=list(lines),
        left_y_axis=cloudwatch.YAxisProps(min=0),
        stacked=True,
        width=_WIDTH,
        height=_HEIGHT,
    )
