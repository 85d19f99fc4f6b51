"""A factory whose applications fail over between two Regions: its configuration, who commands it, and what is seen."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Self

from lambdas.resilience.model.failover.names import FailoverNames
from lambdas.resilience.model.failover.request import Progress, State
from lambdas.resilience.store.failover.table import FailoverTable
from local_cloud.factory.granary import HOME, NAMES, REGIONS, TOOLCHAIN, Granary, wait_until
from local_cloud.factory.resolvers import Resolvers
from local_cloud.factory.workspace import OVERLAY

AWAY = next(one for one in REGIONS if one != HOME)
FAILOVER = FailoverNames(prefix=NAMES.prefix)
# By its switch with a database, and by weights.
SHOP, INTRANET = "shop", "intranet"
DATABASE = "orders"
# No tenants: the sweep has nothing to do.
_PROVISIONING = {**OVERLAY["toolchain"]["provisioning"], "sweep_minutes": 60}
CONFIGURATION = {**OVERLAY, "toolchain": {**OVERLAY["toolchain"], "provisioning": _PROVISIONING}}
# Minutes of schedules and of alarms take seconds, and so does what Route 53 takes to tell its name servers.
QUICK = {"events": {"seconds_a_minute": 4}, "cloudwatch": {"seconds_a_minute": 4}, "route53": {"insync_seconds": 1}}
_PATIENCE = 90.0


def section(zones: Mapping[str, str], *, applications: int = 3) -> dict[str, Any]:
    """What a person would write into config/failover.yaml, given the zone of each group."""
    switched = {"revision": f"/{SHOP}/revision", "databases": [{"name": "orders", "global_cluster": DATABASE}]}
    return {
        "regions": list(REGIONS),
        "emails": ["operators@example.com"],
        "groups": [
            {"name": SHOP, "primary": HOME, "alarms": _alarms(SHOP), **switched},
            {"name": INTRANET, "primary": HOME, "alarms": _alarms(INTRANET), "mode": "weights"},
        ],
        "applications": [
            _application(group, number, zone) for group, zone in zones.items() for number in range(1, applications + 1)
        ],
    }


def _alarms(group: str) -> dict[str, list[str]]:
    return {one: [f"{group}-unhealthy"] for one in REGIONS}


def _application(group: str, number: int, zone: str) -> dict[str, Any]:
    name = f"{group}-{number}"
    endpoints = {one: {"dns_name": f"{name}.{one}.example.net"} for one in REGIONS}
    return {"name": name, "group": group, "record": f"{name}.{group}.example.com", "zone": zone, "endpoints": endpoints}


@dataclass(frozen=True, kw_only=True)
class FailoverFactory:
    """The factory, and who may command its failovers: `keys` are theirs."""

    granary: Granary
    zones: Mapping[str, str]
    keys: Mapping[str, str]
    applications: int

    @classmethod
    def switch_on(cls, granary: Granary, *, applications: int = 3) -> Self:
        """A commit that switches failover on, with all that is there before: zones, a database, alarms, people."""
        zones = {group: _zone(granary, group) for group in (SHOP, INTRANET)}
        for region in REGIONS:
            for group in zones:
                _alarm(granary, f"{group}-unhealthy", region)
            ssm = granary.client("ssm", region=region)
            ssm.put_parameter(Name=f"/{SHOP}/revision", Value="1", Type="String", Overwrite=True)
        _database(granary)
        granary.workspace.configure("failover", section(zones, applications=applications))
        granary.workspace.commit("Applications fail over")
        keys = person(granary, "operator", "POST/*")
        return cls(granary=granary, zones=zones, keys=keys, applications=applications)

    def command(self, *words: str, keys: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        """`granary failover ...`, as a person who may command all of it, or as another."""
        return self.granary.cli("failover", *words, keys=keys or self.keys)

    def table(self, region: str) -> FailoverTable:
        """A replica of the table."""
        client = self.granary.client("dynamodb", region=region)
        return FailoverTable(client=client, name=FAILOVER.failover, region=region)

    def names(self, group: str) -> list[str]:
        """The names of a group's applications in DNS."""
        return [f"{group}-{number}.{group}.example.com" for number in range(1, self.applications + 1)]

    def answers(self, group: str) -> dict[str, str]:
        """The Region that DNS answers with for each name of a group, to somebody who has not asked before."""
        names = self.names(group)
        found = Resolvers.of(self.granary.cloud.dns, count=1).ask(names)
        return {name: led.split(".")[1] for name, led in zip(names, found, strict=True)}

    def serves(self, group: str, region: str) -> None:
        """Wait until DNS answers with a Region for a whole group."""

        def there() -> bool | None:
            return True if set(self.answers(group).values()) == {region} else None

        wait_until(there, seconds=_PATIENCE, what=f"DNS to answer with {region} for {group}")

    def ended(self, group: str, request: str, *, region: str = AWAY) -> Progress:
        """Wait until a request is no longer OPEN, as a Region's replica says."""

        def over() -> Progress | None:
            table = self.table(region)
            asked = table.request(group, request)
            progress = table.progress(asked) if asked else Progress()
            return progress if progress.state is not State.OPEN else None

        return wait_until(over, seconds=_PATIENCE, what=f"the end of request {request}")

    @contextmanager
    def down(self, region: str) -> Iterator[None]:
        """An outage of a Region."""
        self.granary.cloud.faults.set({"regions": {"down": [region]}})
        try:
            yield
        finally:
            self.granary.cloud.faults.set({"regions": {"down": []}})

    def alarm(self, name: str, region: str, state: str) -> None:
        """Set the state of an alarm by hand."""
        cloudwatch = self.granary.client("cloudwatch", region=region)
        cloudwatch.set_alarm_state(AlarmName=name, StateValue=state, StateReason="set by hand")

    def writer(self) -> str:
        """The Region of the database's writer."""
        found = self.granary.client("rds", region=AWAY).describe_global_clusters(GlobalClusterIdentifier=DATABASE)
        (writer,) = (one for one in found["GlobalClusters"][0]["GlobalClusterMembers"] if one["IsWriter"])
        return str(writer["DBClusterArn"].split(":")[3])


