"""Whatever happens to a catalog, a run makes of it what the file says: planned, applied and read back."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from threading import Lock
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from lambdas.lake.discover.handler import discover
from lambdas.lake.model.governance.access import access
from lambdas.lake.model.governance.policy import EVERYBODY, Policy
from tests.unit.lambdas.lake.events import an_event, do, full_name, run
from tests.unit.lambdas.lake.fakes import FakeLake
from tests.unit.lambdas.lake.worlds import (
    PRINCIPALS,
    FakePlans,
    applying,
    arn,
    governance,
    meant,
    policies,
)

WRITES = ("Add", "Batch", "Create", "Delete", "Remove", "Update")


def _rights(lake: FakeLake, who: str) -> dict[tuple[str, str], set[str]]:
    return {
        (it, table): lake.rights(full_name(who), it, table) for it in lake.databases for table in lake.databases[it]
    }


@given(policies(), st.lists(an_event, max_size=12))
def test_a_run_makes_of_any_catalog_what_the_file_says(policy: Policy, events: list[tuple[Any, ...]]) -> None:
    lake, plans = FakeLake(), FakePlans()
    for event in events:
        policy = do(event, policy, lake, plans)
    told = discover(governance(policy, lake, plans))
    applied = applying(policy, lake, plans).apply(told["plan"])
    assert (applied.failed, applied.left) == ((), 0)
    for who in (*PRINCIPALS, "role/ROGUE", EVERYBODY):
        for (database, table), rights in _rights(lake, who).items():
            assert rights == meant(policy, lake, who, database, table), (who, database, table)
    # What the evaluator tells is what Lake Formation does.
    seen = governance(policy, lake, plans).observe()
    told_rights = access(seen.tables, seen.grants, tags=seen.tags, filters=seen.filters)
    for who in PRINCIPALS:
        for (database, table), rights in _rights(lake, who).items():
            words = told_rights.get((arn(who), database, table), frozenset())
            assert {it for it in words if "DESCRIBE" not in it and "option" not in it} == rights
    # And nothing is left to do.
    lake.calls.clear()
    again = discover(governance(policy, lake, plans))
    assert again["empty"]
    applying(policy, lake, plans).apply(again["plan"])
    assert not [name for name in lake.calls if name.startswith(WRITES)]


@given(policies(remove=False), st.lists(an_event, max_size=8))
def test_what_others_granted_is_reported_and_stays(policy: Policy, events: list[tuple[Any, ...]]) -> None:
    lake, plans = FakeLake(), FakePlans()
    for event in events:
        if event[0] not in ("file", "run"):
            do(event, policy, lake, plans)
    before = {who: _rights(lake, who) for who in ("role/ROGUE", EVERYBODY)}
    told = discover(governance(policy, lake, plans))
    applying(policy, lake, plans).apply(told["plan"])
    assert {who: _rights(lake, who) for who in before} == before
    assert plans.newest is not None
    rogues = any(_rights(lake, "role/ROGUE").values())
    assert rogues <= any(it.rule == "foreign-grant" and "ROGUE" in it.title for it in plans.newest.drift)
    everybody = any(_rights(lake, EVERYBODY).values())
    assert everybody == any(it.rule == "iam-allowed-principals" for it in plans.newest.drift)


@given(policies(), policies(), st.lists(an_event, max_size=6))
def test_while_not_everything_is_seen_nobody_loses(first: Policy, then: Policy, events: list[tuple[Any, ...]]) -> None:
    lake, plans = FakeLake(), FakePlans()
    for event in events:
        do(event, first, lake, plans)
    run(first, lake, plans, iter(()))
    lake.admins = []
    before = {who: _rights(lake, who) for who in PRINCIPALS}
    lake.calls.clear()
    told = discover(governance(then, lake, plans))
    assert told["unseen"]
    applying(then, lake, plans).apply(told["plan"])
    assert not {"BatchRevokePermissions", "RemoveLFTagsFromResource", "DeleteDataCellsFilter"}.intersection(lake.calls)
    for who, its in before.items():
        for (database, table), rights in _rights(lake, who).items():
            lost = its[(database, table)] - rights
            assert not lost & meant(then, lake, who, database, table)


@given(policies(), policies(), st.lists(an_event, max_size=6), st.lists(an_event, max_size=3))
def test_at_no_moment_of_a_run_has_anybody_less_than_stays_or_more_than_a_file_says(
    first: Policy, then: Policy, events: list[tuple[Any, ...]], more: list[tuple[Any, ...]]
) -> None:
    lake, plans = FakeLake(), FakePlans()
    for event in events:
        do(event, first, lake, plans)
    run(first, lake, plans, iter(()))
    for event in (it for it in more if it[0] in ("crawl", "drop")):
        do(event, first, lake, plans)
    told = discover(governance(then, lake, plans))
    moments = [{who: _rights(lake, who) for who in PRINCIPALS}]
    lock = Lock()

    def watched(change: Callable[..., Any], **request: Any) -> Any:
        with lock:
            answer = change(**request)
            moments.append({who: _rights(lake, who) for who in PRINCIPALS})
            return answer

    for name in dir(FakeLake):
        if name.startswith(tuple(it.lower() for it in WRITES)):
            setattr(lake, name, partial(watched, getattr(lake, name)))
    applying(then, lake, plans).apply(told["plan"])
    for moment in moments:
        for who, places in moment.items():
            for place, rights in places.items():
                before, after = moments[0][who][place], moments[-1][who][place]
                assert before & after <= rights, (who, place)
                assert rights <= before | after | meant(first, lake, who, *place), (who, place)
