"""The hub of an account and Region, and how its findings change."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from ministack.core import responses

Finding = dict[str, Any]
Key = tuple[str, str]

LABELS = {"INFORMATIONAL": 0, "LOW": 1, "MEDIUM": 40, "HIGH": 70, "CRITICAL": 90}
_DEFAULTS = {
    "RecordState": "ACTIVE",
    "Workflow": {"Status": "NEW"},
    "ProductName": "Default",
    "CompanyName": "Personal",
}
# https://docs.aws.amazon.com/securityhub/latest/userguide/finding-update-batchimportfindings.html
_OF_PEOPLE = ("Note", "UserDefinedFields", "VerificationState", "Workflow")
_OF_BOTH = ("Confidence", "Criticality", "RelatedFindings", "Severity", "Types")
_STATUS = {"AccessDeniedException": 403, "InvalidAccessException": 401, "ResourceConflictException": 409}


class ServiceError(Exception):
    """An API error: `code` is the AWS error code, such as `InvalidInputException`."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.status = _STATUS.get(code, 501 if code == "NotImplemented" else 400)


@dataclass(kw_only=True)
class Hub:
    """What an account has enabled in a Region; `triaged` are the fields that people have set of a finding."""

    account: str
    place: str
    since: str
    findings: dict[Key, Finding] = field(default_factory=dict)
    triaged: dict[Key, set[str]] = field(default_factory=dict)
    lock: threading.RLock = field(default_factory=threading.RLock)

    @property
    def arn(self) -> str:
        return f"{self.place}:hub/default"

    @property
    def product(self) -> str:
        """The product that an account's own findings are of."""
        return f"{self.place}:product/{self.account}/default"

    def put(self, given: Finding) -> None:
        """Take a finding of a provider, or its new version: what belongs to people stays as it is."""
        key = key_of(given)
        before = self.findings.get(key, {})
        theirs = {*_OF_PEOPLE, *self.triaged.get(key, ())} if before else set()
        provided = {name: given[name] for name in _OF_BOTH if name in given} | given.get("FindingProviderFields", {})
        told = {**_DEFAULTS, **given, **provided, "FindingProviderFields": provided, "ProcessedAt": _now()}
        told = {name: value for name, value in told.items() if name not in theirs}
        told |= {name: before[name] for name in theirs if name in before}
        told["Severity"] = _rated(told["Severity"])
        told["ProductFields"] = {
            **given.get("ProductFields", {}),
            "aws/securityhub/FindingId": "/".join(key),
            "aws/securityhub/ProductName": told["ProductName"],
        }
        # https://docs.aws.amazon.com/securityhub/1.0/APIReference/API_Workflow.html
        if (before.get("RecordState"), told["RecordState"]) == ("ARCHIVED", "ACTIVE"):
            suppressed = told["Workflow"]["Status"] == "SUPPRESSED"
            told["Workflow"] = {"Status": "SUPPRESSED" if suppressed else "NEW"}
        self.findings[key] = told

    def triage(self, key: Key, changes: Mapping[str, Any]) -> bool:
        """Take what people say of a finding; whether there is such a one."""
        if key not in self.findings:
            return False
        said = {name: value for name, value in changes.items() if name in (*_OF_PEOPLE, *_OF_BOTH)}
        if "Severity" in said:
            said["Severity"] = _rated(said["Severity"])
        self.findings[key] = {**self.findings[key], **said}
        self.triaged.setdefault(key, set()).update(said)
        return True


_hubs: Any = responses.AccountRegionScopedDict()


def enable() -> Hub:
    """Enable Security Hub in the account and Region of the request."""
    if "default" in _hubs:
        raise ServiceError("ResourceConflictException", "Account is already subscribed to Security Hub")
    account = responses.get_account_id()
    place = f"arn:aws:securityhub:{responses.get_region()}:{account}"
    hub = _hubs["default"] = Hub(account=account, place=place, since=_now())
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


def _rated(severity: Mapping[str, Any]) -> dict[str, Any]:
    return {"Normalized": LABELS[severity["Label"]], **severity}


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
