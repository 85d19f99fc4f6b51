"""Planning: what leads from what was seen to what the file says; pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from lambdas.lake.model.governance.desired import Desired
from lambdas.lake.model.governance.drift import drift
from lambdas.lake.model.governance.grants import Filter, Grant, beyond, closed, identity, least, merged, minus
from lambdas.lake.model.governance.impact import impact
from lambdas.lake.model.governance.observation import Observation, Tags
from lambdas.lake.model.governance.plan import NewValues, Plan, Step, Tagging
from lambdas.lake.model.governance.policy import EVERYBODY, Policy
from lambdas.lake.model.governance.tags import desired, tag_values

_Group = tuple[str, str, bool, str, str, str]


@dataclass(frozen=True, kw_only=True)
class Planned:
    """A plan, and the grants that are ours from when it is applied: those of the file, and of before what is there."""

    plan: Plan
    ours: frozenset[Grant]


def make_plan(
    policy: Policy,
    seen: Observation,
    ours: frozenset[Grant],
    *,
    partition: str,
    today: str,
    last: Plan | None = None,
) -> Planned:
    """Plan the steps; `ours` are the grants that earlier plans made, and `last` is the one before."""
    wanted = desired(policy, seen, partition=partition, today=today)
    goal, others = closed(wanted.grants), beyond(seen.grants, ours)
    strange, owned = minus(others, goal), minus(seen.grants, others)
    foreign = _foreign(policy, strange, seen, partition)
    revokes = _revokes(policy, seen, foreign, minus(owned, goal)) if seen.complete else {}
    kept = minus(seen.grants, revokes)
    grants = least(beyond(wanted.grants, kept))
    after = merged(kept | grants)
    known = merged(goal | (owned if seen.complete else ours))
    plan = replace(
        _without_grants(policy, seen, wanted, today=today, last=last),
        total=len(after),
        grants=_steps(grants, wanted),
        revokes=_ordered(revokes),
        adopted=tuple(sorted(minus(others, strange), key=_order)),
        forgotten=len(minus(ours, known)),
        drift=drift(policy, least(foreign), seen),
    )
    effect = impact(policy, seen, after, wanted, partition=partition, last_tables=plan.had)
    return Planned(
        plan=replace(plan, changes=effect.changes, approvals=() if plan.empty else effect.approvals),
        ours=known,
    )


def _without_grants(policy: Policy, seen: Observation, wanted: Desired, *, today: str, last: Plan | None) -> Plan:
    """The plan's head, with its steps on tags and filters."""
    tags, untags = _tagging(wanted.tags, seen)
    return Plan(
        catalog=seen.catalog,
        region=seen.region,
        day=today,
        policy=policy.digest,
        observation=seen.digest,
        tables=len(seen.tables),
        had=last.agreed if last else 0,
        previous=last.digest if last else "",
        values=_values(wanted, seen),
        filters=_sorted(wanted.filters - seen.filters),
        tags=tags,
        untags=untags,
        dropped=_sorted(seen.filters - wanted.filters) if seen.complete else (),
        refused=wanted.refused,
        unseen=seen.unseen,
        remark=wanted.remark,
    )


def _values(wanted: Desired, seen: Observation) -> tuple[NewValues, ...]:
    """Values that have to be there before they can be put on anything."""
    found: list[NewValues] = []
    for key, its in sorted(tag_values(wanted).items()):
        if new := its - seen.tag_values.get(key, frozenset()):
            found.append(NewValues(key=key, values=tuple(sorted(new)), known=key in seen.tag_values))
    return tuple(found)


def _revokes(
    policy: Policy, seen: Observation, foreign: frozenset[Grant], dropped: frozenset[Grant]
) -> dict[Grant, str]:
    revokes = dict.fromkeys(dropped, "no rule grants it any more")
    if policy.remove_foreign:
        revokes |= dict.fromkeys((one for one in foreign if one.principal != EVERYBODY), "it was made by hand")
    if policy.remove_iam_allowed:
        everybody = (one for one in seen.grants if one.principal == EVERYBODY)
        revokes |= dict.fromkeys(everybody, "it lets everybody in whom IAM lets in")
    return revokes


def _foreign(policy: Policy, grants: frozenset[Grant], seen: Observation, partition: str) -> frozenset[Grant]:
    """Grants that others made, but for those of principals that are their own business."""
    names = (policy.ignored or {}).get(seen.catalog, ())
    ignored = {identity(f"arn:{partition}:iam::{seen.catalog}:{name}") for name in names}
    return frozenset(one for one in grants if identity(one.principal) not in ignored)


def _tagging(wanted: Tags, seen: Observation) -> tuple[tuple[Tagging, ...], tuple[Tagging, ...]]:
    """What is put on, and what is taken off: with columns of a table together where that is the same."""
    on: dict[_Group, list[str]] = {}
    off: dict[_Group, list[str]] = {}
    for (database, table, column), its in wanted.items():
        there = seen.tags.get((database, table, column), {})
        for key, value in its.items():
            if there.get(key) != value:
                on.setdefault((database, table, bool(column), key, value, there.get(key, "")), []).append(column)
    for (database, table, column), there in seen.tags.items() if seen.complete else ():
        for key in there.keys() - wanted.get((database, table, column), {}).keys():
            off.setdefault((database, table, bool(column), key, "", there[key]), []).append(column)
    return _taggings(on), _taggings(off)


def _taggings(grouped: Mapping[_Group, list[str]]) -> tuple[Tagging, ...]:
    found: list[Tagging] = []
    for (database, table, _, key, value, was), names in sorted(grouped.items()):
        columns = tuple(sorted(filter(None, names)))
        found.append(Tagging(database=database, table=table, columns=columns, key=key, value=value, was=was))
    return tuple(found)


def _steps(grants: frozenset[Grant], wanted: Desired) -> tuple[Step, ...]:
    """The grants, each with the reason of what it is, or is a part of."""
    reasons = {one.key: why for one, why in wanted.grants.items()}
    return _ordered({one: reasons[one.key] for one in grants})


def _ordered(grants: Mapping[Grant, str]) -> tuple[Step, ...]:
    return tuple(Step(grant=one, why=grants[one]) for one in sorted(grants, key=_order))


def _order(one: Grant) -> tuple[Any, ...]:
    place = (one.principal, one.database, one.table, one.permission, one.filter)
    return (*place, one.kind, one.grantable, one.expression, one.included, one.excluded)


def _sorted(filters: frozenset[Filter]) -> tuple[Filter, ...]:
    return tuple(sorted(filters, key=lambda one: (one.database, one.table, one.name)))
