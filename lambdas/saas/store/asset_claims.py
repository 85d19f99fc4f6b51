"""Claims of assets that are being published, in the releases table: all of a build's, or none."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from lambdas.common import dynamo
from lambdas.common.transactions import transact
from lambdas.saas.model.assets import Claim

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
        """Read those that there are; one that is spoilt is void."""
        found = dynamo.get_many(self.client, table=self.name, keys=keys)
        return {one["id"]: _read(one) for one in found}

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


def _read(item: Mapping[str, Any]) -> Claim:
    by, since, build = (str(item.get(name, "")) for name in ("claimed_by", "claimed_at", "build"))
    return Claim(by=by, since=since, build=build)


def _condition(was: Claim | None) -> dict[str, Any]:
    if was is None:
        return {"condition": "attribute_not_exists( #id )"}
    return {"condition": _HELD, "values": {"was_by": was.by, "was_at": was.since}}
