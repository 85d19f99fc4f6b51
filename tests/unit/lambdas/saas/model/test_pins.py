"""A row that pins a release: what it must say, how long it holds, and whom it moves."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from lambdas.common.clock import stamp
from lambdas.saas.model.contract import STANDBYS
from lambdas.saas.model.eligible import why_not
from lambdas.saas.model.lifecycle import Course, course, is_elsewhere
from lambdas.saas.model.record import DeploymentRecord, InvalidRow, parse_row, pin_of
from lambdas.saas.model.row_rules import PIN_REASON_LIMIT
from lambdas.saas.model.status import Phase, StackRef, Status
from lambdas.saas.model.wishes import wish_of
from tests.unit.lambdas.saas.fakes import START
from tests.unit.lambdas.saas.strategies import POLICY

NOW = stamp(START)
ROW: dict[str, Any] = {"id": "acme", "type": "silo", "account": "222222222222", "region": "eu-west-1"}
PINNED = {
    **ROW,
    "revision": "4f2c9d1",
    "revision_reason": "breaks imports",
    "revision_until": "2027-01-07T09:00:00+01:00",
}
STACK = StackRef(kind="pipeline", stack_id="arn:p", account="111111111111", region="eu-west-1")
STANDS = Status(id="acme", phase=Phase.ACTIVE, revision_deployed="old", revision_wanted="old", pipeline_stack=STACK)


def refuses(revision: str, needs: int) -> str:
    return f"{revision} is refused" + (" with a standby" if needs == STANDBYS else "")


def wish(row: dict[str, Any], status: Status | None = None) -> DeploymentRecord | InvalidRow:
    return wish_of(row, status, POLICY, now=NOW, refuses=refuses)


def record(row: dict[str, Any]) -> DeploymentRecord:
    found = parse_row(row, POLICY, now=NOW)
    assert isinstance(found, DeploymentRecord), found
    return found


def test_a_pin_decides_nothing_of_what_is_deployed_from_a_record() -> None:
    """Given a row that pins, then its digest is that of before there were pins: it starts no build."""
    assert record(PINNED).digest() == record(ROW).digest()
    assert record(PINNED).unpinned() == record(ROW)
    assert record(PINNED).revision_until == "2027-01-07T08:00:00.000+00:00"


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"revision": 7}, ["revision must be a string"]),
        ({"revision": "a/b"}, ["revision", "names no release"]),
        ({"revision": ""}, ["names no release"]),
        ({"revision": "a", "revision_until": "tomorrow"}, ["revision_until", "2027-01-07T08:00:00Z"]),
        ({"revision": "a", "revision_until": "2027-01-07T08:00:00"}, ["offset"]),
        ({"revision": "a", "revision_until": "0001-01-01T00:00:00+14:00"}, ["revision_until"]),
        ({"revision": "a", "revision_reason": "x" * (PIN_REASON_LIMIT + 1)}, ["revision_reason"]),
        ({"revision": "a", "revision_reason": "two\nlines"}, ["revision_reason"]),
        ({"revision_until": "2027-01-07T08:00:00Z"}, ["revision_until says nothing without revision"]),
        ({"revision_until": "x", "region": "mars-1"}, ["says nothing", "is no moment", "mars-1"]),
    ],
)
def test_what_is_wrong_with_a_pin_is_told_at_once(given: dict[str, Any], words: list[str]) -> None:
    found = parse_row({**ROW, **given}, POLICY)
    assert isinstance(found, InvalidRow)
    assert all(word in found.reason for word in words), found.reason


def test_a_release_that_is_refused_is_told_beside_all_else() -> None:
    found = wish({**PINNED, "region": "mars-1", "standby_region": "us-east-1"})
    assert isinstance(found, InvalidRow)
    assert "mars-1" in found.reason
    assert found.reasons[-1] == "4f2c9d1 is refused with a standby"


@pytest.mark.parametrize(
    ("changes", "refused"),
    [
        ({}, True),
        ({"pinned": "4f2c9d1", "revision_deployed": "4f2c9d1"}, False),
        ({"pinned": "4f2c9d1"}, True),  # somebody has moved it since
        ({"pinned": "4f2c9d1", "phase": Phase.FAILED}, False),
        ({"pinned": "4f2c9d1", "phase": Phase.RETIRED}, True),
    ],
)
def test_what_was_placed_is_judged_no_more(changes: dict[str, Any], refused: bool) -> None:
    assert isinstance(wish(PINNED, replace(STANDS, **changes)), InvalidRow) is refused


def test_who_is_not_to_be_active_is_placed_nowhere() -> None:
    assert not isinstance(wish({**PINNED, "state": "suspended"}), InvalidRow)


def test_releases_leave_it_out_and_say_why_until_it_is_over() -> None:
    until = "2027-01-07T08:00:00.000+00:00"
    assert why_not(record(PINNED), STANDS) == f"its row pins 4f2c9d1 until {until}: breaks imports"
    assert why_not(record({**ROW, "revision": "4f2c9d1"}), STANDS) == "its row pins 4f2c9d1"
    over = {**PINNED, "revision_until": NOW}
    assert (why_not(record(over), STANDS), pin_of(over, NOW)) == ("", "")


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, True),
        ({"revision_deployed": "4f2c9d1"}, True),  # to be held there, and to say so
        ({"revision_deployed": "4f2c9d1", "pinned": "4f2c9d1"}, False),
        ({"pinned": "4f2c9d1"}, True),
        ({"pinned": "4f2c9d1", "phase": Phase.FAILED}, False),
        ({"pinned": "another", "phase": Phase.FAILED}, True),
        ({"phase": Phase.INVALID}, True),
        ({"phase": Phase.UPDATING}, False),
        ({"phase": Phase.PENDING}, False),
        ({"phase": Phase.MOVING}, False),
        ({"pipeline_stack": None}, False),
        ({"revision_deployed": ""}, False),
    ],
)
def test_whom_a_pin_moves(changes: dict[str, Any], expected: bool) -> None:
    status = replace(STANDS, **changes)
    assert is_elsewhere("4f2c9d1", status) is expected
    assert not is_elsewhere("", status)
    assert (course(record(PINNED), status) is Course.LIFECYCLE) is expected


def test_a_release_that_leaves_out_a_row_that_a_source_refuses_names_that() -> None:
    invalid = replace(STANDS, phase=Phase.INVALID)
    assert why_not(record(ROW), replace(invalid, refused_by="4f2c9d1")) == "release 4f2c9d1 refuses its row"
    assert why_not(record(ROW), invalid) == "its row was corrected, and no build has taken it up yet"
