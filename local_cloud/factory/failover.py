"""A factory whose applications fail over between two Regions: its configuration, its commits, and those who command."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Self

from lambdas.resilience.model.failover.names import COMMANDS, FailoverNames
from local_cloud.cloud import LocalCloud
from local_cloud.factory.granary import HOME, NAMES, REGIONS, TOOLCHAIN, Granary, wait_until
from local_cloud.factory.workspace import OVERLAY

AWAY = next(one for one in REGIONS if one != HOME)
FAILOVER = FailoverNames(prefix=NAMES.prefix)
SHOP, INTRANET = "shop", "intranet"
OPERATOR = "operator"
# No tenants: the sweep has nothing to do.
_PROVISIONING = {**OVERLAY["toolchain"]["provisioning"], "sweep_minutes": 60}
CONFIGURATION = {**OVERLAY, "toolchain": {**OVERLAY["toolchain"], "provisioning": _PROVISIONING}}
# Minutes of schedules and alarms take seconds.
QUICK = {"events": {"seconds_a_minute": 4}, "cloudwatch": {"seconds_a_minute": 4}}
_PATIENCE = 60.0


def _application(group: str, number: int, zone: str) -> dict[str, Any]:
    return {
        "name": f"{group}-{number}",
        "group": group,
        "record": f"{group}-{number}.{group}.example.com",
        "zone": zone,
        "endpoints": {one: {"dns_name": f"{group}-{number}.{one}.example.net"} for one in REGIONS},
    }


def section(zones: Mapping[str, str], *, applications: int = 3) -> dict[str, Any]:
    """What a person would write into config/failover.yaml."""
    return {
        "regions": list(REGIONS),
        "emails": ["operators@example.com"],
        "groups": [
            {
                "name": SHOP,
                "primary": HOME,
                "alarms": {one: [f"{SHOP}-unhealthy"] for one in REGIONS},
                "revision": f"/{SHOP}/revision",
            },
            {
                "name": INTRANET,
                "primary": HOME,
                "mode": "weights",
                "alarms": {one: [f"{INTRANET}-unhealthy"] for one in REGIONS},
            },
        ],
        "applications": [
            _application(group, number, zone) for group, zone in zones.items() for number in range(1, applications + 1)
        ],
    }


@dataclass(frozen=True, kw_only=True)
class FailoverFactory:
    """The factory, and whoever commands its failovers."""

    granary: Granary
    zones: Mapping[str, str]

    @classmethod
    def switch_on(cls, granary: Granary) -> Self:
        """A commit that switches failover on, with the zones, alarms and revisions that are there before."""
        zones = {}
        for group in (SHOP, INTRANET):
            answer = granary.client("route53").create_hosted_zone(Name=f"{group}.example.com", CallerReference=group)
            zones[group] = answer["HostedZone"]["Id"].rpartition("/")[2]
            for region in REGIONS:
                cls._prepare(granary, group, region)
        granary.workspace.configure("failover", section(zones))
        granary.workspace.commit("Applications fail over")
        return cls(granary=granary, zones=zones)

    @staticmethod
    def _prepare(granary: Granary, group: str, region: str) -> None:
        cloudwatch = granary.client("cloudwatch", region=region)
        cloudwatch.put_metric_alarm(
            AlarmName=f"{group}-unhealthy",
            Namespace="Test",
            MetricName="Unhealthy",
            Statistic="Maximum",
            Period=60,
            EvaluationPeriods=1,
            Threshold=1,
            ComparisonOperator="GreaterThanOrEqualToThreshold",
            TreatMissingData="ignore",
        )
        cloudwatch.set_alarm_state(AlarmName=f"{group}-unhealthy", StateValue="OK", StateReason="a test")
        ssm = granary.client("ssm", region=region)
        ssm.put_parameter(Name=f"/{group}/revision", Value="1", Type="String", Overwrite=True)
