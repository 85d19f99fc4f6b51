"""The plan of a release: which deployments it takes up, in which ring, and what each ring is allowed; pure."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from lambdas.common.isolation import fault
from lambdas.common.log import about
from lambdas.common.names import WHOLE_FLEET
from lambdas.common.versioned_json import Text, plain, read
from lambdas.common.written import cut
from lambdas.saas.model.eligible import is_there, why_not
from lambdas.saas.model.lifecycle import ENDED
from lambdas.saas.model.record import DeploymentRecord, InvalidRow, Wanted
from lambdas.saas.model.runs import Strategy
from lambdas.saas.model.status import Status, Unreadable, sort_out
from lambdas.saas.model.target_policy import TargetPolicy
from lambdas.saas.model.wishes import read_wishes

logger = logging.getLogger(__name__)

# How many changes of a ring are told in words: a table's item, an event and an e-mail all have to hold them.
CHANGES_SHOWN = 20

# Whether a release takes up a deployment that it could.
Takes = Callable[[DeploymentRecord, Status], bool]


@dataclass(frozen=True, kw_only=True)
class RingPolicy:
    """What the configuration says about one ring.

    It gets `percent` of the deployments, at least `minimum`; the last ring gets the rest. More than `max_failures`, or
    than `max_failure_percent` of the ring where that is more, stop the line. `concurrency` 0 is the release's own. Of
    each ring that it `demands`, a tenant has to have survived the release. Those that `match` describes come into it
    before shares are counted.
    """

    name: str
    percent: int = 0
    minimum: int = 0
    bake_minutes: int = 0
    max_failures: int = 0
    max_failure_percent: int = 0
    concurrency: int = 0
    approval: bool = False
    alarms: tuple[str, ...] = ()
    demands: tuple[str, ...] = ()
    match: dict[str, str] = field(default_factory=dict)

    def allowed_failures(self, total: int) -> int:
        """How many of so many deployments may fail."""
        return max(self.max_failures, self.max_failure_percent * total // 100)

    def share(self, population: int) -> int:
        """How many of so many deployments the ring gets, if there are enough."""
        return max(self.minimum, -(-self.percent * population // 100))


@dataclass(frozen=True, kw_only=True)
class ReleasePolicy(Text):
    """How releases go about it; `concurrency` is how many deployments are under way at a time."""

    strategy: str = Strategy.RINGS.value
    concurrency: int = 20
    rings: tuple[RingPolicy, ...] = (RingPolicy(name="general"),)

    def unattended(self) -> ReleasePolicy:
        """The same without approvals, bake times and alarms: nobody is asked about what the whole fleet has."""
        rings = (replace(ring, approval=False, bake_minutes=0, alarms=(), demands=()) for ring in self.rings)
        return replace(self, rings=tuple(rings))

    def in_force(self) -> tuple[RingPolicy, ...]:
        """The rings that the strategy has.

        A strategy without rings has one, with the last ring's approval, bake time, budget and alarms; one at a time, no
        failure is allowed.
        """
        if self.strategy == Strategy.RINGS:
            return tuple(replace(ring, concurrency=ring.concurrency or self.concurrency) for ring in self.rings)
        whole = replace(self.rings[-1], name=WHOLE_FLEET, percent=0, minimum=0)
        if self.strategy == Strategy.ONE_AT_A_TIME:
            return (replace(whole, concurrency=1, max_failures=0, max_failure_percent=0),)
        return (replace(whole, concurrency=self.concurrency),)


@dataclass(frozen=True, kw_only=True)
class Item:
    """A deployment of a ring, with all that its name is made of."""

    id: str
    type: str


@dataclass(frozen=True, kw_only=True)
class Skipped:
    """A deployment that the release leaves out, and why."""

    id: str
    reason: str

    def __str__(self) -> str:
        return f"{cut(self.id)}: {self.reason}"


@dataclass(frozen=True, kw_only=True)
class PlannedRing:
    """A ring with its deployments; `changes` are the first of what changes in it, in words."""

    policy: RingPolicy
    items: tuple[Item, ...]
    changes: tuple[str, ...]

    @property
    def name(self) -> str:
        return self.policy.name

    @property
    def allowed_failures(self) -> int:
        return self.policy.allowed_failures(len(self.items))


@dataclass(frozen=True, kw_only=True)
class Plan:
    """All rings, empty ones too (so that a ring keeps its number when a run is resumed), and who is left out.

    `there` is how many deployments have the revision already.
    """

    rings: tuple[PlannedRing, ...]
    skipped: tuple[Skipped, ...]
    there: int

    @property
    def total(self) -> int:
        return sum(len(ring.items) for ring in self.rings)


def plan(
    policy: ReleasePolicy,
    *,
    revision: str,
    records: Iterable[DeploymentRecord],
    invalid: Iterable[InvalidRow] = (),
    statuses: Mapping[str, Status],
    unreadable: Mapping[str, Unreadable] | None = None,
    resumes: str = "",
    same: Collection[str] = (),
    takes: Takes = lambda _record, _status: True,
) -> Plan:
    """Plan a release.

    `records` and `invalid` are the rows as they were read, `unreadable` the statuses that could not be: they are left
    out. `resumes` is the run that is gone on with: what is in a ring of it stays there. Of what it could take up, it
    takes what `takes` says; what has one of the revisions `same` has the release already.
    """
    known = sorted(records, key=lambda record: record.id)
    judged = {record.id: _judge(record, statuses.get(record.id), (revision, *same), takes) for record in known}
    blind = {name: one for name, one in judged.items() if isinstance(one, Unreadable)} | dict(unreadable or {})
    spoilt = sorted((row for row in invalid if row.id not in blind), key=lambda row: row.id)
    reasons = {name: one.why_not for name, one in judged.items() if isinstance(one, _Judged)}
    reasons |= {name: one.reason for name, one in blind.items()}
    skipped = [Skipped(id=key, reason=reason) for key, reason in reasons.items() if reason]
    skipped += [Skipped(id=row.id, reason=f"its row is not valid: {row.reason}") for row in spoilt]
    skipped += _without_row({*reasons, *(row.id for row in spoilt)}, statuses)
    eligible = [record for record in known if not reasons[record.id]]
    rings = policy.in_force()
    # What cannot be read keeps its turn, so that it moves nobody else into another ring.
    unread = [record for record in known if record.id in blind and record.state == Wanted.ACTIVE]
    homes = _rings_of([*eligible, *unread], rings, _kept(statuses, resumes))
    members: list[list[DeploymentRecord]] = [[] for _ in rings]
    for record in eligible:
        if judged[record.id] == _Judged(taken=True):
            members[homes[record.id]].append(record)
    planned = tuple(_planned(ring, found, statuses, revision) for ring, found in zip(rings, members, strict=True))
    there = sum(judged[record.id] == _Judged(there=True) for record in eligible)
    return Plan(rings=planned, skipped=tuple(sorted(skipped, key=lambda one: one.id)), there=there)


@dataclass(frozen=True, kw_only=True)
class _Judged:
    """Whether a release takes a deployment up, why it leaves it out, or that the revision is there."""

    why_not: str = ""
    there: bool = False
    taken: bool = False


def _judge(record: DeploymentRecord, status: Status | None, had: Collection[str], takes: Takes) -> _Judged | Unreadable:
    try:
        if (reason := why_not(record, status)) or status is None:
            return _Judged(why_not=reason)
        there = is_there(status, *had)
        return _Judged(there=there, taken=not there and takes(record, status))
    except Exception as error:
        with about(deployment=record.id):
            logger.exception("deployment %s could not be planned", record.id)
        return Unreadable(id=record.id, why=fault(error), fault=True)


def plan_rows(
    policy: ReleasePolicy,
    *,
    revision: str,
    rows: Iterable[Mapping[str, Any]],
    targets: TargetPolicy,
    now: str,
    statuses: Iterable[Status | Unreadable],
    resumes: str = "",
    same: Collection[str] = (),
    takes: Takes = lambda _record, _status: True,
) -> Plan:
    """Plan a release for the rows of the deployments table and all statuses, as they were read at `now` (a stamp)."""
    known, unreadable = sort_out(statuses)
    wishes, spoilt = read_wishes(rows, known, targets, now=now)
    return plan(
        policy,
        revision=revision,
        records=[wish for wish in wishes.values() if isinstance(wish, DeploymentRecord)],
        invalid=[wish for wish in wishes.values() if isinstance(wish, InvalidRow)],
        statuses=known,
        unreadable={**spoilt, **unreadable},
        resumes=resumes,
        same=same,
        takes=takes,
    )


def to_items(items: Sequence[Item]) -> str:
    """Write deployments as the object that the state machine reads."""
    return json.dumps(plain(items))


def item_of(data: Mapping[str, Any]) -> Item:
    """Read one entry of what `to_items` wrote; raises ValueError for anything else."""
    return read(Item, data)


def in_order(deployment_id: str) -> str:
    """What deployments are ordered by to be put into rings: it depends on nothing but the id."""
    return hashlib.sha256(deployment_id.encode()).hexdigest()


def _without_row(known: set[str], statuses: Mapping[str, Status]) -> list[Skipped]:
    left = (s for s in statuses.values() if s.id not in known and s.phase not in ENDED and s.revision_deployed)
    return [Skipped(id=status.id, reason="it has no row any more") for status in left]


def _kept(statuses: Mapping[str, Status], resumes: str) -> dict[str, str]:
    if not resumes:
        return {}
    return {status.id: status.release_ring for status in statuses.values() if status.release_run == resumes}


def _rings_of(
    records: Sequence[DeploymentRecord], rings: Sequence[RingPolicy], kept: Mapping[str, str]
) -> dict[str, int]:
    """Put each deployment into a ring (its index).

    That is the one that it was in, that its row or its row's tier names, the first that matches it, or its turn's.
    """
    index = {ring.name: number for number, ring in enumerate(rings)}
    last = len(rings) - 1
    homes: dict[str, int] = {}
    for record in records:
        matching = (ring.name for ring in rings if record.matches(ring.match))
        named = [name for name in (kept.get(record.id, ""), record.ring, *matching) if name in index]
        if named:
            homes[record.id] = index[named[0]]
    taken = list(homes.values())
    free = [max(0, ring.share(len(records)) - taken.count(number)) for number, ring in enumerate(rings[:-1])]
    number = 0
    for record in sorted((r for r in records if r.id not in homes), key=lambda record: in_order(record.id)):
        while number < last and not free[number]:
            number += 1
        homes[record.id] = number
        if number < last:
            free[number] -= 1
    return homes


def _planned(
    policy: RingPolicy, records: Sequence[DeploymentRecord], statuses: Mapping[str, Status], revision: str
) -> PlannedRing:
    changes = [
        f"{record.id} ({record.type}, {record.account}, {', '.join(region for _, region in record.places)}): "
        f"{statuses[record.id].revision_deployed} -> {revision}"
        for record in records[:CHANGES_SHOWN]
    ]
    if len(records) > CHANGES_SHOWN:
        changes.append(f"and {len(records) - CHANGES_SHOWN} more")
    return PlannedRing(
        policy=policy,
        items=tuple(Item(id=record.id, type=record.type) for record in records),
        changes=tuple(changes),
    )
