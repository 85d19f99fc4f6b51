"""States of CloudWatch alarms."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

# https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DescribeAlarms.html
_NAMES_LIMIT = 100


class Alarms(Protocol):
    """Port to alarms."""

    def states(self, names: Sequence[str]) -> dict[str, str]: ...


@dataclass(frozen=True, kw_only=True)
class CloudWatchAlarms:
    """Alarms of the toolchain's account and Region: metric alarms and composite ones."""

    client: Any

    def states(self, names: Sequence[str]) -> dict[str, str]:
        """Read the states of alarms; what does not exist is not in the answer."""
        found: dict[str, str] = {}
        paginator = self.client.get_paginator("describe_alarms")
        for first in range(0, len(names), _NAMES_LIMIT):
            wanted = list(names[first : first + _NAMES_LIMIT])
            for page in paginator.paginate(AlarmNames=wanted, AlarmTypes=["MetricAlarm", "CompositeAlarm"]):
                for alarm in (*page.get("MetricAlarms", ()), *page.get("CompositeAlarms", ())):
                    found[alarm["AlarmName"]] = alarm["StateValue"]
        return found
