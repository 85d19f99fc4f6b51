"""A factory whose applications fail over between two Regions: its configuration, who commands it, and what is seen."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Self

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.httpsession import URLLib3Session

from lambdas.resilience.model.failover.names import FailoverNames
from lambdas.resilience.model.failover.request import Progress, State
from lambdas.resilience.store.failover.table import FailoverTable
from local_cloud.cloud import LocalCloudError
from local_cloud.factory.granary import HOME, NAMES, REGIONS, TOOLCHAIN, Granary, wait_until
from local_cloud.factory.resolvers import Resolvers

AWAY = next(one for one in REGIONS if one != HOME)
FAILOVER = FailoverNames(prefix=NAMES.prefix)
# By its switch with a database; by weights; and by weights, by itself, with a database and its name.
SHOP, INTRANET, BLOG = "shop", "intranet", "blog"
DATABASE = "orders"
# What rings in the other Region when the blog is to fail over by itself.
UNREACHABLE = f"{BLOG}-unreachable"
# A zone each; the intranet has two.
DOMAINS = {SHOP: ("shop.example.com",), INTRANET: ("intranet.example.com", "corp.example.com"), BLOG: ("example.org",)}
# The shop has tenants, too, in its own zone.
TENANTS, OUTPUT = "{id}.tenants.shop.example.com", "Address"
# Minutes of schedules and of alarms take seconds, and so does what Route 53 takes to tell its name servers.
QUICK = {"events": {"seconds_a_minute": 4}, "cloudwatch": {"seconds_a_minute": 4}, "route53": {"insync_seconds": 1}}
# Restored from backups that are replicated to the other Region, and from nothing at home.
RESTORED, RESTORED_RECORD = "posts", "posts.example.org"
_BACKUPS = f"arn:aws:rds:{AWAY}:{TOOLCHAIN}:auto-backup:ab-posts"
_RESTORED = {
    "name": RESTORED,
    "restores": {AWAY: {"backups": _BACKUPS, "instance": RESTORED, "subnet_group": BLOG}},
    "record": RESTORED_RECORD,
}
_NAMESPACE, _LAG = "Shop", "ReplicaLagSeconds"
_LAG_SECONDS = 2
_FEW = 3
_PATIENCE = 90.0


def section(zones: Mapping[str, str], *, applications: int) -> dict[str, Any]:
    """What a person would write into config/failover.yaml, given the zone of each domain, and how large the shop is."""
    lag = {"namespace": _NAMESPACE, "metric": _LAG, "dimensions": {one: {"Region": one} for one in REGIONS}}
    own: dict[str, dict[str, Any]] = {
        SHOP: {
            "revision": f"/{SHOP}/revision",
            "measures": {"lag": lag},
            "databases": [{"name": DATABASE, "global_cluster": DATABASE}],
            "drill_schedule": "rate(365 days)",
        },
        INTRANET: {"mode": "weights"},
        BLOG: {
            "mode": "weights",
            "automatic": {"alarms": [UNREACHABLE], "after_minutes": 1, "cool_down_minutes": 5},
            "databases": [{**_RESTORED, "zone": zones[DOMAINS[BLOG][0]]}],
        },
    }
    return {
        "regions": list(REGIONS),
        "emails": ["operators@example.com"],
        "groups": [
            {"name": name, "primary": HOME, "alarms": {one: [f"{name}-unhealthy"] for one in REGIONS}, **its}
            for name, its in own.items()
        ],
        "tenants": [{"group": SHOP, "zone": zones[DOMAINS[SHOP][0]], "record": TENANTS, "output": OUTPUT}],
        "applications": [
            _application(group, number, zones) for group in own for number in numbers(group, applications)
        ],
    }


def numbers(group: str, applications: int) -> range:
    """Those of a group's applications, when the shop has so many."""
    return range(1, (applications if group == SHOP else _FEW) + 1)


def record(group: str, number: int) -> tuple[str, str]:
    """The name of an application in DNS, and the domain that it is in."""
    domain = DOMAINS[group][number % len(DOMAINS[group])]
    return f"{group}-{number}.{domain}", domain


def _application(group: str, number: int, zones: Mapping[str, str]) -> dict[str, Any]:
    name, (at, domain) = f"{group}-{number}", record(group, number)
    endpoints = {one: {"dns_name": f"{name}.{one}.example.net"} for one in REGIONS}
    return {"name": name, "group": group, "record": at, "zone": zones[domain], "endpoints": endpoints}


