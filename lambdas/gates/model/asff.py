"""Findings as Security Hub takes them: in its format ASFF, and in batches; pure.

https://docs.aws.amazon.com/securityhub/latest/userguide/securityhub-findings-format-syntax.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from lambdas.common.clock import moment, stamp
from lambdas.common.evidence.finding import Finding, Package, Severity
from lambdas.common.evidence.kept_report import Head
from lambdas.common.partitions import partition_of

Asff = dict[str, Any]

# https://docs.aws.amazon.com/securityhub/latest/partnerguide/guidelines-batchimportfindings.html
MOST_FINDINGS = 100
MOST_BYTES = 6_000_000
MOST_BYTES_EACH = 240_000
_ENVELOPE = 100  # bytes of a request around its findings, and of a finding around its text

_TITLE, _DESCRIPTION, _REPAIR, _ID, _VALUE = 256, 1024, 512, 512, 1024
_ALIASES = 20
_LABELS = {one.value for one in Severity} - {Severity.UNKNOWN.value}
_UNTOLD = Severity.MEDIUM.value
_UNTOLD_WORDS = f'Its tool does not say how bad it is: "{_UNTOLD}" stands for "unknown".\n'
_VULNERABILITY = "Software and Configuration Checks/Vulnerabilities/CVE"
_CHECK = "Software and Configuration Checks/AWS Security Best Practices"
_PARTITIONS = {"aws", "aws-cn", "aws-us-gov", "aws-us-iso", "aws-us-iso-b"}
_URL = re.compile(r"https?://\S{1,1000}")
_json = json.JSONEncoder(check_circular=False).encode


@dataclass(frozen=True, kw_only=True)
class Hub:
    """The Security Hub that a factory imports into: that of its own account and Region."""

    account: str
    region: str
    factory: str

    @property
    def product(self) -> str:
        """ARN of the product that an account's own findings are of."""
        place = f"arn:{partition_of(self.region)}:securityhub:{self.region}:{self.account}"
        return f"{place}:product/{self.account}/default"

    def ids(self, head: Head) -> str:
        """What the ids of all findings of this gate and target begin with, and no other's."""
        return f"{self.factory}:{head.gate}:{head.target}:"


@dataclass(frozen=True, slots=True)
class Known:
    """What Security Hub has of a finding, and a later report must not change."""

    first_seen: str
    updated: str
    active: bool = True
    reopened: str = ""

    @classmethod
    def of(cls, there: Mapping[str, Any]) -> Known:
        """Read it from what GetFindings answers."""
        created = there["CreatedAt"]
        first_seen = min(_stamped(there.get("FirstObservedAt", created), created), _stamped(created, created))
        return cls(
            first_seen=first_seen,
            updated=_stamped(there["UpdatedAt"], created),
            active=there.get("RecordState") != "ARCHIVED",
            reopened=there.get("ProductFields", {}).get("granary/reopened", ""),
        )


