"""What can fail over: applications in groups, in two Regions; pure.

The function has the configuration's catalogue as a document of its package. Applications are read from the table, so
that they may come from elsewhere too.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from lambdas.common.errors import GranaryError
from lambdas.common.versioned_json import Text
from lambdas.common.written import cut, one_line


class Mode(StrEnum):
    """How a group moves: by its switch (one write), or by the weights of its records (Route 53's control plane)."""

    SWITCH = "switch"
    WEIGHTS = "weights"


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """Where a record leads in a Region: a DNS name, or with `zone` an alias of something in that hosted zone."""

    dns_name: str
    zone: str = ""


@dataclass(frozen=True, kw_only=True)
class Application(Text):
    """A name in DNS with an endpoint in each Region; `source` says who has written it down."""

    name: str
    group: str
    record: str
    zone: str
    endpoints: dict[str, Endpoint]
    ttl: int = 60
    source: str = "configuration"

    @property
    def type(self) -> str:
        return "A" if any(one.zone for one in self.endpoints.values()) else "CNAME"


@dataclass(frozen=True, kw_only=True)
class Measure:
    """A metric of CloudWatch, with its dimensions by Region."""

    namespace: str
    metric: str
    dimensions: dict[str, dict[str, str]]
    statistic: str = "Maximum"


@dataclass(frozen=True, kw_only=True)
class Restore:
    """Where a database is restored from backups that are replicated to a Region."""

    backups: str
    instance: str
    subnet_group: str
    security_groups: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Database:
    """A database of a group: an Aurora global cluster, or others by a Region's `Restore`; `record` is its CNAME."""

    name: str
    global_cluster: str = ""
    restores: dict[str, Restore] = field(default_factory=dict)
    record: str = ""
    zone: str = ""


@dataclass(frozen=True, kw_only=True)
class Automatic:
    """When a group fails over by itself: all these alarms, of the standby Region, ring for so long."""

    alarms: tuple[str, ...]
    after_minutes: int
    cool_down_minutes: int


@dataclass(frozen=True, kw_only=True)
class Group(Text):
    """What fails over together, and what has to hold before it does."""

    name: str
    primary: str
    mode: Mode
    alarms: dict[str, tuple[str, ...]]
    revision: str = ""
    measures: dict[str, Measure] = field(default_factory=dict)
    max_lag_seconds: int = 60
    drill_days: int = 0
    databases: tuple[Database, ...] = ()
    automatic: Automatic | None = None


@dataclass(frozen=True, kw_only=True)
class Tenants:
    """Tenants that stand in both Regions, at home in the group's primary: each is an application of the group.

    `record` is its name in DNS, with `{id}` for the tenant's id, and `output` the component's output with its address.
    Of an entry that is `withdrawn`, all applications are taken away.
    """

    group: str
    zone: str
    record: str
    output: str
    ttl: int = 60
    withdrawn: bool = False

    def gave(self, application: Application) -> bool:
        """Whether an application can have come by this entry."""
        before, _, after = self.record.partition("{id}")
        name = application.record
        is_one = name.startswith(before) and name.endswith(after) and len(name) > len(before + after)
        return is_one and (self.group, self.zone) == (application.group, application.zone)


@dataclass(frozen=True, kw_only=True)
class Catalogue(Text):
    """The configuration as the function has it: two Regions, the groups, its applications, and who else is one."""

    regions: tuple[str, ...]
    groups: tuple[Group, ...]
    applications: tuple[Application, ...] = ()
    tenants: tuple[Tenants, ...] = ()

    def other(self, region: str) -> str:
        """The other of the two Regions."""
        return self.regions[1] if region == self.regions[0] else self.regions[0]

    def group(self, name: str) -> Group:
        """A group by its name.

        Raises:
            GranaryError: there is none.
        """
        for one in self.groups:
            if one.name == name:
                return one
        known = ", ".join(one.name for one in self.groups)
        raise GranaryError(f"there is no group {cut(one_line(name))} in config/failover.yaml: there are {known}")
