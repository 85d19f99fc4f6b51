"""The record of a deployment: what a row must look like, for Lambda functions, builds and synth alike; pure.

Only the standard library: every Lambda function imports this at its cold start.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Any

from lambdas.common.versioned_json import Text
from lambdas.saas.model import parameter_rules as said
from lambdas.saas.model import row_rules as rules
from lambdas.saas.model.adoption import consent_of
from lambdas.saas.model.names import DEPLOYMENT_TYPES
from lambdas.saas.model.target_policy import TargetPolicy


class Wanted(StrEnum):
    """What a row's `state` asks for; a row without one asks for an active deployment."""

    ACTIVE = "active"
    SUSPENDED = "suspended"
    RETIRED = "retired"


class Size(StrEnum):
    """How much a component's tasks get; what it comes to is the component's business."""

    SMALL = "small"
    MEDIUM = "medium"
    LARGE = "large"


@dataclass(frozen=True, kw_only=True)
class DeploymentRecord(Text):
    """One silo or pool deployment, as a person wished for it.

    `id` is lower-case letters, digits and single hyphens (at most 40 characters), `account` 12 digits, `region` an
    AWS Region's id. `tags` are sorted (key, value) pairs. `ring` is empty when the release chooses one. `allow_move`
    consents to other places than those where the component stands, `allow_adopt` (see `adoption`) to taking over stacks
    that stand there under its names. In `standby_region`, if there is one, the same stands once more, in the same
    account. `parameters` are pairs as the tags. What `tier` names gives what the row does not: `size` is empty then.
    `external_id` is what others call the deployment.

    `revision` pins the deployment to a published release, until `revision_until` (a stamp) if that is given:
    `revision_reason` says why. No digest has it: it decides which source is deployed, and not from what record.
    """

    id: str
    type: str
    account: str
    region: str
    size: str = Size.SMALL.value
    tags: tuple[tuple[str, str], ...] = ()
    ring: str = ""
    state: str = Wanted.ACTIVE.value
    allow_move: bool = False
    standby_region: str = ""
    tier: str = ""
    parameters: tuple[tuple[str, str], ...] = ()
    external_id: str = ""
    revision: str = ""
    revision_reason: str = ""
    revision_until: str = ""
    allow_adopt: str = ""

    def unpinned(self) -> DeploymentRecord:
        """The record without its pin."""
        return replace(self, revision="", revision_reason="", revision_until="")

    @property
    def places(self) -> tuple[tuple[str, str], ...]:
        """Account and Region of each place where the component is to stand, the primary first."""
        return tuple((self.account, region) for region in (self.region, self.standby_region) if region)

    def matches(self, patterns: Mapping[str, str]) -> bool:
        """Whether tier, region and type are as the patterns have them, each that is given; without any, no."""
        if not patterns:
            return False
        said = {"tier": self.tier, "region": self.region, "type": self.type}
        return all(fnmatchcase(said.get(key, ""), one) for key, one in patterns.items())

    def digest(self) -> str:
        """Fingerprint of everything that decides what is deployed; the same wish has the same digest.

        An optional field counts when it is given: a new one leaves the digests of older rows as they are.
        """
        decides: dict[str, Any] = {"id": self.id, "type": self.type, "account": self.account, "region": self.region}
        if self.size != Size.SMALL or self.tier:
            decides["size"] = self.size
        if self.tags:
            decides["tags"] = self.tags
        if self.standby_region:
            decides["standby_region"] = self.standby_region
        if self.tier:
            decides["tier"] = self.tier
        if self.parameters:
            decides["parameters"] = self.parameters
        return hashlib.sha256(json.dumps(decides, sort_keys=True).encode()).hexdigest()[:32]


@dataclass(frozen=True, kw_only=True)
class InvalidRow:
    """A row that cannot be acted on, with every reason, each written for the person who put the row.

    `state` is what the row asks for all the same; empty when it names no state, or one that there is not.
    """

    id: str
    reasons: tuple[str, ...]
    state: str = ""

    @property
    def reason(self) -> str:
        return "; ".join(self.reasons)


def parse_row(row: Mapping[str, Any], policy: TargetPolicy, *, now: str = "") -> DeploymentRecord | InvalidRow:
    """Read a row of the deployments table (already deserialized); attributes that are not ours are left alone.

    A pin that is over at the moment `now` (a stamp) is none; without a moment, none is over.
    """
    reasons = [
        *rules.id_reasons(row.get("id", rules.MISSING)),
        *rules.one_of_reasons("type", row.get("type", rules.MISSING), DEPLOYMENT_TYPES),
        *rules.account_reasons(row.get("account", rules.MISSING), policy),
        *rules.region_reasons(row.get("region", rules.MISSING), policy),
        *rules.one_of_reasons("size", row.get("size"), tuple(Size), optional=True),
        *rules.one_of_reasons("state", row.get("state"), tuple(Wanted), optional=True),
        *rules.tags_reasons(row.get("tags")),
        *rules.ring_reasons(row.get("ring"), policy),
        *rules.move_reasons(row.get("allow_move")),
        *rules.adopt_reasons(row.get("allow_adopt")),
        *rules.standby_reasons(row.get("standby_region"), row.get("region"), policy),
        *said.tier_reasons(row, policy),
        *said.parameters_reasons(row, policy),
        *said.external_id_reasons(row.get("external_id")),
        *rules.pin_reasons(*_pin(row)),
    ]
    if reasons:
        return InvalidRow(id=name_of(row), reasons=tuple(reasons), state=_state_of(row))
    record = DeploymentRecord(
        id=row["id"],
        type=row["type"],
        account=row["account"],
        region=row["region"],
        size=row.get("size") or ("" if row.get("tier") else Size.SMALL.value),
        tags=tuple(sorted((row.get("tags") or {}).items())),
        ring=row.get("ring") or said.tier_of(row, policy).ring,
        state=row.get("state") or Wanted.ACTIVE.value,
        allow_move=row.get("allow_move") or False,
        standby_region=row.get("standby_region") or "",
        tier=row.get("tier") or "",
        parameters=tuple(sorted((row.get("parameters") or {}).items())),
        external_id=row.get("external_id") or "",
        revision=row.get("revision") or "",
        revision_reason=row.get("revision_reason") or "",
        revision_until=rules.moment_of(row.get("revision_until") or ""),
        allow_adopt=consent_of(row.get("allow_adopt")),
    )
    return record if pin_of(row, now) else record.unpinned()


def pin_of(row: Mapping[str, Any], now: str) -> str:
    """The revision that a row pins at the moment `now` (a stamp), whatever else is wrong with it; empty: none."""
    revision, _, until = _pin(row)
    if rules.pin_reasons(*_pin(row)) or (until and rules.moment_of(until) <= now):
        return ""
    return revision or ""


def _pin(row: Mapping[str, Any]) -> tuple[Any, Any, Any]:
    return row.get("revision"), row.get("revision_reason"), row.get("revision_until")


def in_words(places: Sequence[tuple[str, str]]) -> str:
    """Places of one deployment, as people read them."""
    account, region = places[0]
    standby = "".join(f" with a standby in {place[1]}" for place in places[1:])
    return f"account {account}, {region}{standby}"


def name_of(item: Mapping[str, Any]) -> str:
    """The id that a row or another item says it has; empty when it says none, which no table takes."""
    return name if isinstance(name := item.get("id"), str) else ""


def _state_of(row: Mapping[str, Any]) -> str:
    return next((state.value for state in Wanted if state == row.get("state")), "")
