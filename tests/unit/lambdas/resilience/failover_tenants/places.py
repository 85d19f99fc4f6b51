"""Tenants that come and go, beside the control plane of the tests, and the rounds that make applications of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from lambdas.common.errors import GranaryError
from lambdas.resilience.failover_tenants.round import Round
from lambdas.resilience.model.failover.catalogue import Application, Catalogue, Group, Mode, Tenants
from lambdas.resilience.store.failover.table import CLAIMS, applications_of
from tests.unit.lambdas.resilience.failover.aws import A, B
from tests.unit.lambdas.resilience.failover.planes import Planes, application, group

ZONE, RECORD = "Z9", "{id}.tenants.example.com"
# One at home in each Region: who swaps its places goes from one to the other.
SHOP, FAR = "shop", "far"


def name_of(tenant: str) -> str:
    return RECORD.replace("{id}", tenant)


def entry(of: str = SHOP, **more: Any) -> Tenants:
    return Tenants(**{"group": of, "zone": ZONE, "record": RECORD, "output": "Endpoint", **more})


def catalogue(*entries: Tenants, mode: Mode = Mode.WEIGHTS, groups: tuple[Group, ...] = ()) -> Catalogue:
    return Catalogue(
        regions=(A, B),
        groups=groups or (group(SHOP, mode=mode), group(FAR, mode=mode, primary=B)),
        applications=(application(1),),
        tenants=entries or (entry(), entry(FAR)),
    )


def standby(tenant: str, *, number: int = 0, region: str = A, **more: Any) -> dict[str, Any]:
    """A tenant as the room saas tells it; its endpoints change with a number."""
    outputs = {at: {"Endpoint": f"https://{tenant}-{number}.{at}.example.net/"} for at in (A, B)}
    other = B if region == A else A
    told = {"id": tenant, "type": "silo", "account": "222222222222", "region": region, "standby_region": other}
    return {**told, "phase": "ACTIVE", "outputs": outputs, **more}


@dataclass
class Places:
    """The tenants by their ids, what of them cannot be read, and both Regions; a round is at work in the first.

    Groups have health checks for the Regions that are `checked`.
    """

    planes: Planes = field(default_factory=lambda: Planes(catalogue=catalogue()))
    tenants: dict[str, dict[str, Any]] = field(default_factory=dict)
    unreadable: list[str] = field(default_factory=list)
    checked: tuple[str, ...] = (A, B)
    seconds: float = 240
    runs: int = 0

    def __post_init__(self) -> None:
        self.planes.world.route53.zones.setdefault(ZONE, {})
        self.planes.minutes(2)

    @property
    def zone(self) -> dict[tuple[str, str, str], dict[str, Any]]:
        return self.planes.world.route53.zones[ZONE]

    def round(self, confirmed: int = 0) -> None:
        region, world = self.planes.region(A), self.planes.world
        self.runs += 1
        end = world.now + timedelta(seconds=self.seconds)
        Round(
            region=A,
            holder=f"round-{self.runs}",
            catalogue=self.planes.catalogue,
            table=region.table,
            dns=region.dns,
            bus=region.bus,
            ask=self._ask,
            checks=lambda one: {at: f"{one.name}/{at}" for at in self.checked},
            clock=lambda: world.now,
            in_time=lambda: world.now < end,
        ).run(confirmed)

    def rounds(self, count: int = 1) -> None:
        """Each after five minutes of both Regions."""
        for _ in range(count):
            self.planes.minutes(5)
            self.round()
            self.planes.world.replicate()

    def _ask(self, question: Mapping[str, Any]) -> dict[str, Any]:
        """Two tenants a page."""
        assert question["standbys"] is True
        ids = sorted(one for one in self.tenants if one > question["after"])
        page = [self.tenants[one] for one in ids[:2]]
        return {
            "standbys": page,
            "unreadable": self.unreadable if not ids[2:] else [],
            "after": ids[1] if ids[2:] else "",
        }

    def applications(self, at: str = A) -> dict[str, Application]:
        """Those that tenants are, by their names."""
        table, groups = self.planes.region(at).table, self.planes.catalogue.groups
        found = [table.by_name(applications_of(one.name)) for one in groups]
        return {name: one for its in found for name, one in its.items() if one and one.source == "tenants"}

    def claims(self) -> set[str]:
        return set(self.planes.region(A).table.by_name(CLAIMS))

    def led(self, tenant: str) -> dict[str, tuple[str, int, str]]:
        """Where its records lead, with which weight and health check, by Region."""
        return {
            key[2]: (one["ResourceRecords"][0]["Value"], one["Weight"], one.get("HealthCheckId", ""))
            for key, one in self.zone.items()
            if key[0] == f"{name_of(tenant)}."
        }

    def seen(self, of: str = SHOP) -> tuple[dict[str, str], dict[str, str]]:
        """Who waits, and what is wrong, as the status of a group tells it."""
        seen = self.planes.region(A).table.seen(of)
        return seen.waiting, seen.wrong

    def history(self, of: str = SHOP) -> list[str]:
        told = self.planes.commands(A).run("history", {"group": of}, actor="x")["history"]
        return [str(one["message"]) for one in told]

    def fails(self, confirmed: int = 0) -> str:
        """A round that tells what has failed."""
        try:
            self.round(confirmed)
        except GranaryError as error:
            return str(error)
        raise AssertionError("nothing has failed")