class Writer:
    """Writes the findings of one report."""

    def __init__(self, hub: Hub, head: Head) -> None:
        partition = partition_of(hub.region)
        self._head = head
        self._created = _stamped(head.created, head.created)
        self._ids = hub.ids(head)
        self._place = {"Type": "Other", "Region": hub.region} | _told(
            Partition=partition if partition in _PARTITIONS else ""
        )
        self._whose = _told(Tenant=head.deployment, Revision=head.revision)
        self._fixed: Asff = {
            "SchemaVersion": "2018-10-08",
            "ProductArn": hub.product,
            "ProductName": "Granary",
            "AwsAccountId": hub.account,
            "UpdatedAt": self._created,
            "LastObservedAt": self._created,
            "RecordState": "ACTIVE",
        }

    def name(self, one: Finding) -> str:
        """The id of a finding: the same in every run, and another for another gate or target."""
        return self._ids + one.fingerprint

    def written(self, one: Finding, *, name: str, known: Known | None = None) -> Asff:
        """A finding as it is imported; `name` is its id, and `known` what Security Hub has of it."""
        severity, created = one.severity.value, self._created
        untold = severity not in _LABELS
        first_seen = min(_stamped(one.first_seen, created), created, known.first_seen if known else created)
        asff = {
            **self._fixed,
            "Id": name,
            "GeneratorId": _fit(one.rule_key, _ID),
            "CreatedAt": first_seen,
            "FirstObservedAt": first_seen,
            "Title": _fit(one.title, _TITLE) or "A finding without a title",
            "Description": _fit(_UNTOLD_WORDS * untold + one.description, _DESCRIPTION) or _fit(one.rule_key, _ID),
            # Not at the top: a provider's update there would overwrite what people have set.
            "FindingProviderFields": {
                "Severity": {"Label": _UNTOLD if untold else severity, "Original": severity},
                "Types": [_VULNERABILITY if one.package else _CHECK],
            },
            "Resources": [self._resource(one)],
            "ProductFields": self._fields(one, name, known),
        }
        if repair := _told(Text=_fit(one.remediation, _REPAIR), Url=one.url if _URL.fullmatch(one.url) else ""):
            asff["Remediation"] = {"Recommendation": repair}
        if one.package:
            asff["Vulnerabilities"] = [_vulnerability(one, one.package)]
        return asff

    def _resource(self, one: Finding) -> Asff:
        place = (
            _told(Path=one.place.path, Line=str(one.place.line or ""), Inside=one.place.inside, Commit=one.place.commit)
            | self._whose
        )
        resource = {**self._place, "Id": _fit(one.resource, _ID) or _fit(one.place.path, _ID) or self._head.target}
        return {**resource, "Details": {"Other": place}} if place else resource

    def _fields(self, one: Finding, name: str, known: Known | None) -> dict[str, str]:
        fields = {
            "granary/gate": self._head.gate,
            "granary/target": self._head.target,
            "granary/fingerprint": name[len(self._ids) :],
            **_told(**{"granary/tool": f"{one.tool} {self._head.tools.get(one.tool, '')}"}),
        }
        fields |= {f"granary/{key.lower()}": value for key, value in self._whose.items()}
        if again := known and (known.reopened if known.active else self._created):
            fields["granary/reopened"] = again
        return fields


def archived(there: Asff, *, created: str) -> Asff:
    """A finding that Security Hub has, as gone; without what the service, or people, have added to it."""
    ours = {name: there[name] for name in _OURS if name in there}
    fields = there.get("ProductFields", {}).items()
    own = {"ProductFields": {name: value for name, value in fields if not name.startswith("aws/")}}
    return {**ours, **own, "RecordState": "ARCHIVED", "UpdatedAt": _stamped(created, created)}


_OURS = (
    *("SchemaVersion", "Id", "ProductArn", "ProductName", "GeneratorId", "AwsAccountId", "CreatedAt"),
    *("FirstObservedAt", "LastObservedAt", "Title", "Description", "FindingProviderFields", "Resources"),
    *("Remediation", "Vulnerabilities"),
)


def _vulnerability(one: Finding, package: Package) -> Asff:
    packaged = _told(Name=package.name, Version=package.installed, FixedInVersion=package.fixed)
    found: Asff = {"Id": _fit(one.rule, _ID) or "unknown", "VulnerablePackages": [packaged]}
    if others := [_fit(alias, _VALUE) for alias in one.aliases[:_ALIASES] if alias.strip()]:
        found["RelatedVulnerabilities"] = others
    return {**found, **({"FixAvailable": "YES"} if package.fixed else {})}


def _told(**values: str) -> dict[str, str]:
    """What is not empty, for Security Hub takes no empty text."""
    return {name: _fit(value, _VALUE) for name, value in values.items() if value.strip()}


def _fit(text: str, limit: int) -> str:
    told = text.strip()
    return told if len(told) <= limit else f"{told[: limit - 3]}..."


@lru_cache(maxsize=10_000)
def _stamped(time: str, otherwise: str) -> str:
    """A time in one form, whatever form it was in (without an offset it is UTC); what is no time is the other one."""
    try:
        read = datetime.fromisoformat(time)
        return stamp(read if read.tzinfo else read.replace(tzinfo=UTC))
    except (ValueError, OverflowError):
        return stamp(moment(otherwise))


def batches(findings: Iterable[Asff], refuse: Callable[[str, str], object]) -> Iterator[list[Asff]]:
    """Requests that Security Hub takes. A finding that is too large is refused, by its id and with the reason."""
    batch: list[Asff] = []
    size = _ENVELOPE
    for one in findings:
        more = len(_json(one)) + _ENVELOPE
        if more > MOST_BYTES_EACH:
            refuse(str(one["Id"]), f"it has {more:,} bytes, and {MOST_BYTES_EACH:,} are taken")
            continue
        if batch and (len(batch) == MOST_FINDINGS or size + more > MOST_BYTES):
            yield batch
            batch, size = [], _ENVELOPE
        batch.append(one)
        size += more
    if batch:
        yield batch
