"""Metric alarms as CloudWatch evaluates them: by dimensions, period by period, missing data as each alarm says.

ministack looks at all data of a name when some are put. This looks at each alarm's own again and again.
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ministack.core.responses import request_scope
from ministack.services import cloudwatch

from local_cloud.server import faults, regions

_MINUTE = 60.0
_COMPARISONS: Mapping[str, Callable[[float, float], bool]] = {
    "GreaterThanOrEqualToThreshold": lambda value, threshold: value >= threshold,
    "GreaterThanThreshold": lambda value, threshold: value > threshold,
    "LessThanThreshold": lambda value, threshold: value < threshold,
    "LessThanOrEqualToThreshold": lambda value, threshold: value <= threshold,
}
_log = logging.getLogger("local_cloud")


def minute() -> float:
    """The seconds that a minute of a metric takes here; a test makes it shorter."""
    return float(faults.board.setting("cloudwatch", "seconds_a_minute") or _MINUTE)


def register() -> None:
    """Evaluate alarms when they or their data change, and again and again; once, before it serves."""
    cloudwatch._evaluate_alarm = evaluate
    threading.Thread(target=_watch, daemon=True, name="alarms").start()


def state_of(arn: str) -> str | None:
    """The state of an alarm of the account and Region in scope; None when there is none."""
    name = arn.partition(":alarm:")[2]
    alarm = cloudwatch._alarms.get(name) or cloudwatch._composite_alarms.get(name)
    return str(alarm["StateValue"]) if alarm else None


def _watch() -> None:
    while True:
        time.sleep(min(5.0, minute() / 12))
        for (account, region, _), alarm in list(cloudwatch._alarms.all_items()):
            if region in regions.down():
                continue
            with request_scope(account, region):
                try:
                    evaluate(alarm)
                except Exception:
                    _log.exception("The alarm %s cannot be evaluated", alarm.get("AlarmName"))


def evaluate(alarm: dict[str, Any]) -> None:
    """Give an alarm the state that its latest data ask for; alarms on expressions stay as they are."""
    compare = _COMPARISONS.get(alarm.get("ComparisonOperator", ""))
    if not alarm.get("MetricName") or compare is None:
        return
    threshold, periods = alarm.get("Threshold", 0), alarm.get("EvaluationPeriods", 1)
    values = _values(alarm, periods, time.time())
    breaching = [None if value is None else compare(value, threshold) for value in values]
    needed = alarm.get("DatapointsToAlarm") or periods
    old = alarm["StateValue"]
    new = _state(breaching, needed, alarm.get("TreatMissingData", "missing"), old)
    if new == old:
        return
    points = [f"{value:g}" for value in values if value is not None]
    over = f"{len(points)} out of the last {periods} datapoints [{', '.join(points)}] were looked at"
    reason = f"Threshold Crossed: {over}: {alarm['ComparisonOperator']} {threshold:g}"
    alarm |= {"StateValue": new, "StateReason": reason, "StateUpdatedTimestamp": int(time.time())}
    cloudwatch._record_history(alarm["AlarmName"], old, new, reason)
    cloudwatch._dispatch_alarm_actions(alarm, old, new, reason)
    cloudwatch._evaluate_parent_alarms(alarm)


def _values(alarm: Mapping[str, Any], periods: int, now: float) -> list[float | None]:
    """The statistic of each of the last periods, the latest first; None where there are no data."""
    period = alarm.get("Period", _MINUTE) * minute() / _MINUTE
    dimensions = cloudwatch._dims_key(cloudwatch._dims_from_list(alarm.get("Dimensions") or []))
    points = cloudwatch._metrics.get((alarm["Namespace"], alarm["MetricName"], dimensions)) or []
    statistic = alarm.get("ExtendedStatistic") or alarm.get("Statistic") or "Average"

    def value(number: int) -> float | None:
        end = now - number * period
        there = [point for point in points if end - period < point["Timestamp"] <= end]
        found = cloudwatch._stat_value(cloudwatch._calc_stats(there), statistic, there) if there else None
        return None if found is None else float(found)

    return [value(number) for number in range(periods)]


def _state(breaching: Sequence[bool | None], needed: int, missing: str, old: str) -> str:
    filled = {"breaching": True, "notBreaching": False}.get(missing)
    known = [filled if one is None else one for one in breaching]
    there = [one for one in known if one is not None]
    if not there:
        return old if missing == "ignore" else "INSUFFICIENT_DATA"
    if missing == "missing":
        needed = min(needed, len(there))
    if sum(there) >= needed:
        return "ALARM"
    # What is ignored may still have been what makes an alarm: the state stays until that cannot be.
    undecided = sum(there) + len(known) - len(there) >= needed
    return old if missing == "ignore" and undecided else "OK"
