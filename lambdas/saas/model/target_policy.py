"""What rows may name; pure."""

from __future__ import annotations

from dataclasses import dataclass

from lambdas.common.versioned_json import read_text, write_text


@dataclass(frozen=True, kw_only=True)
class TargetPolicy:
    """What rows may name: the accounts (None: any, the organization's policies decide), Regions and release rings.

    `home` is the toolchain's account, which rows may name only if it is among the accounts.
    """

    partition: str
    regions: frozenset[str]
    accounts: frozenset[str] | None
    rings: tuple[str, ...] = ()
    home: str = ""

    @classmethod
    def from_json(cls, text: str) -> TargetPolicy:
        """Read what `to_json` wrote; raises ValueError for anything else."""
        return read_text(cls, text)

    def to_json(self) -> str:
        """Write the policy, for a function's package."""
        return write_text(self)
