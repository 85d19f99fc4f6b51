"""The fleet as a list: rows and statuses side by side, filtered and sorted; pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from lambdas.common.clock import moment
from lambdas.common.written import cut
from lambdas.saas.model.status import BAD_OUTCOMES, Phase, Status, Unreadable

ROW_ATTRIBUTES = (
    "id", "type", "account", "region", "standby_region", "ring", "state", "external_id", "revision", "revision_until",
)  # fmt: skip
# With all attributes a list of 10,000 would take twice the time: `plan reconcile` finds what is wrong in the others.
STATUS_ATTRIBUTES = (
    "id", "type", "account", "region", "standby_region", "phase", "reason", "revision_wanted", "revision_deployed",
    "release_ring", "release_outcome", "row_removed", "updated_at", "external_id", "pinned", "pinned_at",
)  # fmt: skip

UNREADABLE = "UNREADABLE"  # stands in a phase's place
_NULL = {"NULL": True}

BAD_PHASES = frozenset({Phase.FAILED, Phase.INVALID, Phase.RETIRED_WITH_WARNINGS})


def needs_care(*, phase: str, release_outcome: str, row_removed: bool) -> bool:
    """Whether somebody has to do something about a deployment of which this is known."""
    return phase in BAD_PHASES or release_outcome in BAD_OUTCOMES or row_removed


class SortBy(StrEnum):
    """What a list is sorted by; ties by the id."""

    ID = "id"
    PHASE = "phase"
    RING = "ring"
    AGE = "age"
    REVISION = "revision"


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One deployment in a list; `phase` is empty while nothing is known of it, `ring` when the release chooses one.

    `pin` is what its row pins, also when that is over (`pin_until`), `pinned_at` since when it has been placed so.
    `unreadable` says why its status cannot be read, and what to do.
    """

    id: str
    type: str
    account: str
    region: str
    standby_region: str = ""
    ring: str = ""
    state: str = "active"
    phase: str = ""
    reason: str = ""
    revision_wanted: str = ""
    revision_deployed: str = ""
    release_outcome: str = ""
    row_removed: bool = False
    updated_at: str = ""
    pin: str = ""
    pin_until: str = ""
    pinned_at: str = ""
    unreadable: str = ""
    external_id: str = ""

    @property
    def failed(self) -> bool:
        """Whether somebody has to do something about it."""
        care = needs_care(phase=self.phase, release_outcome=self.release_outcome, row_removed=self.row_removed)
        return care or bool(self.unreadable)

    def document(self) -> dict[str, Any]:
        """The entry as --json tells it."""
        return {**vars(self), "failed": self.failed}


@dataclass(frozen=True, kw_only=True)
class Filter:
    """Which entries are listed; what is empty does not count."""

    phases: frozenset[str] = frozenset()
    rings: frozenset[str] = frozenset()
    accounts: frozenset[str] = frozenset()
    external_ids: frozenset[str] = frozenset()
    failed: bool = False

    def takes(self, entry: Entry) -> bool:
        return (
            (not self.phases or entry.phase in self.phases)
            and (not self.rings or entry.ring in self.rings)
            and (not self.accounts or entry.account in self.accounts)
            and (not self.external_ids or entry.external_id in self.external_ids)
            and (not self.failed or entry.failed)
        )


def fleet(rows: Iterable[Mapping[str, Any]], statuses: Iterable[Mapping[str, Any]]) -> list[Entry]:
    """Put rows and statuses together; a deployment with only one of the two is listed as well."""
    wishes = {str(row["id"]): row for row in rows}
    known = {str(status["id"]): status for status in statuses}
    return [_entry(name, wishes.get(name, {}), known.get(name, {})) for name in wishes.keys() | known.keys()]


def _entry(name: str, row: Mapping[str, Any], status: Mapping[str, Any]) -> Entry:
    # What is NULL is not there, as every reader of a status has it.
    status = {name: status[name] for name in STATUS_ATTRIBUTES if status.get(name, _NULL) != _NULL}
    if isinstance(unreadable := Status.from_item(status) if status else None, Unreadable):
        status = {"phase": UNREADABLE, "reason": unreadable.why}

    def told(attribute: str) -> str:
        return _told(row.get(attribute)) or _told(status.get(attribute))

    return Entry(
        id=name,
        type=told("type"),
        account=told("account"),
        region=told("region"),
        standby_region=told("standby_region"),
        ring=_told(row.get("ring")) or _told(status.get("release_ring")),
        state=_told(row.get("state")) or "active",
        phase=status.get("phase", ""),
        reason=status.get("reason", ""),
        revision_wanted=status.get("revision_wanted", ""),
        revision_deployed=status.get("revision_deployed", ""),
        release_outcome=status.get("release_outcome", ""),
        row_removed=bool(status.get("row_removed")),
        updated_at=status.get("updated_at", ""),
        pin=(pin := _told(row.get("revision"))),
        pin_until=_told(row.get("revision_until")),
        pinned_at=status.get("pinned_at", "") if pin and pin == status.get("pinned") else "",
        unreadable=str(unreadable) if isinstance(unreadable, Unreadable) else "",
        external_id=told("external_id"),
    )


def _told(value: object) -> str:
    """Of a row that is not valid, an attribute may be anything: it is told as DynamoDB's JSON has it."""
    return value if isinstance(value, str) else "" if value is None else cut(json.dumps(value, sort_keys=True))


def in_order(entries: Iterable[Entry], by: SortBy) -> list[Entry]:
    """Sort entries; by age, what has changed last comes first."""
    found = sorted(entries, key=lambda entry: entry.id)
    if by is SortBy.AGE:
        return sorted(found, key=lambda entry: entry.updated_at, reverse=True)
    keys = {SortBy.ID: "id", SortBy.PHASE: "phase", SortBy.RING: "ring", SortBy.REVISION: "revision_deployed"}
    return sorted(found, key=lambda entry: str(getattr(entry, keys[by])))


def age(stamped: str, now: datetime) -> str:
    """Time since a stamp in two letters or so: `5s`, `12m`, `3h`, `9d`; empty for no stamp."""
    if not stamped:
        return ""
    passed = max(now - moment(stamped), timedelta())
    for size, letter in ((timedelta(days=1), "d"), (timedelta(hours=1), "h"), (timedelta(minutes=1), "m")):
        if passed >= size:
            return f"{passed // size}{letter}"
    return f"{passed // timedelta(seconds=1)}s"
