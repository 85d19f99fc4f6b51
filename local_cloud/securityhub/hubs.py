"""The hub of an account and Region, and how its findings change."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from ministack.core import responses

from local_cloud.securityhub.errors import ServiceError

Finding = dict[str, Any]
Key = tuple[str, str]

_DEFAULT_PRODUCT = {"ProductName": "Default", "CompanyName": "Personal"}
# https://docs.aws.amazon.com/securityhub/latest/userguide/finding-update-batchimportfindings.html
_OF_PEOPLE = ("Note", "UserDefinedFields", "VerificationState", "Workflow")
_OF_BOTH = ("Confidence", "Criticality", "RelatedFindings", "Severity", "Types")
NORMALIZED = {"INFORMATIONAL": 0, "LOW": 1, "MEDIUM": 40, "HIGH": 70, "CRITICAL": 90}


@dataclass(kw_only=True)
class Hub:
    """What an account has enabled in a Region; `triaged` are the fields that people have set of a finding."""

    account: str
    region: str
    since: str
    findings: dict[Key, Finding] = field(default_factory=dict)
    triaged: dict[Key, set[str]] = field(default_factory=dict)
    lock: threading.RLock = field(default_factory=threading.RLock)

    @property
    def arn(self) -> str:
        return f"arn:aws:securityhub:{self.region}:{self.account}:hub/default"

    @property
    def product(self) -> str:
        """The product that an account's own findings are of."""
        return f"arn:aws:securityhub:{self.region}:{self.account}:product/{self.account}/default"

    def put(self, given: Finding) -> None:
        """Take a finding of a provider, or its new version: what belongs to people stays as it is."""
        key = key_of(given)
        before = self.findings.get(key)
        told = {"RecordState": "ACTIVE", "Workflow": {"Status": "NEW"}, **_DEFAULT_PRODUCT, **given}
        told |= {"Region": self.region, "ProcessedAt": _now()}
        told["FindingProviderFields"] = _provided(given)
        kept = set(_OF_PEOPLE) | self.triaged.get(key, set()) if before else set()
        told |= {name: value for name, value in _effective(told["FindingProviderFields"]).items() if name not in kept}
        for name in kept:
            told.pop(name, None)
            told |= {name: before[name]} if before and name in before else {}
        told["ProductFields"] = {
            **given.get("ProductFields", {}),
            "aws/securityhub/FindingId": f"{given['ProductArn']}/{given['Id']}",
            "aws/securityhub/ProductName": told["ProductName"],
            "aws/securityhub/CompanyName": told["CompanyName"],
        }
        came_back = before and before["RecordState"] == "ARCHIVED" and told["RecordState"] == "ACTIVE"
        if came_back and told["Workflow"]["Status"] in ("NOTIFIED", "RESOLVED"):
            told["Workflow"] = {"Status": "NEW"}
        self.findings[key] = told

    def triage(self, key: Key, changes: Mapping[str, Any]) -> bool:
        """Take what people say of a finding; whether there is such a one."""
        if key not in self.findings:
            return False
        changes = {name: value for name, value in changes.items() if name in (*_OF_PEOPLE, *_OF_BOTH)}
        if label := changes.get("Severity", {}).get("Label"):
            changes["Severity"] = {"Normalized": NORMALIZED[label], **changes["Severity"]}
        self.findings[key] = {**self.findings[key], **changes}
        self.triaged.setdefault(key, set()).update(set(changes) & set(_OF_BOTH))
        return True


_hubs: Any = responses.AccountRegionScopedDict()


def enable() -> Hub:
    """Enable Security Hub in the account and Region of the request."""
    if "default" in _hubs:
        raise ServiceError("ResourceConflictException", "Account is already subscribed to Security Hub")
    hub = Hub(account=responses.get_account_id(), region=responses.get_region(), since=_now())
    _hubs["default"] = hub
    return hub


def enabled() -> Hub:
    """The hub of the account and Region of the request."""
    hub: Hub | None = _hubs.get("default")
    if hub is None:
        account = responses.get_account_id()
        raise ServiceError("InvalidAccessException", f"Account {account} is not subscribed to AWS Security Hub")
    return hub


def disable() -> None:
    """Disable it; its findings are gone."""
    enabled()
    _hubs.pop("default")


def key_of(finding: Mapping[str, Any]) -> Key:
    """What identifies a finding."""
    return str(finding["ProductArn"]), str(finding["Id"])


def _provided(given: Finding) -> Finding:
    """`FindingProviderFields`; who still writes the fields at the top gets them copied."""
    own = {name: given[name] for name in _OF_BOTH if name in given}
    if "Severity" in own:
        own["Severity"] = {name: value for name, value in own["Severity"].items() if name in ("Label", "Original")}
    return {**own, **given.get("FindingProviderFields", {})}


def _effective(provided: Finding) -> Finding:
    found = dict(provided)
    if label := provided.get("Severity", {}).get("Label"):
        found["Severity"] = {"Normalized": NORMALIZED[label], **provided["Severity"]}
    return found


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
