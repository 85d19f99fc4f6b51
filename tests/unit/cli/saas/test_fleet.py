"""The list of the fleet, apart from how it is drawn."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from cli.saas.fleet import Entry, Filter, SortBy, age, fleet, in_order
from cli.saas.render.fleet import HEADINGS, columns_for, fleet_lines, fleet_table, summary
from lambdas.common.clock import stamp
from lambdas.saas.model.status import Phase

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
        "ID", "TYPE", "PHASE", "RING", "ACCOUNT", "REGION", "WANTED", "DEPLOYED", "PIN", "AGE", "REASON",
    ]  # fmt: skip
    assert lines[0].index("TYPE") == lines[1].index("silo") == lines[2].index("silo")
    assert lines[2].endswith("what was it")


_WIDE: dict[str, Any] = {
    "type": "silo",
    "account": "222222222222",
    "region": "eu-west-1",
    "ring": "general",
    "revision_wanted": "4f2c9d1aabbc",
    "revision_deployed": "5a5a5a5aabbc",
    "updated_at": stamp(_NOW - timedelta(hours=5)),
}
_FLEET = [
    Entry(id="acme-production-eu", phase=Phase.RETIRED_WITH_WARNINGS, **_WIDE),
    Entry(id="beta", phase=Phase.FAILED, reason="stage Deploy, action Deploy: " + "boom " * 30, **_WIDE),
]
_SHOWN = {
    80: ["ID", "PHASE", "DEPLOYED", "REASON"],
    120: ["ID", "TYPE", "PHASE", "RING", "REGION", "DEPLOYED", "PIN", "AGE", "REASON"],
    160: list(HEADINGS),
}


@pytest.mark.parametrize("width", _SHOWN)
def test_a_terminal_is_shown_as_many_columns_as_it_has_room_for(width: int) -> None:
    """Given the longest phase and a long reason, every cell but the reason is whole, and the reason has a beginning."""
    heading, *lines = _drawn(_FLEET, width=width)
    assert heading.split() == _SHOWN[width]
    assert len(lines) == len(_FLEET)
    for line, entry in zip(lines, _FLEET, strict=True):
        cells = {
            "ID": entry.id,
            "PHASE": entry.phase,
            "RING": "general",
            "REGION": "eu-west-1",
            "AGE": "5h",
            "PIN": "-",
        }
        cells |= {"TYPE": "silo", "ACCOUNT": "222222222222", "WANTED": "4f2c9d1aabbc", "DEPLOYED": "5a5a5a5aabbc"}
        wanted = [cells[name] for name in _SHOWN[width] if name != "REASON"]
        assert line.split()[: len(wanted)] == wanted
    assert "stage Deploy, actio" in lines[1]


@given(st.integers(1, 250), st.lists(st.sampled_from(Phase), min_size=1, max_size=4), st.text("ab-", max_size=40))
def test_ids_and_phases_are_whole_on_every_terminal(width: int, phases: list[Phase], name: str) -> None:
    entries = [Entry(id=f"{index}{name}", phase=phase, reason="why", **_WIDE) for index, phase in enumerate(phases)]
    columns = columns_for(entries, now=_NOW, width=width)
    assert {"ID", "PHASE"} <= set(columns)
    longest = max(len(entry.id) + len(entry.phase) for entry in entries)
    if width >= longest + 40:
        for line, entry in zip(_drawn(entries, width=width)[1:], entries, strict=True):
            assert line.startswith(f"{entry.id} ")
            assert entry.phase in line.split()


def test_where_even_ids_and_phases_have_no_room_they_are_folded() -> None:
    lines = _drawn([Entry(id="acme-production-eu", phase=Phase.RETIRED_WITH_WARNINGS, **_WIDE)], width=24)[1:]
    cells = [(line[:11].strip(), line[11:].strip()) for line in lines]
    assert "".join(first for first, _ in cells) + "".join(second for _, second in cells) == (
        "acme-production-euRETIRED_WITH_WARNINGS"
    )


def test_lines_have_the_columns_that_were_asked_for() -> None:
    lines = list(fleet_lines(_FLEET, now=_NOW, columns=("ID", "PHASE")))
    assert [line.split() for line in lines] == [
        ["ID", "PHASE"],
        ["acme-production-eu", "RETIRED_WITH_WARNINGS"],
        ["beta", "FAILED"],
    ]


def test_the_summary_tells_what_there_was_no_room_for() -> None:
    assert summary(_FLEET[1:], columns=HEADINGS[:-1]).endswith("1 FAILED; no room for REASON: --plain shows all")


def test_the_summary_counts_phases() -> None:
    assert summary([]) == "no deployments"
    assert summary([_entry("a", phase=Phase.ACTIVE), _entry("b")]) == "2 deployments: 1 ACTIVE, 1 not looked at yet"


def _drawn(entries: list[Entry], *, width: int) -> list[str]:
    console, columns = Console(file=StringIO(), width=width), columns_for(entries, now=_NOW, width=width)
    with console.capture() as drawn:
        console.print(fleet_table(entries, now=_NOW, columns=columns))
    return [line for line in drawn.get().splitlines() if line.strip()]


def _entry(deployment_id: str, **attributes: Any) -> Entry:
    return Entry(id=deployment_id, type="silo", account="222222222222", region="eu-west-1", **attributes)
