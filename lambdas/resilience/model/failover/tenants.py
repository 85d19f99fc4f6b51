"""Tenants that stand in both Regions: which of them are applications, and what they lack; pure.

A tenant whose standby is not deployed yet is not half an application: it waits. What is one already and lacks something
now stays as it is, for nothing that a tenant lacks is better than a name that leads somewhere.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from lambdas.common.clock import Stamp
from lambdas.common.versioned_json import Text
from lambdas.common.written import cut, one_line, shown
from lambdas.resilience.model.failover.catalogue import Application, Catalogue, Endpoint, Tenants

# Whoever has written an application down.
SOURCE = "tenants"
# Phases, as the room saas has them, of tenants that are no more; and of those that may still come back.
_ENDED = frozenset({"RETIRED", "RETIRED_WITH_WARNINGS"})
_ENDING = "RETIRING"
_LABEL = r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?"
_NAME = re.compile(rf"{_LABEL}(\.{_LABEL})+")
_LONGEST = 253
# The last label of an address that is no name has no letter.
_LETTER = re.compile(r"[a-z]")
_TOLD = 20


@dataclass(frozen=True, kw_only=True)
class Standby(Text):
    """A tenant that has a standby, as the room saas tells it; `outputs` are what its stacks say in each Region."""

    id: str
    region: str
    standby_region: str
    phase: str = ""
    outputs: dict[str, dict[str, str]] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Seen(Text):
    """What the last round has told of a group: who waits, and what somebody has to put right, with the reasons.

    Of many, only the first are named: `waits` counts those that wait.
    """

    at: Stamp = ""
    waiting: dict[str, str] = field(default_factory=dict)
    wrong: dict[str, str] = field(default_factory=dict)
    waits: int = 0

    @classmethod
    def of(cls, at: str, waiting: Mapping[str, str], wrong: Mapping[str, str]) -> Seen:
        """What fits into an item, and a mail."""
        return cls(at=at, waiting=_few(waiting), wrong=_few(wrong), waits=len(waiting))


@dataclass(frozen=True, kw_only=True)
class Wishes:
    """Applications that tenants are, by their names in DNS; `waiting` and `wrong` have the others, by group and name.

    What is `waiting` needs nobody, what is `wrong` does; names of both stay as they are.
    """

    wanted: dict[str, Application] = field(default_factory=dict)
    waiting: dict[str, dict[str, str]] = field(default_factory=dict)
    wrong: dict[str, dict[str, str]] = field(default_factory=dict)

    @property
    def told(self) -> tuple[dict[str, dict[str, str]], dict[str, dict[str, str]]]:
        """Who waits, and who is wrong."""
        return self.waiting, self.wrong

    @property
    def stays(self) -> frozenset[str]:
        """Names that nothing is done about."""
        return frozenset(name for told in self.told for its in told.values() for name in its)


def wishes(catalogue: Catalogue, standbys: Sequence[Standby]) -> Wishes:
    """What the tenants of both Regions are to be."""
    found = Wishes()
    asked = list(_asked(catalogue, standbys))
    times = Counter(record for _, _, record in asked)
    taken = {one.record for one in catalogue.applications}
    taken |= {it.record for one in catalogue.groups for it in one.databases}
    for entry, tenant, record in asked:
        if record in taken:
            problem = f"applications or databases of config/failover.yaml have the name {record}"
        elif times[record] > 1:
            problem = f"several tenants, or entries of config/failover.yaml, want the name {record}"
        else:
            problem = _wrong(catalogue, entry, tenant, record)
        waits = "" if problem else _waits(entry, tenant)
        if problem or waits:
            told = found.wrong if problem else found.waiting
            told.setdefault(entry.group, {})[record] = problem or waits
        else:
            found.wanted[record] = _application(entry, tenant, record)
    return found


def _asked(catalogue: Catalogue, standbys: Sequence[Standby]) -> Iterator[tuple[Tenants, Standby, str]]:
    """Who is meant by which entry, with the name in DNS; several entries may have one name, each for its primary."""
    primaries = {one.name: one.primary for one in catalogue.groups}
    for entry in catalogue.tenants:
        namesakes = [one for one in catalogue.tenants if one.record == entry.record]
        for tenant in standbys:
            is_ours = {tenant.region, tenant.standby_region} == set(catalogue.regions) and tenant.phase not in _ENDED
            is_at_home = primaries[entry.group] == tenant.region
            is_anothers = not is_at_home and any(primaries[one.group] == tenant.region for one in namesakes)
            if is_ours and not is_anothers and not entry.withdrawn:
                yield entry, tenant, entry.record.replace("{id}", tenant.id)


def _wrong(catalogue: Catalogue, entry: Tenants, tenant: Standby, record: str) -> str:
    """What somebody has to put right."""
    home = next(one.primary for one in catalogue.groups if one.name == entry.group)
    if tenant.region != home:
        return f"its primary is {tenant.region}, and that of group {entry.group} is {home}: give it an entry of its own"
    if not _is_name(record) or "." in tenant.id:
        return f"{shown(record)} is no name in DNS"
    outputs = [tenant.outputs.get(region, {}).get(entry.output) for region in catalogue.regions]
    for region, value in zip(catalogue.regions, outputs, strict=True):
        if value and not _is_name(address(value)):
            return f"its output {entry.output} in {region} is no address with a name: {shown(value)}"
    return ""


def _waits(entry: Tenants, tenant: Standby) -> str:
    """What will come by itself."""
    lacking = [at for at in (tenant.region, tenant.standby_region) if not tenant.outputs.get(at, {}).get(entry.output)]
    if tenant.phase == _ENDING:
        return "it is being retired"
    return f"it has no public output {entry.output} in {' and '.join(lacking)} yet" if lacking else ""


def _application(entry: Tenants, tenant: Standby, record: str) -> Application:
    places = (tenant.region, tenant.standby_region)
    return Application(
        name=record,
        group=entry.group,
        record=record,
        zone=entry.zone,
        endpoints={at: Endpoint(dns_name=address(tenant.outputs[at][entry.output])) for at in sorted(places)},
        ttl=entry.ttl,
        source=SOURCE,
    )


def address(output: str) -> str:
    """The name in an output: it is one, or a URL with one."""
    try:
        host = urlsplit(output).hostname if "://" in output else output
    except ValueError:
        return ""
    return (host or "").rstrip(".").lower()


def _is_name(text: str) -> bool:
    is_one = _NAME.fullmatch(text) and _LETTER.search(text.rpartition(".")[2])
    return bool(is_one) and len(text) <= _LONGEST


def _few(told: Mapping[str, str]) -> dict[str, str]:
    return {cut(one_line(name), _LONGEST): cut(one_line(told[name]), _LONGEST) for name in sorted(told)[:_TOLD]}
