"""What the factory has observed of a deployment: one item of the status table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum
from typing import Any


class Phase(StrEnum):
    """Where a deployment stands."""

    PENDING = "PENDING"
    PROVISIONING = "PROVISIONING"
    ACTIVE = "ACTIVE"
    UPDATING = "UPDATING"
    FAILED = "FAILED"
    INVALID = "INVALID"


@dataclass(frozen=True, kw_only=True)
class StackRef:
    """A stack that belongs to a deployment: its id, and where it is. `kind` is `pipeline` or `component`."""

    kind: str
    stack_id: str
    account: str
    region: str


@dataclass(frozen=True, kw_only=True)
class Observation:
    """What an execution of a tenant's pipeline tells; an empty `revision` or `stacks` leaves what is known as it is."""

    phase: Phase
    reason: str = ""
    execution_id: str = ""
    execution_url: str = ""
    revision: str = ""
    stacks: tuple[StackRef, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Status:
    """The observed state of one deployment.

    `wanted_digest` and `applied_digest` are digests of records: what was last wished for, and what the pipeline was
    last provisioned with. A build that works on the deployment holds a claim until `claim_expires_at`. `retry` says
    that the sweep may try a FAILED deployment again. `observed_at` is when the look at the pipeline began that the
    execution is known from. Times are ISO 8601 in UTC.
    """

    id: str
    phase: Phase
    reason: str = ""
    type: str = ""
    account: str = ""
    region: str = ""
    wanted_digest: str = ""
    applied_digest: str = ""
    revision_wanted: str = ""
    revision_deployed: str = ""
    build_id: str = ""
    execution_id: str = ""
    execution_url: str = ""
    claimed_by: str = ""
    claim_expires_at: str = ""
    retry: bool = False
    row_removed: bool = False
    attempts: int = 0
    updated_at: str = ""
    observed_at: str = ""
    pipeline_stack: StackRef | None = None
    component_stacks: tuple[StackRef, ...] = field(default=())

    @classmethod
    def from_item(cls, item: Mapping[str, Any]) -> Status:
        """Read an item (already deserialized); attributes of later versions are left alone."""
        known = {f.name for f in fields(cls)}
        values = {name: value for name, value in item.items() if name in known}
        values["phase"] = Phase(item["phase"])
        values["attempts"] = int(item.get("attempts", 0))
        values["pipeline_stack"] = StackRef(**item["pipeline_stack"]) if item.get("pipeline_stack") else None
        values["component_stacks"] = tuple(StackRef(**stack) for stack in item.get("component_stacks", ()))
        return cls(**values)

    def claimed_at(self, now: str) -> bool:
        """Whether a build holds the deployment at the moment `now` (a stamp)."""
        return bool(self.claimed_by) and self.claim_expires_at > now
