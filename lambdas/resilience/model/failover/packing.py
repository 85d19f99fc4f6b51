"""Changes of records, packed for Route 53; pure.

A request takes 1,000 records and 32,000 characters of their values, and counts an UPSERT twice.
https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/DNSLimitations.html
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, zip_longest
from typing import Any

from lambdas.resilience.model.failover.catalogue import Application
from lambdas.resilience.model.failover.placement import FULL, NONE

UPSERTS, CHARACTERS = 500, 16_000
# What is done with a record of a batch that says it; one that does not is an UPSERT.
ACTION = "Action"
# A record of a zone, as Route 53 has it, by its name, its type and its Region.
Key = tuple[str, str, str]
Records = Mapping[Key, Mapping[str, Any]]


@dataclass(frozen=True, kw_only=True)
class Batch:
    """Records of a zone that one request writes: all of them, or none."""

    zone: str
    records: tuple[Mapping[str, Any], ...]

    @property
    def names(self) -> list[str]:
        """Names of its records, each once."""
        return list(dict.fromkeys(str(one["Name"]) for one in self.records))

    def halves(self) -> list[Batch]:
        """It in two, an application's records together; nothing when it is of one application."""
        names = self.names
        if len(names) == 1:
            return []
        first = set(names[: len(names) // 2])
        parts = ([one for one in self.records if (one["Name"] in first) is is_first] for is_first in (True, False))
        return [replace(self, records=tuple(one)) for one in parts]


@dataclass(frozen=True, kw_only=True)
class Difference:
    """What records have to become, application by application, and the applications that have none."""

    changes: tuple[tuple[str, tuple[Mapping[str, Any], ...]], ...] = ()
    missing: tuple[str, ...] = ()


def key_of(record: Mapping[str, Any]) -> Key:
    """What a record is known by."""
    return (str(record["Name"]).rstrip(".").lower(), str(record["Type"]), str(record.get("SetIdentifier", "")))


def difference(applications: Iterable[Application], records: Records, favourite: Callable[[str], str]) -> Difference:
    """Compare weights with what they should be.

    Records are written as they were read, but for the weight: a health check that is left out would be taken away.
    """
    changes: list[tuple[str, tuple[Mapping[str, Any], ...]]] = []
    missing: list[str] = []
    for one in applications:
        weights = {region: FULL if region == favourite(one.name) else NONE for region in one.endpoints}
        name = one.record.rstrip(".").lower()
        found = {region: records.get((name, one.type, region)) for region in weights}
        if None in found.values():
            missing.append(one.name)
        wrong = [
            {**its, "Weight": weights[region]}
            for region, its in found.items()
            if its and its["Weight"] != weights[region]
        ]
        if wrong:
            changes.append((one.zone, tuple(wrong)))
    return Difference(changes=tuple(changes), missing=tuple(missing))


def pack(changes: Sequence[tuple[str, tuple[Mapping[str, Any], ...]]]) -> list[Batch]:
    """As few requests as Route 53 takes, the zones in turn; an application's records stay together."""
    zones: dict[str, list[list[Mapping[str, Any]]]] = {}
    room: dict[str, tuple[int, int]] = {}
    for zone, records in changes:
        elements, characters = _size(records)
        batches = zones.setdefault(zone, [])
        left, letters = room.get(zone, (0, 0))
        if elements > left or characters > letters:
            batches.append([])
            left, letters = UPSERTS, CHARACTERS
        batches[-1].extend(records)
        room[zone] = (left - elements, letters - characters)
    turns = zip_longest(*([Batch(zone=zone, records=tuple(one)) for one in zones[zone]] for zone in sorted(zones)))
    return [batch for batch in chain.from_iterable(turns) if batch is not None]


def _size(records: Sequence[Mapping[str, Any]]) -> tuple[int, int]:
    """Records, an alias counting as one, and characters of their values."""
    values = [[one["Value"] for one in record.get("ResourceRecords", ())] for record in records]
    return sum(max(1, len(its)) for its in values), sum(len(one) for its in values for one in its)
