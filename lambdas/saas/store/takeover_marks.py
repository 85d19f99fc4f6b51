"""The part of the status table that is about taking over what a standing tenant's pipeline has met, under no claim.

Whoever holds the tenant has started the pipeline, and waits for it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from lambdas.saas.model.adoption import AdoptionPlan
from lambdas.saas.model.status import StackRef, Status
from lambdas.saas.store.status_writes import write_status
from lambdas.saas.store.tables import StatusReader

_THERE = "attribute_exists( #id )"


@dataclass(frozen=True, kw_only=True)
class TakeoverMarks(StatusReader):
    """The status table, for what asks before a stage deploys."""

    def show(self, status: Status, plan: AdoptionPlan | None, *, now: datetime) -> None:
        """Keep the plan that a person has to agree to; with None, none waits any longer."""
        if plan:
            self._write(status.id, now, adoption=plan)
        elif status.adoption:
            self._write(status.id, now, removes=("adoption",))

    def took_over(self, status: Status, stacks: tuple[StackRef, ...], *, now: datetime) -> None:
        """Say, before they are deployed, which stacks are taken over, besides those that were."""
        adopted = tuple(dict.fromkeys((*status.adopted, *stacks)))
        self._write(status.id, now, removes=("adoption",), adopted=adopted)

    def _write(self, deployment_id: str, now: datetime, **what: object) -> None:
        write_status(self.client, table=self.name, deployment_id=deployment_id, now=now, condition=_THERE, **what)
