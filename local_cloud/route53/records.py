"""What Route 53 refuses of a change batch, and what a zone is afterwards; pure. Records are as ministack keeps them.

https://docs.aws.amazon.com/Route53/latest/APIReference/API_ChangeResourceRecordSets.html
"""

from __future__ import annotations

import ipaddress
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Record = dict[str, Any]
Key = tuple[str, str]  # type and set identifier
Names = dict[str, dict[Key, Record]]
_ELEMENTS, _CHARACTERS, _WEIGHT = 1_000, 32_000, 255
_OTHER_POLICIES = ("Region", "Failover", "MultiValueAnswer", "GeoLocation", "CidrRoutingConfig")
_APEX = ("SOA", "NS")
_ADDRESSES = {"A": ipaddress.IPv4Address, "AAAA": ipaddress.IPv6Address}


@dataclass(kw_only=True)
class RefusedError(Exception):
    """An answer of Route 53 instead of the change."""

    code: str
    message: str
    status: int = 400


@dataclass(frozen=True, kw_only=True)
class Change:
    """One change of a batch."""

    action: str
    record: Record

    @property
    def key(self) -> Key:
        """What the record is known by, among those of its name."""
        return key_of(self.record)

    @property
    def called(self) -> str:
        """The record, as messages name it."""
        kind, identifier = self.key
        return f"RRSet with DNS name {self.record['Name']}, type {kind}" + _if(identifier, ", SetIdentifier {}")


def key_of(record: Mapping[str, Any]) -> Key:
    """What a record is known by, among those of its name."""
    return str(record["Type"]), str(record.get("SetIdentifier", ""))


def by_name(records: Sequence[Record]) -> Names:
    """The records of a zone by their names."""
    names: Names = {}
    for record in records:
        names.setdefault(record["Name"], {})[key_of(record)] = record
    return names


def applied(
    zone: Mapping[str, Any], records: Sequence[Record], changes: Sequence[Change], *, checks: Container[str]
) -> list[Record]:
    """The zone's records after all changes, in their order; raises RefusedError, and then none is made."""
    _refuse_malformed(changes)
    for check in (change.record.get("HealthCheckId") for change in changes if change.action != "DELETE"):
        if check and check not in checks:
            message = f"No health check exists with the specified ID {check}."
            raise RefusedError(code="NoSuchHealthCheck", message=message, status=404)
    names = by_name(records)
    reasons = [*_too_much(changes), *_twice(changes)]
    for change in changes:
        found = list(_of_one(zone, names, change))
        reasons += found
        if not found:
            _apply(names, change)
    reasons = reasons or [*_of_the_whole(zone, names, changes)]
    if reasons:
        raise RefusedError(code="InvalidChangeBatch", message=f"[{', '.join(reasons)}]")
    return [record for its in names.values() for record in its.values()]


def _refuse_malformed(changes: Sequence[Change]) -> None:
    for change in changes:
        record, (kind, identifier) = change.record, change.key
        where = f"Change with [Action={change.action}, Name={record['Name']}, Type={kind}, SetIdentifier="
        where += f"{identifier or 'null'}]"
        if other := [one for one in _OTHER_POLICIES if one in record]:
            raise _invalid(f"The local cloud answers simple and weighted records, and none with {other[0]}: {where}")
        weight = record.get("Weight")
        if weight is not None and not 0 <= weight <= _WEIGHT:
            raise _invalid(
                f"Invalid XML ; cvc-maxInclusive-valid: Value '{weight}' is not facet-valid with respect to "
                f"maxInclusive '{_WEIGHT}' for type 'ResourceRecordSetWeight': {where}"
            )
        if (weight is None) is bool(identifier):
            missing = "SetIdentifier" if weight is not None else "Weight"
            raise _invalid(f"Invalid request: Missing field '{missing}' in {where}")
        ways = [one for one in ("AliasTarget", "TTL", "ResourceRecords") if record.get(one)]
        if ways not in (["AliasTarget"], ["TTL", "ResourceRecords"]):
            found = "more than one" if "AliasTarget" in ways else "none"
            raise _invalid(
                "Invalid request: Expected exactly one of [AliasTarget, all of [TTL, and ResourceRecords], or "
                f"TrafficPolicyInstanceId], but found {found} in {where}"
            )


def _invalid(message: str) -> RefusedError:
    return RefusedError(code="InvalidInput", message=message)


