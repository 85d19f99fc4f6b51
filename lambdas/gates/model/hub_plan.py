"""What a report changes in Security Hub: what is new, what is there already, what is gone, what came back; pure.

Gone is what a complete report does not name, and what a tool says has passed. A partial report archives nothing else.
A finding that a later report was about is left alone: reports may arrive twice, and in any order. What comes twice, or
is done again because the first time failed midway, is told as it was the first time.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from enum import Enum

from lambdas.common.clock import moment, stamp
from lambdas.common.evidence.finding import Finding, State
from lambdas.common.evidence.kept_report import Head, Unread
from lambdas.gates.model.asff import Asff, Hub, Known, Writer, archived


class Change(Enum):
    """What happens to a finding."""

    NEW = "new"
    UPDATED = "updated"
    REOPENED = "reopened"
    ARCHIVED = "archived"


class Plan:
    """The plan for one report, in three steps: what it names, then what Security Hub has, then what to send.

    `changes` says of each finding that is to be sent what that is; `unread` what of the report is not understood.
    """

    def __init__(self, hub: Hub, head: Head) -> None:
        self._head = head
        self._writer = Writer(hub, head)
        self._created = stamp(moment(head.created))
        self._open: set[str] = set()
        self._passed: set[str] = set()
        self._known: dict[str, Known] = {}
        self.changes: dict[str, Change] = {}
        self.unread: list[Unread] = []

    def name(self, report: Iterable[Finding | Unread]) -> None:
        """Take note of what the report names."""
        for one in report:
            if isinstance(one, Unread):
                self.unread.append(one)
            else:
                (self._open if one.state is State.OPEN else self._passed).add(self._writer.name(one))

    def look(self, there: Iterable[Asff]) -> Iterator[Asff]:
        """Take note of what Security Hub has, and give what is gone as it is to be sent."""
        complete = self._head.complete and not self.unread
        for one in there:
            known, name = Known.of(one), str(one["Id"])
            if known.updated > self._created:
                self._open.discard(name)
            elif name in self._open:
                self._known[name] = known
            elif (known.active or known.updated == self._created) and (complete or name in self._passed):
                self.changes[name] = Change.ARCHIVED
                if known.active:
                    yield archived(one, created=self._created)

    def sent(self, report: Iterable[Finding | Unread]) -> Iterator[Asff]:
        """What the report holds open, as it is to be sent; each finding once."""
        for one in report:
            if isinstance(one, Unread) or (name := self._writer.name(one)) not in self._open:
                continue
            self._open.discard(name)
            known = self._known.pop(name, None)
            self.changes[name] = _change(known, self._created)
            yield self._writer.written(one, name=name, known=known)

    def counts(self, refused: Iterable[str]) -> dict[str, int]:
        """How many of each change were made: all that are planned, but for those that were refused."""
        out = set(refused)
        made = Counter(change.value for name, change in self.changes.items() if name not in out)
        return {change.value: made[change.value] for change in Change} | {"refused": len(out)}


def _change(known: Known | None, now: str) -> Change:
    if known is None or known.first_seen == known.updated == now:
        return Change.NEW
    return Change.UPDATED if known.active and known.reopened != now else Change.REOPENED
