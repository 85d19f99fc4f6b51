"""Asking, before anything is synthesized, whether the quotas have room for new deployments, and for moves."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from buildspecs.saas.provision.quotas import Demand, Pool, QuotaCheck, Room, Unreadable, refusals
from lambdas.saas.model.record import DeploymentRecord


class Usage(Protocol):
    """Port to what accounts allow and use."""

    def room(self, pool: Pool) -> Room | Unreadable: ...


@dataclass(frozen=True, kw_only=True)
class Preflight:
    """Compares new deployments with the quotas; what it admitted counts when it is asked again."""

    usage: Usage
    demand: Demand
    check: QuotaCheck
    say: Callable[[str], None]
    _admitted: dict[str, DeploymentRecord] = field(default_factory=dict, init=False)
    _moving: set[str] = field(default_factory=set, init=False)

    def refusals(self, records: Sequence[DeploymentRecord], moving: Collection[str] = ()) -> dict[str, str]:
        """Tell why deployments must not be provisioned, by id: those without a pipeline yet, and those `moving`."""
        if self.check is QuotaCheck.OFF or not records:
            return {}
        asked = {record.id for record in records}
        before = [record for record in self._admitted.values() if record.id not in asked]
        taken = self.demand.total(before, moving=self._moving)
        pools = dict.fromkeys(pool for one in records for pool in self.demand.of(one, moving=one.id in moving))
        rooms = {pool: self.usage.room(pool) for pool in pools}
        refused = refusals(records, demand=self.demand, rooms=rooms, taken=taken, moving=moving)
        if self.check is QuotaCheck.WARN:
            for deployment_id, reason in refused.items():
                self.say(f"{deployment_id}: provisioned all the same: {reason}")
            refused = {}
        self._admitted.update({record.id: record for record in records if record.id not in refused})
        self._moving.difference_update(asked)
        self._moving.update(moving)
        return refused
