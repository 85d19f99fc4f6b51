"""Whatever happens to a catalog, a run makes of it what the file says: planned, applied and read back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from threading import Lock
from typing import Any

from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from lambdas.common.errors import GranaryError
from lambdas.lake.discover.handler import discover
from lambdas.lake.model.governance.access import access
from lambdas.lake.model.governance.policy import EVERYBODY, Policy
from tests.unit.lambdas.lake.fakes import FakeLake
from tests.unit.lambdas.lake.worlds import (
    COLUMNS,
    DATABASES,
    PRINCIPALS,
    TABLES,
    FakePlans,
    applying,
    arn,
    governance,
    meant,
    policies,
)

_columns = st.lists(st.sampled_from(COLUMNS), min_size=1, unique=True).map(sorted)
_database, _table = st.sampled_from(DATABASES), st.sampled_from(TABLES)
_who = st.sampled_from([*PRINCIPALS, "role/ROGUE", EVERYBODY])
_FAULTS = ("", "", "", "ThrottlingException", "ConcurrentModificationException", "InternalServiceException", "killed")
_event = st.one_of(
    st.tuples(st.just("crawl"), _database, _table, _columns),
    st.tuples(st.just("drop"), _database, _table),
    st.tuples(st.just("hand"), _who, _database, _table, st.sampled_from(("SELECT", "ALTER", "ALL", "email"))),
    st.tuples(st.just("tag"), _database, _table, st.sampled_from(("none", "contact"))),
    st.tuples(st.just("file"), policies()),
    st.tuples(st.just("run"), st.lists(st.sampled_from(_FAULTS), max_size=40)),
)
WRITES = ("Add", "Batch", "Create", "Delete", "Remove", "Update")


class Killed(Exception):
    """The function was stopped."""


def _full_name(who: str) -> str:
    return who if who == EVERYBODY else arn(who)


def _hand(lake: FakeLake, who: str, database: str, table: str, word: str) -> None:
    if table not in lake.databases.get(database, {}):
        return
    place = {"DatabaseName": database, "Name": table}
    if word != "email":
        lake.grant(_full_name(who), {"Table": place}, word, option=(word,) if word == "ALTER" else ())
    elif "email" in lake.databases[database][table]:
        lake.grant(_full_name(who), {"TableWithColumns": {**place, "ColumnNames": ["email"]}}, "SELECT")


def _tag(lake: FakeLake, database: str, table: str, value: str) -> None:
    lake.values.setdefault("granary-class", set()).add(value)
    for column in lake.databases.get(database, {}).get(table, ())[:1]:
        lake.tags[(database, table, column)] = {"granary-class": value}


def _run(policy: Policy, lake: FakeLake, plans: FakePlans, faults: Iterator[str]) -> None:
    def fault(name: str) -> str:
        code = next(faults, "")
        if code == "killed":
            raise Killed
        return code if not name.startswith("Get") else ""

    lake.fault = fault
    try:
        told = discover(governance(policy, lake, plans))
        applying(policy, lake, plans).apply(told["plan"])
    except (GranaryError, ClientError, Killed):
        plans.holder = ""
    finally:
        lake.fault = lambda _: ""


def _do(event: tuple[Any, ...], policy: Policy, lake: FakeLake, plans: FakePlans) -> Policy:
    match event:
        case "crawl", database, table, columns:
            lake.crawl(database, table, *columns)
        case "drop", database, table:
            if database in lake.databases:
                lake.drop(database, table)
        case "hand", who, database, table, word:
            _hand(lake, who, database, table, word)
        case "tag", database, table, value:
            _tag(lake, database, table, value)
        case "file", changed:
            return changed  # type: ignore[no-any-return]
        case "run", faults:
            _run(policy, lake, plans, iter(faults))
    return policy


def _rights(lake: FakeLake, who: str) -> dict[tuple[str, str], set[str]]:
    return {
        (it, table): lake.rights(_full_name(who), it, table) for it in lake.databases for table in lake.databases[it]
    }


@given(policies(), st.lists(_event, max_size=12))
def test_a_run_makes_of_any_catalog_what_the_file_says(policy: Policy, events: list[tuple[Any, ...]]) -> None:
    lake, plans = FakeLake(), FakePlans()
    for event in events:
        policy = _do(event, policy, lake, plans)
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


@given(policies(remove=False), st.lists(_event, max_size=8))
def test_what_others_granted_is_reported_and_stays(policy: Policy, events: list[tuple[Any, ...]]) -> None:
    lake, plans = FakeLake(), FakePlans()
    for event in events:
        if event[0] not in ("file", "run"):
            _do(event, policy, lake, plans)
    before = {who: _rights(lake, who) for who in ("role/ROGUE", EVERYBODY)}
    told = discover(governance(policy, lake, plans))
    applying(policy, lake, plans).apply(told["plan"])
    assert {who: _rights(lake, who) for who in before} == before
    assert plans.newest is not None
    rogues = any(_rights(lake, "role/ROGUE").values())
    assert rogues <= any(it.rule == "foreign-grant" and "ROGUE" in it.title for it in plans.newest.drift)
    everybody = any(_rights(lake, EVERYBODY).values())
    assert everybody == any(it.rule == "iam-allowed-principals" for it in plans.newest.drift)


@given(policies(), policies(), st.lists(_event, max_size=6))
def test_while_not_everything_is_seen_nobody_loses(first: Policy, then: Policy, events: list[tuple[Any, ...]]) -> None:
    lake, plans = FakeLake(), FakePlans()
    for event in events:
        _do(event, first, lake, plans)
    _run(first, lake, plans, iter(()))
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


@given(policies(), policies(), st.lists(_event, max_size=6), st.lists(_event, max_size=3))
def test_at_no_moment_of_a_run_has_anybody_less_than_stays_or_more_than_a_file_says(
    first: Policy, then: Policy, events: list[tuple[Any, ...]], more: list[tuple[Any, ...]]
) -> None:
    lake, plans = FakeLake(), FakePlans()
    for event in events:
        _do(event, first, lake, plans)
    _run(first, lake, plans, iter(()))
    for event in (it for it in more if it[0] in ("crawl", "drop")):
        _do(event, first, lake, plans)
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
