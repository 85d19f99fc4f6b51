"""The list of the fleet, apart from how it is drawn."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from cli.fleet import Entry, Filter, SortBy, age, fleet, in_order
from cli.render.fleet import fleet_lines, summary
from lambdas.common.clock import stamp
from lambdas.common.status import Phase

_NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
_IDS = st.sets(st.text("abc", min_size=1, max_size=3))


@given(_IDS, _IDS)
def test_everybody_is_listed_once(rows: set[str], statuses: set[str]) -> None:
    entries = fleet([{"id": key} for key in rows], [{"id": key, "phase": "ACTIVE"} for key in statuses])
    assert sorted(entry.id for entry in entries) == sorted(rows | statuses)
    assert {entry.id for entry in entries if entry.phase} == statuses


@given(_IDS, st.sampled_from(SortBy))
def test_sorting_loses_nobody_and_depends_on_nothing_else(ids: set[str], by: SortBy) -> None:
    entries = [Entry(id=key, type="silo", account="", region="") for key in ids]
    assert in_order(entries, by) == in_order(reversed(entries), by)
    assert {entry.id for entry in in_order(entries, by)} == ids


def test_a_row_says_where_a_deployment_is_and_a_status_where_it_was() -> None:
    rows = [{"id": "acme", "type": "silo", "account": "2", "region": "eu-west-1", "ring": "early"}]
    statuses: list[dict[str, Any]] = [
        {"id": "acme", "account": "1", "phase": "ACTIVE", "release_ring": "general"},
        {"id": "gone", "type": "pool", "account": "3", "region": "us-east-1", "phase": "RETIRED"},
    ]
    acme, gone = in_order(fleet(rows, statuses), SortBy.ID)
    assert (acme.account, acme.ring) == ("2", "early")
    assert (gone.type, gone.account, gone.region) == ("pool", "3", "us-east-1")


def test_filters_narrow_together() -> None:
    entries = [
        _entry("a", phase="FAILED", ring="early"),
        _entry("b", phase="FAILED"),
        _entry("c", phase="ACTIVE", ring="early"),
    ]
    chosen = Filter(phases=frozenset({"FAILED"}), rings=frozenset({"early"}))
    assert [entry.id for entry in entries if chosen.takes(entry)] == ["a"]
    assert all(Filter().takes(entry) for entry in entries)


def test_failed_is_what_somebody_has_to_look_after() -> None:
    needy = [
        _entry("a", phase="FAILED"),
        _entry("b", phase="INVALID"),
        _entry("c", phase="ACTIVE", release_outcome="rolled_back"),
        _entry("d", phase="ACTIVE", row_removed=True),
        _entry("e", phase="RETIRED_WITH_WARNINGS"),
    ]
    well = [_entry("f", phase="ACTIVE"), _entry("g", phase="UPDATING"), _entry("h")]
    assert [entry.id for entry in (*needy, *well) if Filter(failed=True).takes(entry)] == ["a", "b", "c", "d", "e"]


def test_by_age_the_last_change_comes_first() -> None:
    entries = [_entry("old", updated_at=stamp(_NOW - timedelta(days=1))), _entry("new", updated_at=stamp(_NOW))]
    assert [entry.id for entry in in_order(entries, SortBy.AGE)] == ["new", "old"]


def test_age_in_two_letters_or_so() -> None:
    passed = {"5s": 5, "1m": 119, "3h": 3 * 3600, "9d": 9 * 86_400 + 5}
    assert {age(stamp(_NOW - timedelta(seconds=seconds)), _NOW): seconds for seconds in passed.values()} == passed
    assert age("", _NOW) == ""
    assert age(stamp(_NOW + timedelta(seconds=9)), _NOW) == "0s"


def test_lines_have_fixed_columns_and_the_reason_last() -> None:
    lines = list(fleet_lines([_entry("a", phase="ACTIVE"), _entry("longer", reason="what\n was  it")], now=_NOW))
    assert lines[0].split() == [
        "ID", "TYPE", "PHASE", "RING", "ACCOUNT", "REGION", "WANTED", "DEPLOYED", "AGE", "REASON",
    ]  # fmt: skip
    assert lines[0].index("TYPE") == lines[1].index("silo") == lines[2].index("silo")
    assert lines[2].endswith("what was it")


def test_the_summary_counts_phases() -> None:
    assert summary([]) == "no deployments"
    assert summary([_entry("a", phase=Phase.ACTIVE), _entry("b")]) == "2 deployments: 1 ACTIVE, 1 not looked at yet"


def _entry(deployment_id: str, **attributes: Any) -> Entry:
    return Entry(id=deployment_id, type="silo", account="222222222222", region="eu-west-1", **attributes)
