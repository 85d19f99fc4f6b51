"""Writing rows as people do with update-item: an attribute of a row that exists, and nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cli.saas.details import PIN
from cli.saas.pinning import Pinned
from lambdas.common import dynamo
from lambdas.common.clock import stamp
from lambdas.saas.model.record import Wanted

_EXISTS = "attribute_exists( #id )"


@dataclass(frozen=True, kw_only=True)
class RowWriter:
    """The deployments table in DynamoDB; a write answers False when there is no row."""

    client: Any
    table: str

    def want(self, deployment_id: str, state: Wanted) -> bool:
        """Set what the row asks for; the rest of it stays as it is."""
        return self._set(deployment_id, state=str(state))

    def touch(self, deployment_id: str, *, now: datetime) -> bool:
        """Change an attribute that means nothing, so that the row is looked at again: an unchanged row is no event."""
        return self._set(deployment_id, touched_at=stamp(now))

    def pin(self, deployment_id: str, pinned: Pinned) -> bool:
        """Set what the row pins; False, too, when the row is to be retired."""
        return dynamo.update(
            self.client,
            table=self.table,
            key=deployment_id,
            sets=pinned.attributes,
            removes=pinned.gone,
            condition=f"{_EXISTS} AND NOT #state = :retired",
            values={"retired": str(Wanted.RETIRED)},
        )

    def unpin(self, deployment_id: str) -> bool:
        """Have the row pin nothing."""
        return dynamo.update(self.client, table=self.table, key=deployment_id, sets={}, removes=PIN, condition=_EXISTS)

    def adopt(self, deployment_id: str, consent: str | bool) -> bool:
        """Set the consent to taking over stacks: the digest of a plan, or true."""
        return self._set(deployment_id, allow_adopt=consent)

    def _set(self, deployment_id: str, **attributes: str | bool) -> bool:
        return dynamo.update(self.client, table=self.table, key=deployment_id, sets=attributes, condition=_EXISTS)
