"""What rows may name; pure."""

from __future__ import annotations

from dataclasses import dataclass

from lambdas.common.versioned_json import Text


@dataclass(frozen=True, kw_only=True)
class TargetPolicy(Text):
    """What rows may name: the accounts (None: any, the organization's policies decide), Regions and release rings.

    `home` is the toolchain's account, which rows may name only if it is among the accounts.
    """

    partition: str
    regions: frozenset[str]
    accounts: frozenset[str] | None
    rings: tuple[str, ...] = ()
    home: str = ""
