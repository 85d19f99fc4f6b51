"""Which files are the users', and which of a merge are whose; pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase

# Whoever adopts Granary changes these; all others are upstream's.
ZONE = (
    "component/*",
    "tests/component/*",
    "config/*.txt",
    "config/*.yaml",
    "config/datasets/*",
    "config/policies/people/*",
    "config/policies/workload-execution.json",
    "config/schema/workloads.schema.json",
    "cdk.context.json",
)
# `*` of a pattern stands for folders, too.
_NOT = ("config/examples/*",)


@dataclass(frozen=True, kw_only=True)
class Change:
    """How many lines of a file upstream has added and removed since the last merge; of binaries none are counted."""

    path: str
    added: int
    removed: int


@dataclass(frozen=True, kw_only=True)
class Upgrade:
    """What a merge of upstream would bring.

    `outside` is what it changes outside the zone, `both` what it and we have changed: those may conflict.
    """

    outside: tuple[Change, ...]
    both: tuple[str, ...]


def in_zone(path: str) -> bool:
    """Whether a file is the users'."""
    return any(fnmatchcase(path, one) for one in ZONE) and not any(fnmatchcase(path, one) for one in _NOT)


def upgrade(theirs: Mapping[str, Change], ours: Collection[str]) -> Upgrade:
    """Sort what upstream has changed since the last merge, given what we have."""
    outside = tuple(change for path, change in sorted(theirs.items()) if not in_zone(path))
    return Upgrade(outside=outside, both=tuple(sorted(theirs.keys() & set(ours))))
