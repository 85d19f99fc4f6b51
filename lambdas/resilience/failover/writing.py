"""Writing the records of a group as the table says, zone by zone; what is refused holds up nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from botocore.exceptions import ClientError

from lambdas.common.isolation import fault
from lambdas.resilience.failover.region import Region
from lambdas.resilience.model.failover.catalogue import Group
from lambdas.resilience.model.failover.packing import pack
from lambdas.resilience.model.failover.placement import Placement
from lambdas.resilience.store.failover.batches import Batches


@dataclass(kw_only=True)
class Writing(Batches):
    """The batches of one round; applications that are `missing` have no records, and `unread` zones are still to be."""

    region: Region
    missing: list[str] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)

    def run(self, group: Group, placement: Placement, names: Sequence[str] | None = None) -> None:
        """Write the records of a group, or of some of its applications, that differ."""
        for zone, applications in self.region.zones(group, names).items():
            if self.is_over():
                self.unread.append(zone)
                continue
            try:
                found = self.region.differing(zone, applications, placement)
            except ClientError as error:
                self.refused.append(f"zone {zone} cannot be read: {fault(error)}")
                continue
            self.missing += found.missing
            self.waiting += pack(found.changes)
            self.write()
        self.finish()

    def left(self) -> list[str]:
        """What is not as the table says, and why."""
        found = [*self.refused, *(f"there are no records of {name}: deploy their stack" for name in self.missing)]
        if self.waiting and self.may_write:
            found.append(f"{len(self.waiting)} changes of records are still to be made")
        return found + ([f"zones {', '.join(self.unread)} are still to be read"] if self.unread else [])
