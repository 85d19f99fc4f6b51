"""Whether a group may fail over: the facts that each Region writes down about itself, and what they say; pure.

What is not known is a reason against it. Facts are in the global table, so those of a Region that is down are still
there, as it last wrote them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from lambdas.common.clock import Stamp, since
from lambdas.common.versioned_json import Text
from lambdas.resilience.model.failover.catalogue import Catalogue, Group

# Facts are written each minute, and measured every five.
FRESH = timedelta(minutes=5)
# Longer than what is written takes to come to the other Region.
REPLICATED = timedelta(minutes=2)
# Names of the measures that the gate looks at; `traffic` and `errors` are for the dashboard.
LAG, CAPACITY = "lag", "capacity"


@dataclass(frozen=True, kw_only=True)
class GroupFacts(Text):
    """A group in a Region: states of its alarms there, the revision that runs, and what was measured.

    `restored` are the instances that its databases would be restored to, and that are there.
    `peak` is the most capacity of a day. `switch` is the state of the alarm that takes the other Region out, and
    `published` the value that it should follow, since `published_at`.
    """

    alarms: dict[str, str] = field(default_factory=dict)
    revision: str = ""
    lag: int | None = None
    capacity: int | None = None
    peak: int | None = None
    switch: str = ""
    published: int = 0
    published_at: Stamp = ""
    restored: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Facts(Text):
    """What a Region says of itself; `measured_at` is when the measures were taken, which cost."""

    at: Stamp = ""
    measured_at: Stamp = ""
    groups: dict[str, GroupFacts] = field(default_factory=dict)

    def of(self, group: str) -> GroupFacts:
        return self.groups.get(group, GroupFacts())


@dataclass(frozen=True, kw_only=True)
class Readiness:
    """Go, when there is no reason against it."""

    reasons: tuple[str, ...]

    @property
    def go(self) -> bool:
        return not self.reasons


def judge(
    group: Group, *, to: str, catalogue: Catalogue, facts: Mapping[str, Facts], drilled_at: str, now: datetime
) -> Readiness:
    """Say what speaks against serving a group from the Region `to`."""
    there, other = facts.get(to, Facts()), catalogue.other(to)
    if since(there.at, now) > FRESH:
        seen = f"last at {there.at}" if there.at else "never yet"
        return Readiness(reasons=(f"{to} has said nothing of itself for 5 minutes ({seen}): look at its function",))
    here, its = facts.get(other, Facts()).of(group.name), there.of(group.name)
    reasons = [
        f"alarm {name} in {to} is {its.alarms.get(name, 'not there')}, not OK"
        for name in group.alarms.get(to, ())
        if its.alarms.get(name) != "OK"
    ]
    if group.revision and (not its.revision or its.revision != here.revision):
        reasons.append(f"{to} runs revision {its.revision or 'unknown'} and {other} {here.revision or 'unknown'}")
    reasons += [*_lag(group, to, its), *_capacity(group, to, other, its.capacity, here.peak)]
    reasons += [
        f"{one.name} cannot come to {to}: no backups are replicated there (databases.{one.name}.restores.{to})"
        for one in group.databases
        if not one.global_cluster and to not in one.restores
    ]
    reasons += [
        f"instance {name} is in {to} already, with the data of an earlier failover: delete or rename it"
        for name in its.restored
    ]
    if group.drill_days and since(drilled_at, now) > timedelta(days=group.drill_days):
        last = f"the last drill was {drilled_at}" if drilled_at else "there was no drill yet"
        reasons.append(f"{last}: one is due every {group.drill_days} days")
    return Readiness(reasons=tuple(reasons))


def _lag(group: Group, to: str, its: GroupFacts) -> list[str]:
    if LAG not in group.measures:
        return []
    if its.lag is None:
        return [f"nobody knows how far the data in {to} is behind: its metric has no values"]
    return [f"the data in {to} is {its.lag} s behind"] if its.lag > group.max_lag_seconds else []


def _capacity(group: Group, to: str, other: str, has: int | None, peak: int | None) -> list[str]:
    if CAPACITY not in group.measures:
        return []
    if has is None or peak is None:
        return [f"nobody knows the capacity of {to}, or the peak of {other}: their metric has no values"]
    return [f"{to} has a capacity of {has}, and {other} needed {peak} at the peak of a day"] if has < peak else []
