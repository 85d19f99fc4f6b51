"""Who gains and loses what is looked for where grants differ; it has to be all that a look at everything would find."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from lambdas.lake.model.governance.access import access, spoken
from lambdas.lake.model.governance.grants import Grant, beyond, closed, merged, minus
from lambdas.lake.model.governance.impact import overlaid
from lambdas.lake.model.governance.observation import Observation
from lambdas.lake.model.governance.plan import Plan
from lambdas.lake.model.governance.planning import make_plan
from lambdas.lake.model.governance.policy import Approval, Policy
from lambdas.lake.model.governance.tags import desired
from tests.unit.lambdas.lake.events import an_event, do, run
from tests.unit.lambdas.lake.fakes import FakeLake
from tests.unit.lambdas.lake.worlds import TODAY, FakePlans, governance, policies

_Told = tuple[str, str, str, str, str]


def _whole(policy: Policy, look: Observation, plan: Plan) -> tuple[set[_Told], int, int]:
    """The changes, how many rights are lost, and how many there were: by a look at all rights before and after."""
    wanted = desired(policy, look, partition="aws", today=TODAY)
    grants = minus(look.grants, {it.grant for it in plan.revokes}) | {it.grant for it in plan.grants}
    tags = wanted.tags if look.complete else overlaid(look.tags, wanted.tags)
    filters = wanted.filters if look.complete else wanted.filters | look.filters
    old = access(look.tables, look.grants, tags=look.tags, filters=look.filters)
    new = access(look.tables, merged(grants), tags=tags, filters=filters)
    columns = {(one.database, one.name): one.columns for one in look.tables}
    told: set[_Told] = set()
    lost = 0
    for who, database, table in old | new:
        key, its = (who, database, table), columns.get((database, table), ())
        before, after = old.get(key, frozenset()), new.get(key, frozenset())
        lost += len(before - after)
        if before != after:
            told.add((*key, spoken(after - before, its), spoken(before - after, its)))
    return told, lost, sum(map(len, old.values()))


def _told(plan: Plan) -> Iterator[_Told]:
    for one in plan.changes:
        for table in one.tables or ("",):
            yield one.principal, one.database, table, one.gained, one.lost


def _world(
    file: Policy, happened: list[tuple[Any, ...]], then: Policy | None
) -> tuple[Policy, Observation, frozenset[Grant]]:
    """A file, what was seen, and ours: the file before it, or itself, was applied before other things happened."""
    lake, plans = FakeLake(), FakePlans()
    for table in ("t1", "u1"):
        lake.crawl("d1", table, "amount", "email", "id")
    run(file, lake, plans, iter(()))
    for event in happened:
        file = do(event, file, lake, plans)
    return then or file, governance(file, lake, plans).observe(), plans.ours()


_worlds = (policies(), st.lists(an_event, max_size=8), st.none() | policies())


@given(*_worlds, st.integers(0, 100), st.booleans())
def test_the_changes_are_those_of_a_look_at_everything(
    first: Policy, happened: list[tuple[Any, ...]], then: Policy | None, percent: int, complete: bool
) -> None:
    file, look, ours = _world(first, happened, then)
    look = look if complete else replace(look, unseen=("a database",))
    file = replace(file, approval=Approval(pii_gains=False, revokes=False, shrinkage_percent=percent))
    plan = make_plan(file, look, ours, partition="aws", today=TODAY).plan
    told, lost, total = _whole(file, look, plan)
    assert set(_told(plan)) == told
    shrinks = f"{lost} of {total} rights are taken away: more than {percent} percent"
    assert ([shrinks] if lost * 100 > total * percent and not plan.empty else []) == list(plan.approvals)


@given(*_worlds)
def test_what_is_beyond_grants_is_what_they_and_all_they_imply_lack(
    first: Policy, happened: list[tuple[Any, ...]], then: Policy | None
) -> None:
    file, look, ours = _world(first, happened, then)
    wanted = frozenset(desired(file, look, partition="aws", today=TODAY).grants)
    for these, those in ((look.grants, wanted), (wanted, look.grants), (look.grants, ours)):
        assert beyond(these, those) == minus(these, closed(those))
