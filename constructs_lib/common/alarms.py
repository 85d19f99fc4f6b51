"""Alarms that ring as soon as a metric exceeds its limit."""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct


def alarm_above(
    scope: Construct,
    construct_id: str,
    metric: cloudwatch.Metric,
    *,
    limit: float,
    actions: Sequence[cloudwatch.IAlarmAction],
) -> cloudwatch.Alarm:
    """Make an alarm on one period of a metric; a metric without data is in order."""
    alarm = metric.create_alarm(
        scope,
        construct_id,
        threshold=limit,
        evaluation_periods=1,
        comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
        treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
    )
    alarm.add_alarm_action(*actions)
    return alarm
