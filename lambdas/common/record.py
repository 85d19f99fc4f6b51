"""The record of a deployment: the one definition of what a row must look like, for Lambda functions, builds and synth.

Only the standard library: every Lambda function imports this at its cold start.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from lambdas.common.names import DEPLOYMENT_ID_LIMIT
from lambdas.common.partitions import REGION_PATTERN, partition_of

DEPLOYMENT_TYPES = ("silo", "pool")
ACCOUNT_PATTERN = re.compile(r"[0-9]{12}")
ID_PATTERN = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")

_SHOWN = 60  # characters of a bad value that are repeated in a reason


@dataclass(frozen=True, kw_only=True)
class DeploymentRecord:
    """One silo or pool deployment, as a person wished for it.

    `id` is lower-case letters, digits and single hyphens (at most 40 characters), `account` 12 digits, `region` an
    AWS Region's id.
    """

    id: str
    type: str
    account: str
    region: str

    def digest(self) -> str:
        """Fingerprint of everything that decides what is deployed; the same wish has the same digest."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()[:32]


@dataclass(frozen=True, kw_only=True)
class TargetPolicy:
    """Where components may go: the accounts (None: any, the organization's policies decide) and the Regions."""

    partition: str
    regions: frozenset[str]
    accounts: frozenset[str] | None

    @classmethod
    def from_json(cls, text: str) -> TargetPolicy:
        """Read what `to_json` wrote."""
        data = json.loads(text)
        accounts = data["accounts"]
        return cls(
            partition=data["partition"],
            regions=frozenset(data["regions"]),
            accounts=None if accounts is None else frozenset(accounts),
        )

    def to_json(self) -> str:
        """Write the policy for an environment variable."""
        accounts = None if self.accounts is None else sorted(self.accounts)
        return json.dumps({"partition": self.partition, "regions": sorted(self.regions), "accounts": accounts})


@dataclass(frozen=True, kw_only=True)
class InvalidRow:
    """A row that cannot be acted on, with every reason, each written for the person who put the row."""

    id: str
    reasons: tuple[str, ...]

    @property
    def reason(self) -> str:
        return "; ".join(self.reasons)


def parse_row(row: Mapping[str, Any], policy: TargetPolicy) -> DeploymentRecord | InvalidRow:
    """Read a row of the deployments table (already deserialized); attributes that are not ours are left alone."""
    reasons = [
        *_id_reasons(row.get("id")),
        *_type_reasons(row.get("type")),
        *_account_reasons(row.get("account"), policy),
        *_region_reasons(row.get("region"), policy),
    ]
    if reasons:
        return InvalidRow(id=str(row.get("id", "")), reasons=tuple(reasons))
    return DeploymentRecord(id=row["id"], type=row["type"], account=row["account"], region=row["region"])


def _shown(value: object) -> str:
    text = json.dumps(value, default=str, skipkeys=True)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."


def _text_reasons(name: str, value: object, example: str) -> list[str]:
    if value is None:
        return [f'{name} is missing: add "{name}": {{"S": "{example}"}}']
    if not isinstance(value, str):
        return [f'{name} must be a string, not {_shown(value)}: write it as {{"S": "{example}"}}']
    return []


def _id_reasons(value: object) -> list[str]:
    if reasons := _text_reasons("id", value, "silo1"):
        return reasons
    assert isinstance(value, str)  # noqa: S101 - narrows the type; _text_reasons has answered for the rest
    if len(value) > DEPLOYMENT_ID_LIMIT:
        return [
            f"id {_shown(value)} has {len(value)} characters; names derived from it would break AWS limits: "
            f"use at most {DEPLOYMENT_ID_LIMIT}"
        ]
    if not ID_PATTERN.fullmatch(value):
        return [
            f"id {_shown(value)} is not usable in names: use lower-case letters, digits and single hyphens, "
            "beginning with a letter"
        ]
    return []


def _type_reasons(value: object) -> list[str]:
    if reasons := _text_reasons("type", value, "silo"):
        return reasons
    if value not in DEPLOYMENT_TYPES:
        return [f"type {_shown(value)} is unknown: use silo or pool"]
    return []


def _account_reasons(value: object, policy: TargetPolicy) -> list[str]:
    if reasons := _text_reasons("account", value, "222222222222"):
        return reasons
    assert isinstance(value, str)  # noqa: S101 - as above
    if not ACCOUNT_PATTERN.fullmatch(value):
        return [f"account {_shown(value)} is not an AWS account id: use its 12 digits"]
    if policy.accounts is not None and value not in policy.accounts:
        return [
            f"account {value} is no workload account: add it to `accounts` in config/workloads.yaml and release that"
        ]
    return []


def _region_reasons(value: object, policy: TargetPolicy) -> list[str]:
    if reasons := _text_reasons("region", value, "us-east-1"):
        return reasons
    assert isinstance(value, str)  # noqa: S101 - as above
    if not REGION_PATTERN.fullmatch(value):
        return [f"region {_shown(value)} is not the id of an AWS Region: use one like us-east-1"]
    if partition_of(value) != policy.partition:
        return [
            f"region {value} is in partition {partition_of(value)}, this toolchain is in {policy.partition}: "
            f"use a Region of {policy.partition}, or another toolchain"
        ]
    if value not in policy.regions:
        return [
            f"region {value} is no workload Region: use one of {', '.join(sorted(policy.regions))}, "
            "or add it to `regions` in config/workloads.yaml and release that"
        ]
    return []
