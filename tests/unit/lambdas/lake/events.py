"""What happens to a catalog: crawls, drops, grants and tags made by hand, another file, and runs that fail."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from botocore.exceptions import ClientError
from hypothesis import strategies as st

from lambdas.common.errors import GranaryError
from lambdas.lake.discover.handler import discover
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
    policies,
)

_columns = st.lists(st.sampled_from(COLUMNS), min_size=1, unique=True).map(sorted)
_database, _table = st.sampled_from(DATABASES), st.sampled_from(TABLES)
_who = st.sampled_from([*PRINCIPALS, "role/ROGUE", EVERYBODY])
_FAULTS = ("", "", "", "ThrottlingException", "ConcurrentModificationException", "InternalServiceException", "killed")
an_event = st.one_of(
    st.tuples(st.just("crawl"), _database, _table, _columns),
    st.tuples(st.just("drop"), _database, _table),
    st.tuples(st.just("hand"), _who, _database, _table, st.sampled_from(("SELECT", "ALTER", "ALL", "email"))),
    st.tuples(st.just("tag"), _database, _table, st.sampled_from(("none", "contact"))),
    st.tuples(st.just("file"), policies()),
    st.tuples(st.just("run"), st.lists(st.sampled_from(_FAULTS), max_size=40)),
)


class Killed(Exception):
    """The function was stopped."""


def full_name(who: str) -> str:
    """The ARN of a principal, or the group of everybody."""
    return who if who == EVERYBODY else arn(who)


def _hand(lake: FakeLake, who: str, database: str, table: str, word: str) -> None:
    if table not in lake.databases.get(database, {}):
        return
    place = {"DatabaseName": database, "Name": table}
    if word != "email":
        lake.grant(full_name(who), {"Table": place}, word, option=(word,) if word == "ALTER" else ())
    elif "email" in lake.databases[database][table]:
        lake.grant(full_name(who), {"TableWithColumns": {**place, "ColumnNames": ["email"]}}, "SELECT")


def _tag(lake: FakeLake, database: str, table: str, value: str) -> None:
    lake.values.setdefault("granary-class", set()).add(value)
    for column in lake.databases.get(database, {}).get(table, ())[:1]:
        lake.tags[(database, table, column)] = {"granary-class": value}


def run(policy: Policy, lake: FakeLake, plans: FakePlans, faults: Iterator[str]) -> None:
    """Plan and apply, with what fails meanwhile."""

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


def do(event: tuple[Any, ...], policy: Policy, lake: FakeLake, plans: FakePlans) -> Policy:
    """Have an event happen; answers the file that counts from then on."""
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
            run(policy, lake, plans, iter(faults))
    return policy
