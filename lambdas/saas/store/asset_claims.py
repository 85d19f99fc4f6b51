"""Claims of assets that are being published, in the releases table: all of a build's, or none."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from lambdas.common import dynamo
from lambdas.common.clock import moment
from lambdas.common.transactions import transact
from lambdas.saas.model.assets import Claim

# CodeBuild refuses a question about ids of which one is none.
_BUILD = re.compile(r"([\w-]+:[\w-]+)?", re.ASCII)
_HELD = "#claimed_by = :was_by AND #claimed_at = :was_at"


class AssetClaims(Protocol):
    """Port to the claims; `take` and `note` answer whether nobody has been at any of them since they were read."""

    def get(self, keys: Sequence[str]) -> Mapping[str, Claim]: ...
    def take(self, keys: Sequence[str], claim: Claim, was: Mapping[str, Claim]) -> bool: ...
    def note(self, keys: Sequence[str], claim: Claim, build: str) -> bool: ...
    def give_back(self, keys: Iterable[str], *, by: str) -> None: ...


@dataclass(frozen=True, kw_only=True)
class AssetClaimsTable:
    """The releases table in DynamoDB."""

    client: Any
    name: str

    def get(self, keys: Sequence[str]) -> Mapping[str, Claim]:
        """Read those that there are; one that somebody has spoilt is deleted, or it would bar everybody."""
        claims: dict[str, Claim] = {}
        for item in dynamo.get_many(self.client, table=self.name, keys=keys):
            if claim := _read(item):
                claims[item["id"]] = claim
            else:
                dynamo.delete(self.client, table=self.name, key=item["id"], **_as_it_was(item))
        return claims

    def take(self, keys: Sequence[str], claim: Claim, was: Mapping[str, Claim]) -> bool:
        """Claim them in the place of the claims that were read."""
        sets = {"claimed_by": claim.by, "claimed_at": claim.since, "build": claim.build}
        return self._all(
            dynamo.update_request(table=self.name, key=key, sets=sets, **_condition(was.get(key))) for key in keys
        )

    def note(self, keys: Sequence[str], claim: Claim, build: str) -> bool:
        """Write which build has begun."""
        return self._all(
            dynamo.update_request(table=self.name, key=key, sets={"build": build}, **_condition(claim)) for key in keys
        )

    def give_back(self, keys: Iterable[str], *, by: str) -> None:
        """Delete what somebody has claimed; other claims stay."""
        for key in keys:
            condition, values = "#claimed_by = :was_by", {"was_by": by}
            dynamo.delete(self.client, table=self.name, key=key, condition=condition, values=values)

    def _all(self, updates: Iterable[Mapping[str, Any]]) -> bool:
        return transact(self.client, [{"Update": one} for one in updates]) is None


def _read(item: Mapping[str, Any]) -> Claim | None:
    by, since, build = (item.get(name, "") for name in ("claimed_by", "claimed_at", "build"))
    try:
        moment(since)
        whole = isinstance(by, str) and by and _BUILD.fullmatch(build)
    except (OverflowError, TypeError, ValueError):
        return None
    return Claim(by=by, since=since, build=build) if whole else None


def _as_it_was(item: Mapping[str, Any]) -> dict[str, Any]:
    names = [name for name in ("id", "claimed_by", "claimed_at", "build") if name in item]
    return {
        "condition": " AND ".join(f"#{name} = :was_{name}" for name in names),
        "values": {f"was_{name}": item[name] for name in names},
    }


def _condition(was: Claim | None) -> dict[str, Any]:
    if was is None:
        return {"condition": "attribute_not_exists( #id )"}
    return {"condition": _HELD, "values": {"was_by": was.by, "was_at": was.since}}
