"""What rows may name; pure."""

from __future__ import annotations

from dataclasses import dataclass, field

from lambdas.common.versioned_json import Text
from lambdas.saas.model.declared import Parameter, Tier


@dataclass(frozen=True, kw_only=True)
class TargetPolicy(Text):
    """What rows may name: the accounts (None: any, the organization's policies decide), Regions, release rings,
    parameters and tiers.

    `home` is the toolchain's account, which rows may name only if it is among the accounts.
    """

    partition: str
    regions: frozenset[str]
    accounts: frozenset[str] | None
    rings: tuple[str, ...] = ()
    home: str = ""
    parameters: dict[str, Parameter] = field(default_factory=dict)
    tiers: dict[str, Tier] = field(default_factory=dict)
