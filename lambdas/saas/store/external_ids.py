"""Writing what others call a deployment, which starts nothing: no digest has it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from lambdas.saas.model.record import DeploymentRecord
from lambdas.saas.store.status_writes import write_status


@dataclass(frozen=True, kw_only=True)
class ExternalIds:
    """The status table, as far as it repeats the row's external id."""

    client: Any
    name: str

    def called(self, record: DeploymentRecord, *, now: datetime) -> bool:
        """Say what others call the deployment now; False when it is not known (any more)."""
        external_id = {"external_id": record.external_id} if record.external_id else {}
        return write_status(
            self.client,
            table=self.name,
            deployment_id=record.id,
            now=now,
            condition="attribute_exists( #id )",
            removes=() if external_id else ("external_id",),
            **external_id,
        )
