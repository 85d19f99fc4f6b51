"""What a component declares stateful, in the outputs of its stacks: the contract between templates and archives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

# The keys of such outputs begin so; their values are `<kind>:<name>`.
STATEFUL_PREFIX = "Stateful"
# What can be archived; a bucket is kept itself.
STATEFUL_KINDS = frozenset({"dynamodb-table", "rds-cluster", "rds-instance", "s3-bucket"})


@dataclass(frozen=True, kw_only=True)
class Stateful:
    """Something of a component that holds data: a kind (`dynamodb-table`) and a physical name."""

    kind: str
    name: str

    @classmethod
    def from_outputs(cls, outputs: Mapping[str, str]) -> tuple[Stateful, ...]:
        """Read the outputs of a stack, in the order of their keys."""
        values = (value.partition(":") for key, value in sorted(outputs.items()) if key.startswith(STATEFUL_PREFIX))
        return tuple(cls(kind=kind, name=name) for kind, _, name in values)
