"""What Route 53 answers: a healthy record of a name, chosen by weight, and what it leads to; pure but for the draw.

https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/health-checks-how-route-53-chooses-records.html
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from local_cloud.route53.records import Record

_LONGEST_CHAIN = 8
_ALIAS_TTL = 60
_APEX = ("NS", "SOA")
# A name, a type, a TTL and a value as zone files have it.
Line = tuple[str, str, int, str]


@dataclass(frozen=True, kw_only=True)
class Zone:
    """A hosted zone: its records by name and type. Names between a record and the zone are there, without records."""

    id: str
    account: str
    name: str
    names: Mapping[str, Mapping[str, Sequence[Record]]]

    def at(self, name: str) -> Mapping[str, Sequence[Record]] | None:
        """The records of a name, or of the wildcard that stands for it; None when the zone has no such name."""
        found = self.names.get(name)
        above = name
        while found is None and above != self.name:
            above = above.partition(".")[2]
            found = self.names.get(f"*.{above}") or self.names.get(f"\\052.{above}")
            if above in self.names:
                break
        return found


@dataclass(frozen=True, kw_only=True)
class Answer:
    """A response code, the lines that answer, and the SOA of a zone that has none."""

    code: str = "NOERROR"
    lines: tuple[Line, ...] = ()
    authority: tuple[Line, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Answers:
    """Answers from zones: `zone_of` a name, whether a health check of an account is healthy, and where others live."""

    zone_of: Callable[[str], Zone | None]
    is_healthy: Callable[[str, str], bool]
    address_of: Callable[[str], str]
    draw: random.Random = field(default_factory=random.Random)

    def to(self, name: str, kind: str) -> Answer:
        """The answer to a question; the name is in lower case and ends with a dot."""
        lines: list[Line] = []
        for _ in range(_LONGEST_CHAIN):
            zone = self.zone_of(name)
            if zone is None:
                break
            found = zone.at(name)
            if found is None:
                return Answer(code="NXDOMAIN", lines=tuple(lines), authority=_soa(zone))
            here = self._lines(zone, name, kind, found)
            if not here:
                return Answer(lines=tuple(lines), authority=_soa(zone))
            lines += here
            if here[0][1] == kind:
                break
            name = here[0][3].lower().rstrip(".") + "."
        return Answer(lines=tuple(lines)) if lines else Answer(code="REFUSED")

    def _lines(self, zone: Zone, name: str, kind: str, found: Mapping[str, Sequence[Record]]) -> list[Line]:
        records = found.get(kind) or found.get("CNAME")
        if not records:
            return []
        record = self._choose(zone, records)
        alias = record.get("AliasTarget")
        if alias is None:
            return [(name, record["Type"], int(record["TTL"]), one) for one in record["ResourceRecords"]]
        target = alias["DNSName"]
        if alias["HostedZoneId"] != zone.id:
            return [(name, "A", _ALIAS_TTL, self.address_of(target))] if kind == "A" else []
        return [(name, *rest) for _, *rest in self._lines(zone, name, kind, zone.at(target) or {})]  # type: ignore[misc]

    def _choose(self, zone: Zone, records: Sequence[Record]) -> Record:
        weighted = [one for one in records if one.get("Weight")]
        rest = [one for one in records if not one.get("Weight")]
        groups = [[one for one in group if self._is_well(zone, one)] for group in (weighted, rest)]
        # All that are unhealthy count as healthy.
        candidates = next(filter(None, [*groups, weighted, rest]))
        weights = [one.get("Weight") or 1 for one in candidates]
        return candidates[0] if len(candidates) == 1 else self.draw.choices(candidates, weights)[0]

    def _is_well(self, zone: Zone, record: Record) -> bool:
        if (check := record.get("HealthCheckId")) and not self.is_healthy(zone.account, check):
            return False
        alias = record.get("AliasTarget") or {}
        if not alias.get("EvaluateTargetHealth") or alias["HostedZoneId"] != zone.id:
            return True
        targets = (zone.at(alias["DNSName"]) or {}).get(record["Type"], ())
        return any(self._is_well(zone, one) for one in targets)


def index(records: Sequence[Record], zone: str) -> dict[str, dict[str, list[Record]]]:
    """The records of a zone by name and type, with the names between."""
    names: dict[str, dict[str, list[Record]]] = {}
    for record in records:
        names.setdefault(record["Name"], {}).setdefault(record["Type"], []).append(record)
    for name in list(names):
        above = name
        while above != zone and above:
            above = above.partition(".")[2]
            names.setdefault(above, {})
    return names


def placeholder(name: str) -> str:
    """A loopback address of its own for a name that no zone has, so that places can be told apart."""
    first, second, third = hashlib.sha256(name.rstrip(".").lower().encode()).digest()[:3]
    return f"127.{first}.{second}.{third or 1}"


def _soa(zone: Zone) -> tuple[Line, ...]:
    return tuple(
        (zone.name, "SOA", int(one["TTL"]), value)
        for one in zone.names[zone.name].get("SOA", ())
        for value in one["ResourceRecords"]
    )