@dataclass(frozen=True, kw_only=True)
class FailoverFactory:
    """The factory, and who may command its failovers: `keys` are theirs."""

    granary: Granary
    zones: Mapping[str, str]
    keys: Mapping[str, str]
    applications: int

    @classmethod
    def switch_on(cls, granary: Granary, *, applications: int = _FEW) -> Self:
        """A commit that switches failover on, with all that is there before: zones, a database, alarms, people."""
        zones = {domain: _zone(granary, domain) for domains in DOMAINS.values() for domain in domains}
        for region in REGIONS:
            for name in (*(f"{group}-unhealthy" for group in DOMAINS), UNREACHABLE):
                _alarm(granary, name, region)
            ssm = granary.client("ssm", region=region)
            ssm.put_parameter(Name=f"/{SHOP}/revision", Value="1", Type="String", Overwrite=True)
        _database(granary)
        granary.workspace.configure("failover", section(zones, applications=applications))
        granary.workspace.commit("Applications fail over")
        keys = person(granary, "operator", "POST/*")
        made = cls(granary=granary, zones=zones, keys=keys, applications=applications)
        made.measure()
        return made

    def deploy(self) -> None:
        """Deploy the stacks of failovers, without what else a release does."""
        self.granary.cloud.cdk(
            ["deploy", f"{NAMES.prefix}-rooms/{FAILOVER.failover}-*", "--require-approval", "never"],
            account=TOOLCHAIN,
            region=HOME,
            cwd=self.granary.workspace.root,
            extra_env={"CDK_VALIDATION": "false"},
        )

    def measure(self) -> None:
        """Say how far the data of each Region is behind, as its replication does."""
        for region in REGIONS:
            data = {"MetricName": _LAG, "Dimensions": [{"Name": "Region", "Value": region}], "Value": _LAG_SECONDS}
            self.granary.client("cloudwatch", region=region).put_metric_data(Namespace=_NAMESPACE, MetricData=[data])

    def command(self, *words: str, keys: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        """`granary failover ...`, as a person who may command all of it, or as another."""
        return self.granary.cli("failover", *words, keys=keys or self.keys)

    def ask(
        self, command: str, body: Mapping[str, Any], *, region: str = AWAY, keys: Mapping[str, str] | None = None
    ) -> tuple[int, dict[str, Any]]:
        """Status and answer of a Region's API."""
        its, cloud = keys or self.keys, self.granary.cloud
        ssm = cloud.client("ssm", TOOLCHAIN, region, its)
        url = ssm.get_parameter(Name=FAILOVER.api_parameter)["Parameter"]["Value"]
        headers = {"content-type": "application/json"}
        request = AWSRequest(method="POST", url=f"{url}/{command}", data=json.dumps(body), headers=headers)
        credentials = Credentials(its["AccessKeyId"], its["SecretAccessKey"])
        SigV4Auth(credentials, "execute-api", region).add_auth(request)
        trusted: Any = str(cloud.settings.ca)
        answer = URLLib3Session(verify=trusted, timeout=35).send(request.prepare())
        return answer.status_code, json.loads(answer.content)

    def start(self, group: str, request: str, to: str, *, at: str = "", **more: Any) -> dict[str, Any]:
        """Ask a Region, the one that is to serve when none is given, for a failover that it takes."""
        origin = HOME if to == AWAY else AWAY
        body = {"group": group, "id": request, "from": origin, "to": to, "reason": "a test", **more}
        status, answer = self.ask("start", body, region=at or to)
        if status != HTTPStatus.OK:
            raise LocalCloudError(f"request {request} was answered with {status}: {answer}")
        return answer

    def table(self, region: str) -> FailoverTable:
        """A replica of the table."""
        client = self.granary.client("dynamodb", region=region)
        return FailoverTable(client=client, name=FAILOVER.failover, region=region)

    def names(self, group: str) -> list[str]:
        """The names of a group's applications in DNS."""
        return [record(group, number)[0] for number in numbers(group, self.applications)]

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


def _zone(granary: Granary, domain: str) -> str:
    answer = granary.client("route53").create_hosted_zone(Name=domain, CallerReference=domain)
    return str(answer["HostedZone"]["Id"].rpartition("/")[2])


def _alarm(granary: Granary, name: str, region: str) -> None:
    cloudwatch = granary.client("cloudwatch", region=region)
    cloudwatch.put_metric_alarm(
        AlarmName=name,
        Namespace=_NAMESPACE,
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
