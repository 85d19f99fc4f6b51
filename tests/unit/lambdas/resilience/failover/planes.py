"""Both halves of a control plane in a world of the tests, and what resolvers see of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from lambdas.common.metrics import CloudWatchMetrics
from lambdas.resilience.failover.commands import Commands
from lambdas.resilience.failover.executing import Executing
from lambdas.resilience.failover.minute import Minute
from lambdas.resilience.failover.region import Region
from lambdas.resilience.model.failover.catalogue import Application, Catalogue, Database, Endpoint, Group, Mode
from lambdas.resilience.model.failover.names import NAMESPACE, FailoverNames
from lambdas.resilience.store.failover.bus import Bus
from lambdas.resilience.store.failover.databases import Databases
from lambdas.resilience.store.failover.dns import Dns
from lambdas.resilience.store.failover.table import FailoverTable
from lambdas.resilience.store.failover.watch import Watch
from tests.unit.lambdas.resilience.failover.aws import A, B, World
from tests.unit.lambdas.resilience.failover.checked import Checked

NAMES = FailoverNames(prefix="granary")
ACTOR = "arn:aws:iam::111111111111:user/ann"


def application(number: int, group: str = "shop", zone: str = "Z1") -> Application:
    endpoints = {region: Endpoint(dns_name=f"app{number}-{region}.example.net") for region in (A, B)}
    return Application(
        name=f"app{number}", group=group, record=f"app{number}.{group}.example.com", zone=zone, endpoints=endpoints
    )


def group(name: str = "shop", **more: Any) -> Group:
    given = {"primary": A, "mode": Mode.SWITCH, "alarms": {A: ("healthy",), B: ("healthy",)}, **more}
    return Group(name=name, **given)


def catalogue(*groups: Group, applications: Iterable[Application] = ()) -> Catalogue:
    return Catalogue(
        regions=(A, B),
        groups=groups or (group(databases=(Database(name="orders", global_cluster="orders"),)),),
        applications=tuple(applications) or (application(1), application(2), application(3, zone="Z2")),
    )


@dataclass
class Planes:
    """The control plane; runs of its functions have ids of their own, and as much time as `seconds`."""

    catalogue: Catalogue = field(default_factory=catalogue)
    world: World = field(default_factory=World)
    seconds: float = 50
    runs: int = 0
    denied: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.world.rds.cluster("orders", A)
        for one in self.catalogue.applications:
            zone = self.world.route53.zones.setdefault(one.zone, {})
            primary = self.catalogue.group(one.group).primary
            for region, endpoint in one.endpoints.items():
                record = {
                    "Name": f"{one.record}.",
                    "Type": one.type,
                    "SetIdentifier": region,
                    "Weight": 100 if region == primary else 0,
                    "HealthCheckId": f"{one.group}/{region}",
                    "TTL": one.ttl,
                    "ResourceRecords": [{"Value": endpoint.dns_name}],
                }
                zone[(f"{one.record}.", one.type, region)] = record
        for region in (A, B):
            for name in {name for one in self.catalogue.groups for name in one.alarms[region]}:
                self.world.watches[region].set(name, "OK")

    def region(self, name: str) -> Region:
        world, watch = self.world, self.world.watches[name]
        cloudwatch = Checked(watch, "cloudwatch")
        return Region(
            name=name,
            catalogue=self.catalogue,
            table=FailoverTable(client=Checked(world.tables[name], "dynamodb"), name=NAMES.failover, region=name),
            watch=Watch(
                cloudwatch=cloudwatch,
                ssm=Checked(watch, "ssm"),
                metrics=CloudWatchMetrics(client=cloudwatch, factory="granary", namespace=NAMESPACE),
                region=name,
            ),
            dns=Dns(client=Checked(world.route53, "route53"), pause=world.pause, watch=world.watch),
            databases=Databases(rds=Checked(world.rds, "rds"), region=name),
            bus=Bus(events=Checked(watch, "events"), name=NAMES.failover, source="granary"),
            alarm=NAMES.alarm,
            clock=lambda: world.now,
        )

    def commands(self, name: str, *, is_api: bool = True) -> Commands:
        execute = self._execute(is_api=is_api)
        return Commands(region=self.region(name), execute=execute, deny=lambda other: self._denied(name, other))

    def start(self, at: str, request: str, to: str, *applications: str, **more: Any) -> dict[str, Any]:
        body = {
            "group": "shop",
            "id": request,
            "from": self.catalogue.other(to),
            "to": to,
            "reason": "test",
            "applications": applications,
            **more,
        }
        return self.commands(at).run("start", body, actor=ACTOR)

    def minute(self, name: str) -> None:
        commands = self.commands(name, is_api=False)
        end = self.world.now + timedelta(seconds=self.seconds)
        Minute(
            region=commands.region,
            commands=commands,
            execute=commands.execute,
            in_time=lambda: self.world.now < end,
            pause=self.world.pass_time,
        ).run()

    def minutes(self, count: int = 1) -> None:
        """Both Regions, each minute, as long as they are not down."""
        for _ in range(count):
            for name in (A, B):
                if name not in self.world.down:
                    self.minute(name)
                    self.world.replicate()
            self.world.pass_time(60)

    def differing(self, at: str) -> list[str]:
        """Names whose records are not as the table of a Region says."""
        region, found = self.region(at), list[str]()
        for one in self.catalogue.groups:
            placement = region.table.placement(one)
            for zone, applications in region.zones(one).items():
                changes = region.differing(zone, applications, placement).changes
                found += [str(records[0]["Name"]) for _, records in changes]
        return found

    def states(self, at: str) -> dict[str, str]:
        """What a Region says of the requests of the group `shop`."""
        (found,) = [one for one in self.commands(at).run("status", {}, actor="x")["groups"] if one["group"] == "shop"]
        return {one["request"]["id"]: one["progress"]["state"] for one in found["requests"]}

    def seen(self) -> dict[str, str]:
        """The Region that resolvers get for each application, as Route 53 documents it."""
        return {one.name: self._answer(one) for one in self.catalogue.applications}

    def _answer(self, one: Application) -> str:
        zone = self.world.route53.zones[one.zone]
        records = {region: zone[(f"{one.record}.", one.type, region)] for region in (A, B)}
        healthy = {region for region in records if not self._is_out(one.group, region, records[region])}
        # All unhealthy: all are taken for healthy. Only weights of 0 are left: they are considered.
        candidates = [region for region in records if region in healthy] or list(records)
        weighted = [region for region in candidates if records[region]["Weight"]] or candidates
        assert len(weighted) == 1, f"traffic is shared: {records}"
        return weighted[0]

    def _is_out(self, group_name: str, region: str, record: dict[str, Any]) -> bool:
        assert record["HealthCheckId"] == f"{group_name}/{region}", "the health check was lost"
        states = self.world.watches[self.catalogue.other(region)].states
        return states.get(NAMES.alarm(group_name, region), ("OK",))[0] == "ALARM"

    def _execute(self, *, is_api: bool) -> Any:
        self.runs += 1
        holder, end = f"run-{self.runs}", self.world.now + timedelta(seconds=self.seconds)

        def in_time() -> bool:
            return self.world.now < end

        hurry: dict[str, Any] = {"may_begin": in_time} if is_api else {}
        return lambda region: Executing(region=region, holder=holder, in_time=in_time, **hurry)

    def _denied(self, name: str, other: str) -> Region:
        """Whoever calls the other Region from here is found out."""
        self.denied.append(other)
        region = self.region(name)
        return replace(region, name=name)
