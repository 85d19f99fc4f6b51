"""Writing the records of a group as the table says, zone by zone; what is refused holds up nothing else."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from botocore.exceptions import ClientError

from lambdas.common.aws_errors import code_of
from lambdas.common.isolation import fault
from lambdas.resilience.failover.region import Region
from lambdas.resilience.model.failover.catalogue import Group
from lambdas.resilience.model.failover.packing import Batch, pack
from lambdas.resilience.model.failover.placement import Placement

# What Route 53 has against records of a request, and not against the request.
_OF_RECORDS = frozenset({"InvalidChangeBatch", "InvalidInput", "NoSuchHealthCheck"})


@dataclass(kw_only=True)
class Writing:
    """One round, while `in_time`, or until it has come to something: no round is in vain, however long reading takes.

    `changes` has the last change of each zone, `written` the names whose records it wrote, and `waiting` what Route 53
    was too busy for, or the round too short.
    """

    region: Region
    comment: str
    in_time: Callable[[], bool]
    may_write: bool = True
    changes: dict[str, str] = field(default_factory=dict)
    written: list[str] = field(default_factory=list)
    waiting: list[Batch] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)

    def run(self, group: Group, placement: Placement, names: Sequence[str] | None = None) -> None:
        """Write the records of a group, or of some of its applications, that differ."""
        for zone, applications in self.region.zones(group, names).items():
            if self._is_over():
                self.unread.append(zone)
                continue
            try:
                found = self.region.differing(zone, applications, placement)
            except ClientError as error:
                self.refused.append(f"zone {zone} cannot be read: {fault(error)}")
                continue
            self.missing += found.missing
            self.waiting += pack(found.changes)
            self._write()
        while self.waiting and self.may_write and self.in_time():
            self._write()

    def left(self) -> list[str]:
        """What is not as the table says, and why."""
        found = [*self.refused, *(f"there are no records of {name}: deploy their stack" for name in self.missing)]
        if self.waiting and self.may_write:
            found.append(f"{len(self.waiting)} changes of records are still to be made")
        return found + ([f"zones {', '.join(self.unread)} are still to be read"] if self.unread else [])

    def _is_over(self) -> bool:
        return not self.in_time() and bool(self.changes or self.refused)

    def _write(self) -> None:
        """Try one batch of each zone: Route 53 is busy with it then."""
        left, busy = list[Batch](), set[str]()
        for batch in self.waiting:
            is_tried = self.may_write and batch.zone not in busy and not self._is_over()
            busy.add(batch.zone)
            left += self._remains(batch) if is_tried else [batch]
        self.waiting = left

    def _remains(self, batch: Batch) -> list[Batch]:
        """What is left of a batch: all of it, nothing, or the halves of one that was refused."""
        try:
            change = self.region.dns.change(batch, comment=self.comment)
        except ClientError as error:
            halves = batch.halves() if code_of(error) in _OF_RECORDS else []
            if not halves:
                self.refused.append(f"{', '.join(batch.names[:5])} cannot be written: {fault(error)}")
            return halves
        if change is None:
            return [batch]
        self.changes[batch.zone] = change
        self.written += batch.names
        return []
