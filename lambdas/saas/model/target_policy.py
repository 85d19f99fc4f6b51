"""What rows may name; pure."""

from __future__ import annotations

import json
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class TargetPolicy:
    """What rows may name: the accounts (None: any, the organization's policies decide), Regions and release rings."""

    partition: str
    regions: frozenset[str]
    accounts: frozenset[str] | None
    rings: tuple[str, ...] = ()

    @classmethod
    def from_json(cls, text: str) -> TargetPolicy:
        """Read what `to_json` wrote."""
        data = json.loads(text)
        accounts = data["accounts"]
        return cls(
            partition=data["partition"],
            regions=frozenset(data["regions"]),
            accounts=None if accounts is None else frozenset(accounts),
            rings=tuple(data.get("rings", ())),
        )

    def to_json(self) -> str:
        """Write the policy for an environment variable."""
        accounts = None if self.accounts is None else sorted(self.accounts)
        return json.dumps(
            {
                "partition": self.partition,
                "regions": sorted(self.regions),
                "accounts": accounts,
                "rings": list(self.rings),
            }
        )