def person(granary: Granary, name: str, *routes: str) -> dict[str, str]:
    """Credentials of a person who may find the APIs, and invoke these routes of them."""
    iam = granary.client("iam")
    account = f"*:{TOOLCHAIN}"
    statements = [
        {
            "Effect": "Allow",
            "Action": "execute-api:Invoke",
            "Resource": [f"arn:aws:execute-api:{account}:*/$default/{route}" for route in routes],
        },
        {
            "Effect": "Allow",
            "Action": "ssm:GetParameter",
            "Resource": f"arn:aws:ssm:{account}:parameter{FAILOVER.api_parameter}",
        },
    ]
    iam.create_user(UserName=name)
    document = json.dumps({"Version": "2012-10-17", "Statement": statements})
    iam.put_user_policy(UserName=name, PolicyName="failover", PolicyDocument=document)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return {"AccessKeyId": key["AccessKeyId"], "SecretAccessKey": key["SecretAccessKey"], "SessionToken": ""}


def _zone(granary: Granary, group: str) -> str:
    answer = granary.client("route53").create_hosted_zone(Name=f"{group}.example.com", CallerReference=group)
    return str(answer["HostedZone"]["Id"].rpartition("/")[2])


def _alarm(granary: Granary, name: str, region: str) -> None:
    cloudwatch = granary.client("cloudwatch", region=region)
    cloudwatch.put_metric_alarm(
        AlarmName=name,
        Namespace="Shop",
        MetricName=name,
        Statistic="Maximum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanOrEqualToThreshold",
        TreatMissingData="ignore",
    )
    cloudwatch.set_alarm_state(AlarmName=name, StateValue="OK", StateReason="as it begins")


def _database(granary: Granary) -> None:
    """An Aurora global database, whose writer is at home."""
    engine = {"Engine": "aurora-postgresql", "EngineVersion": "16.11"}
    granary.client("rds").create_global_cluster(GlobalClusterIdentifier=DATABASE, **engine)
    for region in REGIONS:
        owner = {"MasterUsername": "owner", "MasterUserPassword": "not-a-secret"} if region == HOME else {}
        granary.client("rds", region=region).create_db_cluster(
            DBClusterIdentifier=f"{DATABASE}-{region}", GlobalClusterIdentifier=DATABASE, **engine, **owner
        )
