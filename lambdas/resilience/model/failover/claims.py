"""What becomes of a tenant's name in DNS: one step of a round, which may die anywhere in it; pure.

A name is claimed before its records are made, and until they are gone: what is in the zone and not claimed is somebody
else's. So is a record of a claimed name that leads where neither the claim nor the application does. Records are made
with the weights of the table, and keep those that they have: only failovers change weights. Each change takes away what
was read, exactly, so that it is refused when somebody, as a failover, was faster.

An application goes before its records, and of two records that of the standby goes first: the name leads to what still
stands, for a round, and then nowhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from lambdas.resilience.model.failover.catalogue import Application
from lambdas.resilience.model.failover.packing import ACTION, Records
from lambdas.resilience.model.failover.placement import FULL, NONE, Placement

_TYPE = "CNAME"
Record = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Name:
    """What is known of a name: who has claimed it, its applications in the table, and its records, of any kind."""

    record: str
    claim: Application | None = None
    items: tuple[Application, ...] = ()
    records: Records = field(default_factory=dict)

    @property
    def known(self) -> tuple[Application, ...]:
        """What its records were made of."""
        return (*self.items, *((self.claim,) if self.claim else ()))

    def led(self) -> dict[str, Record]:
        """Its own records, by the Region that each leads to."""
        found = {}
        for (_, kind, region), its in self.records.items():
            # One of another routing policy may lead there too, and has no weight: it is not ours.
            if kind == _TYPE and "Weight" in its and _value(its) in _values(self.known, region):
                found[region] = its
        return found

    def strange(self) -> str:
        """The first record that is not its own; empty when there is none."""
        own = self.led()
        for (_, kind, region), its in sorted(self.records.items()):
            if own.get(region) is not its:
                return f"{kind} {region} {_value(its)}".replace("  ", " ").strip()
        return ""


@dataclass(frozen=True, kw_only=True)
class Health:
    """What records of a group need besides: where its weight is, and by Region the health checks of its switch."""

    placement: Placement
    checks: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Step:
    """What is to be done with a name, in this order; `changes` are made together, and nothing after them before."""

    name: Name
    claim: Application | None = None
    drop: tuple[Application, ...] = ()
    changes: tuple[Record, ...] = ()
    put: Application | None = None
    free: bool = False
    problem: str = ""

    @property
    def of(self) -> Application:
        """The application that it is about."""
        return self.put or self.claim or self.name.known[0]

    @property
    def kind(self) -> str:
        """What becomes of the application, in a word; empty when it was told before."""
        if self.put:
            return "changed" if self.name.items else "added"
        return "taken away" if self.drop else ""

    @property
    def is_empty(self) -> bool:
        """Whether nothing is to be done."""
        return not (self.drop or self.claim or self.changes or self.put or self.free)


def made(name: Name, wanted: Application, health: Health) -> Step:
    """Let a name be the application that is wanted."""
    if stranger := name.strange():
        return Step(name=name, problem=f"the zone has a record {stranger}, which is not Granary's: take it away")
    target = _unfinished(name) or wanted
    if elsewhere := [one for one in name.items if one.group != target.group]:
        # First the group, then where it leads: the old endpoints must not be forgotten while records have them.
        target = replace(target, endpoints=elsewhere[0].endpoints)
    led = name.led()
    changes: list[Record] = []
    for region, endpoint in sorted(target.endpoints.items()):
        weight = FULL if health.placement.favourite_of(target.name) == region else NONE
        has = led.get(region)
        # A failover may have moved it since the placement was read.
        if has is not None and any(one.group == target.group for one in name.items):
            weight = has["Weight"]
        wants = _record(target, region, endpoint.dns_name, weight, health.checks.get(region, ""))
        if has is None or not _is_same(has, wants):
            changes += [{**has, ACTION: "DELETE"}] if has is not None else []
            changes.append({**wants, ACTION: "CREATE"})
    return Step(
        name=name,
        claim=target if name.claim != target else None,
        drop=tuple(one for one in name.items if (one.group, one.name) != (target.group, target.name)),
        changes=tuple(changes),
        put=target if target not in name.items else None,
    )


def gone(name: Name, home: str) -> Step:
    """Take a name away, leading it to `home` first."""
    led, stranger = name.led(), name.strange()
    claimed = (name.claim,) if name.claim else ()
    is_known = claimed and all(_value(its) in _values(claimed, region) for region, its in led.items())
    goes = [region for region in sorted(led) if len(led) == 1 or region != home]
    problem = f"it is to go, and the zone has a record {stranger}, which is not Granary's: take it away"
    return Step(
        name=name,
        claim=None if is_known or not name.items else name.items[0],
        drop=name.items,
        changes=tuple({**led[region], ACTION: "DELETE"} for region in goes),
        free=len(goes) == len(led) and not stranger,
        problem=problem if stranger else "",
    )


def _unfinished(name: Name) -> Application | None:
    """What was claimed last, when records lead there already and the application does not say so yet."""
    claim = name.claim
    if claim is None or claim in name.items:
        return None
    is_written = any(_value(its) not in _values(name.items, region) for region, its in name.led().items())
    return claim if is_written else None


def _record(one: Application, region: str, endpoint: str, weight: int, check: str) -> Record:
    found = {
        "Name": f"{one.record}.",
        "Type": _TYPE,
        "SetIdentifier": region,
        "Weight": weight,
        "TTL": one.ttl,
        "ResourceRecords": [{"Value": endpoint}],
    }
    return {**found, "HealthCheckId": check} if check else found


def _is_same(one: Record, other: Record) -> bool:
    keys = ("Weight", "TTL", "HealthCheckId")
    return _value(one) == _value(other) and all(one.get(key) == other.get(key) for key in keys)


def _value(record: Record) -> str:
    """Where a record leads; those that lead to several things are none of ours."""
    return " ".join(str(one["Value"]) for one in record.get("ResourceRecords", ())).rstrip(".").lower()


def _values(applications: tuple[Application, ...], region: str) -> set[str]:
    return {one.endpoints[region].dns_name for one in applications if region in one.endpoints}
