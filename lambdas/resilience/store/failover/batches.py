"""Batches of changes, written to Route 53 as far as it takes them; what is refused holds up nothing else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from botocore.exceptions import ClientError

from lambdas.common.aws_errors import code_of
from lambdas.common.isolation import fault
from lambdas.resilience.model.failover.packing import Batch
from lambdas.resilience.store.failover.dns import Dns

# What Route 53 has against records of a request, and not against the request.
_OF_RECORDS = frozenset({"InvalidChangeBatch", "InvalidInput", "NoSuchHealthCheck"})


@dataclass(kw_only=True)
class Batches:
    """One round, while `in_time`, or until it has come to something: no round is in vain, however long reading takes.

    Before each turn of the zones it looks whether what it is to write is still `current`.
    `changes` has the last change of each zone, `written` the names whose records it wrote, and `waiting` what Route 53
    was too busy for, or the round too short.
    """

    dns: Dns
    comment: str
    in_time: Callable[[], bool]
    may_write: bool = True
    current: Callable[[], bool] = lambda: True
    changes: dict[str, str] = field(default_factory=dict)
    written: list[str] = field(default_factory=list)
    waiting: list[Batch] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)

    def finish(self) -> None:
        """Write what waits, until it is written or the time is over."""
        while self.waiting and self.may_write and self.in_time():
            self.write()

    def write(self) -> None:
        """Try one batch of each zone: Route 53 is busy with it then."""
        self.may_write = self.may_write and (not self.waiting or self.current())
        left, busy = list[Batch](), set[str]()
        for batch in self.waiting:
            is_tried = self.may_write and batch.zone not in busy and not self.is_over()
            busy.add(batch.zone)
            left += self._remains(batch) if is_tried else [batch]
        self.waiting = left

    def is_over(self) -> bool:
        """Whether the time is over, and the round has come to something."""
        return not self.in_time() and bool(self.changes or self.refused)

    def _remains(self, batch: Batch) -> list[Batch]:
        """What is left of a batch: all of it, nothing, or the halves of one that was refused."""
        try:
            change = self.dns.change(batch, comment=self.comment)
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
