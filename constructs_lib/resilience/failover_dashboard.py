"""The dashboard of a group: what both Regions serve, and how far they are apart."""

from __future__ import annotations

from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from lambdas.common.metrics import FACTORY
from lambdas.resilience.model.failover.catalogue import Catalogue, Group, Measure
from lambdas.resilience.model.failover.names import (
    GROUP_DIMENSION,
    NAMESPACE,
    REGION_DIMENSION,
    WEIGHT_METRIC,
    FailoverNames,
)

_TITLES = {"traffic": "Traffic", "errors": "Errors", "lag": "Seconds that the data is behind", "capacity": "Capacity"}


def failover_dashboard(
    scope: Construct, group: Group, *, names: FailoverNames, catalogue: Catalogue, region: str
) -> None:
    """Draw it in a Region, with the metrics of both."""
    weights = [
        cloudwatch.Metric(
            namespace=NAMESPACE,
            metric_name=WEIGHT_METRIC,
            dimensions_map={FACTORY: names.prefix, GROUP_DIMENSION: group.name, REGION_DIMENSION: one},
            region=region,
            label=one,
            statistic="Maximum",
        )
        for one in catalogue.regions
    ]
    widgets = [cloudwatch.GraphWidget(title="Per cent of applications by Region", left=weights)]
    for key, title in _TITLES.items():
        if key in group.measures:
            drawn = [_metric(group.measures[key], one) for one in catalogue.regions]
            widgets.append(cloudwatch.GraphWidget(title=title, left=drawn))
    name = names.dashboard(group.name, region)
    cloudwatch.Dashboard(scope, f"Dashboard-{group.name}", dashboard_name=name).add_widgets(*widgets)


def _metric(measure: Measure, region: str) -> cloudwatch.Metric:
    return cloudwatch.Metric(
        namespace=measure.namespace,
        metric_name=measure.metric,
        dimensions_map=measure.dimensions[region],
        statistic=measure.statistic,
        region=region,
        label=region,
    )
