"""Which execution tells how a deployment stands, and which one how a release went; pure.

Executions are queued: one that waits behind an execution that fails has begun before that is rolled back, and may end
before the rollback or after it. So the execution that began last is not always the one that tells.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import dropwhile, islice, takewhile

from lambdas.saas.pipeline_watch.executions import OVERTAKEN, UNDER_WAY, Execution


class Recent:
    """A pipeline's executions, newest first: each is read once, and only when somebody looks that far."""

    def __init__(self, executions: Iterable[Execution]) -> None:
        self._unread = iter(executions)
        self._read: list[Execution] = []

    def __iter__(self) -> Iterator[Execution]:
        position = 0
        while position < len(self._read) or self._read_on():
            yield self._read[position]
            position += 1

    def newer_than(self, execution_id: str) -> Iterator[Execution]:
        """Those that began after an execution; all of them when it is not there."""
        return takewhile(lambda one: one.id != execution_id, self)

    def older_than(self, execution_id: str) -> Iterator[Execution]:
        """Those that began before an execution; none when it is not there."""
        return islice(dropwhile(lambda one: one.id != execution_id, self), 1, None)

    def since(self, execution_id: str) -> list[Execution]:
        """Those that began after an execution, and then itself; empty when it is not there."""
        found: list[Execution] = []
        for one in self:
            found.append(one)
            if one.id == execution_id:
                return found
        return []

    def _read_on(self) -> bool:
        one = next(self._unread, None)
        if one is not None:
            self._read.append(one)
        return one is not None


def telling(recent: Recent) -> Execution | None:
    """The execution that tells how the deployment stands; None when there is none.

    That is the newest one, but an automated rollback is passed over when an execution that is newer than the one that
    it rolled back is under way, or has ended after it.
    """
    return next((one for one in recent if not _passed_over(one, recent)), None)


def answering(recent: Recent, own_id: str) -> Execution | None:
    """The execution whose end is a release's; None while there is no such end, and when its own is not listed.

    It is the one that the release has started, or a later one: self-mutation ends the first and starts another. The
    rollback of an execution from before the release is neither, whenever it ends.
    """
    since = recent.since(own_id)
    if not since or since[-1].status in UNDER_WAY:
        return None
    known = {one.id for one in since}
    told = telling(Recent(one for one in since if not one.failed_id or one.failed_id in known))
    return None if told is None or told.status in UNDER_WAY | OVERTAKEN else told


def _passed_over(one: Execution, recent: Recent) -> bool:
    if not one.failed_id:
        return False
    newer_than_failed = takewhile(lambda other: other.id != one.failed_id, recent.older_than(one.id))
    return any(_has_the_last_word(other, one) for other in newer_than_failed if not other.rollback)


def _has_the_last_word(other: Execution, rollback: Execution) -> bool:
    if other.status in UNDER_WAY:
        return True
    return rollback.status not in UNDER_WAY and other.updated > rollback.updated
