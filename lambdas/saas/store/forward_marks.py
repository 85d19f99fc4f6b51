"""Writing down in a status that a task has run after which nothing leads back."""

from __future__ import annotations

from dataclasses import dataclass

from lambdas.common import dynamo
from lambdas.common.versioned_json import plain
from lambdas.saas.model.status import ForwardOnly
from lambdas.saas.store.tables import StatusReader


@dataclass(frozen=True, kw_only=True)
class ForwardMarks(StatusReader):
    """The status table, for what runs tasks."""

    def keep(self, deployment_id: str, mark: ForwardOnly) -> bool:
        """Keep the newest of them; False when the deployment is gone. Nobody else writes this attribute."""
        sets = {"forward_only": plain(mark)}
        return dynamo.update(
            self.client, table=self.name, key=deployment_id, sets=sets, condition="attribute_exists( #id )"
        )
