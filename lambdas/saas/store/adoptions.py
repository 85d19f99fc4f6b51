"""The part of the status table that is about taking over stacks; builds write it, under their claim."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Protocol

from lambdas.saas.model.adoption import AdoptionPlan
from lambdas.saas.model.status import Phase, StackRef
from lambdas.saas.store.status_writes import write_status


class TellsAdoptions(Protocol):
    """Port to that part."""

    def adoption_waits(
        self, deployment_id: str, *, build_id: str, reason: str, plan: AdoptionPlan, now: datetime
    ) -> bool: ...
    def adopts(self, deployment_id: str, *, build_id: str, stacks: tuple[StackRef, ...], now: datetime) -> bool: ...


class Adoptions:
    """That part of the table in DynamoDB."""

    client: Any
    name: str

    def adoption_waits(
        self, deployment_id: str, *, build_id: str, reason: str, plan: AdoptionPlan, now: datetime
    ) -> bool:
        """Give the claim back with the plan that a person has to agree to; the sweep looks whether it has changed."""
        return write_status(
            self.client,
            table=self.name,
            deployment_id=deployment_id,
            now=now,
            condition="#claimed_by = :build_id",
            values={"build_id": build_id},
            removes=("claimed_by", "claim_expires_at", "execution_url"),
            phase=Phase.FAILED,
            reason=reason,
            retry=True,
            adoption=plan,
        )

    def adopts(self, deployment_id: str, *, build_id: str, stacks: tuple[StackRef, ...], now: datetime) -> bool:
        """Say, before the pipeline is made, which stacks it takes over."""
        return write_status(
            self.client,
            table=self.name,
            deployment_id=deployment_id,
            now=now,
            condition="#claimed_by = :build_id",
            values={"build_id": build_id},
            removes=("adoption",),
            adopted=stacks,
        )
