"""What a component declares stateful, in outputs of its stacks: a contract of templates and archives; pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

# The keys of such outputs begin so; their values are `<kind>:<name>`.
STATEFUL_PREFIX = "Stateful"
# What can be archived; a bucket is kept itself.
STATEFUL_KINDS = frozenset({"dynamodb-table", "rds-cluster", "rds-instance", "s3-bucket"})
# https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-attribute-deletionpolicy.html
_RETAINS = frozenset({"Retain", "RetainExceptOnCreate"})


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


def retains_bucket(template: Mapping[str, Any], name: Any) -> bool:
    """Whether a bucket outlives the stack of a template; `name` is its name, or the expression in its place.

    Most names are known when they are deployed only. Without a bucket of that very name, each that may have it counts,
    and a template with none retains none.
    """
    buckets = {key: one for key, one in template.get("Resources", {}).items() if one.get("Type") == "AWS::S3::Bucket"}
    names = {key: one.get("Properties", {}).get("BucketName") for key, one in buckets.items()}
    exact = [key for key in buckets if name in (names[key], {"Ref": key})]
    possible = [key for key in buckets if not (isinstance(names[key], str) and isinstance(name, str))]
    candidates = exact or possible
    return bool(candidates) and all(buckets[key].get("DeletionPolicy") in _RETAINS for key in candidates)
