"""Physical names of the failover control plane, the same in both of its Regions; pure."""

from __future__ import annotations

from dataclasses import dataclass

from lambdas.common.names import Names
from lambdas.resilience.model.names import ROOM

JOB, TENANTS_JOB = "failover", "failover_tenants"
# Of its own: IAM bounds who writes a metric by nothing else, and this one takes Regions out of DNS.
NAMESPACE = "Granary/Failover"
# The metric behind a group's switch: 1 takes the Region OUT_DIMENSION out of DNS. It lives in the other Region.
SWITCH_METRIC = "RegionOut"
GROUP_DIMENSION, OUT_DIMENSION, REGION_DIMENSION = "Group", "Out", "Region"
# Per cent of a group's applications that a Region serves, and what table, DNS and switches disagree about.
WEIGHT_METRIC, DISAGREEMENTS_METRIC = "Weight", "Disagreements"
COMMANDS = ("plan", "start", "status", "drill", "history")


@dataclass(frozen=True, kw_only=True)
class FailoverNames(Names):
    """Names in the toolchain's account; a Region is in the name of what is unique in an account."""

    @property
    def failover(self) -> str:
        """The global table, and in each Region the function, the API, the bus, the topic and the key's alias."""
        return self.room_function(ROOM, JOB)

    @property
    def key_parameter(self) -> str:
        """SSM parameter, in each Region, with the ARN of that Region's key."""
        return f"/{self.prefix}/{ROOM}/{JOB}/key-arn"

    @property
    def api_parameter(self) -> str:
        """SSM parameter, in each Region, with the URL of that Region's API."""
        return f"/{self.prefix}/{ROOM}/{JOB}/api"

    @property
    def minute_rule(self) -> str:
        """Rule, in each Region, that has the function do each minute what is due: people switch it off by this name."""
        return f"{self.failover}-minute"

    def role(self, region: str) -> str:
        """Role of the function in a Region."""
        return f"{self.failover}-{region}"

    @property
    def tenants(self) -> str:
        """The function that makes applications of tenants, and its role."""
        return self.room_function(ROOM, TENANTS_JOB)

    def alarm(self, group: str, out: str) -> str:
        """Alarm that is the state of the health check of a group in the Region `out`; it is in the other Region."""
        return f"{self.failover}-{group}-{out}-out"

    def dashboard(self, group: str, region: str) -> str:
        """Dashboard of a group; names of dashboards are unique in an account."""
        return f"{self.failover}-{group}-{region}"

    def check_parameter(self, group: str, region: str) -> str:
        """SSM parameter, in the first Region, with the id of the health check of a group in a Region."""
        return f"/{self.prefix}/{ROOM}/{JOB}/checks/{group}/{region}"