def _too_much(changes: Sequence[Change]) -> Iterator[str]:
    """https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/DNSLimitations.html"""
    elements = characters = 0
    for change in changes:
        times, values = 2 if change.action == "UPSERT" else 1, change.record.get("ResourceRecords", [""])
        elements += times * len(values)
        characters += times * sum(len(one) for one in values)
    if elements > _ELEMENTS:
        yield f"Number of records limit of {_ELEMENTS} exceeded."
    if characters > _CHARACTERS:
        yield f"Number of characters limit of {_CHARACTERS} exceeded."


def _twice(changes: Sequence[Change]) -> Iterator[str]:
    before: dict[tuple[str, Key], str] = {}
    for change in changes:
        which, name = (change.record["Name"], change.key), change.record["Name"]
        if which in before and (before[which], change.action) != ("DELETE", "CREATE"):
            yield f"The request contains an invalid set of changes for a resource record set '{change.key[0]} {name}'"
        before[which] = change.action


def _of_one(zone: Mapping[str, Any], names: Names, change: Change) -> Iterator[str]:
    """Why a change cannot be made to the zone as the changes before it left it."""
    record, (kind, identifier), name = change.record, change.key, change.record["Name"]
    if name != zone["name"] and not name.endswith(f".{zone['name']}"):
        yield f"RRSet with DNS name {name} is not permitted in zone {zone['name']}"
        return
    siblings = names.get(name, {})
    there = siblings.get(change.key)
    which = f"resource record set [name='{name}', type='{kind}'" + _if(identifier, ", set-identifier='{}'")
    if change.action == "CREATE" and there:
        yield f"Tried to create {which}] but it already exists"
    elif change.action != "DELETE":
        yield from _conflicts(zone, [one for key, one in siblings.items() if key != change.key], change)
    elif not there:
        yield f"Tried to delete {which}] but it was not found"
    elif _values(there) != _values(record):
        yield f"Tried to delete {which}] but the values provided do not match the current values"
    elif kind in _APEX and name == zone["name"]:
        yield f"A HostedZone must contain at least one {kind} record for the zone itself."


def _conflicts(zone: Mapping[str, Any], others: Sequence[Record], change: Change) -> Iterator[str]:
    kind, name = change.key[0], change.record["Name"]
    for value in change.record.get("ResourceRecords", ()) if kind in _ADDRESSES else ():
        try:
            _ADDRESSES[kind](value)
        except ValueError:
            yield f"Invalid Resource Record: '{value}' is not a valid address of type {kind}"
    rrset = f"RRSet of type {kind} with DNS name {name} is not permitted"
    other_types = {one["Type"] for one in others} - {kind}
    if kind == "CNAME" and name == zone["name"]:
        yield f"{rrset} at apex in zone {zone['name']}"
    elif kind == "CNAME" and other_types:
        yield f"{rrset} as it conflicts with other records with the same DNS name in zone {zone['name']}"
    elif "CNAME" in other_types:
        yield (
            f"{rrset} because a conflicting RRSet of type  CNAME with the same DNS name already exists in zone "
            f"{zone['name']}"
        )
    alike = [one for one in others if one["Type"] == kind]
    if alike and "Weight" not in change.record:
        yield f"{change.called} cannot be created as other RRSets exist with the same name and type."
    elif any("Weight" not in one for one in alike):
        yield f"{change.called} cannot be created as a non-weighted set exists with the same name and type."


def _if(value: str, text: str) -> str:
    return text.format(value) if value else ""


def _values(record: Record) -> dict[str, Any]:
    """What a record that is deleted must be given with, in any order; absent health checks and such count, too."""
    return {**record, "ResourceRecords": sorted(record.get("ResourceRecords", ()))}


def _apply(names: Names, change: Change) -> None:
    siblings = names.setdefault(change.record["Name"], {})
    if change.action == "DELETE":
        del siblings[change.key]
    else:
        siblings[change.key] = change.record


def _of_the_whole(zone: Mapping[str, Any], names: Names, changes: Sequence[Change]) -> Iterator[str]:
    """Why the zone cannot be what the changes make of it."""
    for change in changes:
        name, kind, alias = change.record["Name"], change.key[0], change.record.get("AliasTarget")
        if change.action == "DELETE":
            continue
        if len({one["TTL"] for (its, _), one in names[name].items() if its == kind and "TTL" in one}) > 1:
            yield f"{change.called} cannot be created as weighted sets must contain the same TTL."
        if alias and alias["HostedZoneId"] == zone["id"] and not _has(names, alias["DNSName"], kind):
            yield (
                f"Tried to create an alias that targets {alias['DNSName']}, type {kind} in zone {zone['id']}, "
                "but that target was not found"
            )


def _has(names: Names, name: str, kind: str) -> bool:
    return any(its == kind for its, _ in names.get(name, ()))
