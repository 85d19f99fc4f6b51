"""What a report changes in Security Hub: nothing is lost, revived or archived on a guess."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdas.common.clock import moment, stamp
from lambdas.common.evidence.finding import Finding, Severity, State
from lambdas.common.evidence.kept_report import Head, Unread
from lambdas.gates.model.asff import Asff, Hub
from lambdas.gates.model.hub_plan import Plan

HUB = Hub(account="111111111111", region="eu-west-1", factory="granary")
DAYS = [f"2026-11-{day:02}T10:00:00.000+00:00" for day in range(1, 11)]
A, B, C = (Finding(tool="bandit", rule=rule, title=rule, severity=Severity.HIGH) for rule in "ABC")
PASSED = replace(A, state=State.PASSED)
UNREAD = Unread("line 2", "tool is missing")


class Had(dict[str, Asff]):
    """What Security Hub has, by id: it takes whatever a report comes to."""

    def take(self, day: str, *report: Finding | Unread, complete: bool = True, **head: Any) -> dict[str, int]:
        about = Head(gate="code", target="source", created=day, findings=len(report), complete=complete, **head)
        plan = Plan(HUB, about)
        plan.name(report)
        there = [one for name, one in self.items() if name.startswith(HUB.ids(about))]
        sent = [*plan.look(there), *plan.sent(report)]
        assert len({one["Id"] for one in sent}) == len(sent)
        self.update({one["Id"]: one for one in sent})
        return {name: count for name, count in plan.counts(()).items() if count}

    def state(self, one: Finding) -> str:
        return str(self.of(one)["RecordState"])

    def of(self, one: Finding) -> Asff:
        return self[f"granary:code:source:{one.fingerprint}"]


@pytest.fixture
def had() -> Had:
    """Security Hub with A and B, of the first day."""
    hub = Had()
    assert hub.take(DAYS[0], A, B) == {"new": 2}
    return hub


def test_a_second_look_brings_the_same_findings(had: Had) -> None:
    assert had.take(DAYS[1], A, B, C) == {"updated": 2, "new": 1}
    assert len(had) == 3


def test_what_a_complete_report_does_not_name_is_archived(had: Had) -> None:
    assert had.take(DAYS[1], A) == {"updated": 1, "archived": 1}
    assert (had.state(A), had.state(B)) == ("ACTIVE", "ARCHIVED")
    assert had.of(B)["UpdatedAt"] == DAYS[1]
    assert had.take(DAYS[2], A) == {"updated": 1}


@pytest.mark.parametrize(("report", "complete"), [((A,), False), ((), False), ((A, UNREAD), True)])
def test_a_partial_report_archives_nothing(had: Had, report: tuple[Finding, ...], complete: bool) -> None:
    """Neither one that says so, nor one of which not all is understood."""
    had.take(DAYS[1], *report, complete=complete)
    assert (had.state(A), had.state(B)) == ("ACTIVE", "ACTIVE")


@pytest.mark.parametrize("state", [State.PASSED, State.SUPPRESSED])
@pytest.mark.parametrize("complete", [True, False])
def test_what_its_tool_says_is_over_is_archived(had: Had, state: State, complete: bool) -> None:
    assert had.take(DAYS[1], replace(A, state=state), B, complete=complete) == {"updated": 1, "archived": 1}
    assert had.state(A) == "ARCHIVED"


def test_what_passed_and_was_never_known_is_not_told() -> None:
    assert Had().take(DAYS[0], PASSED) == {}


def test_what_came_back_is_said_and_stays_said(had: Had) -> None:
    had.take(DAYS[1], B)
    assert had.take(DAYS[2], A, B) == {"reopened": 1, "updated": 1}
    assert had.state(A) == "ACTIVE"
    had.take(DAYS[3], A, B)
    assert had.of(A)["ProductFields"]["granary/reopened"] == DAYS[2]
    assert "granary/reopened" not in had.of(B)["ProductFields"]


def test_first_seen_is_kept_whatever_happens(had: Had) -> None:
    for day, report in zip(DAYS[1:], ((A, B), (), (replace(A, severity=Severity.LOW),)), strict=False):
        had.take(day, *report)
    assert {had.of(A)["CreatedAt"], had.of(A)["FirstObservedAt"], had.of(B)["FirstObservedAt"]} == {DAYS[0]}
    assert had.of(A)["FindingProviderFields"]["Severity"]["Label"] == "LOW"


def test_a_report_that_comes_again_changes_nothing_and_says_the_same(had: Had) -> None:
    had.take(DAYS[1], B)
    said = {"new": 1, "reopened": 1, "archived": 1}
    assert had.take(DAYS[2], A, C) == said
    before = dict(had)
    assert had.take(DAYS[2], A, C) == said
    assert had == before


def test_a_report_that_was_half_imported_is_finished_and_says_all_of_it(had: Had) -> None:
    half = Had(had)
    assert half.take(DAYS[1], C, B) == {"new": 1, "updated": 1, "archived": 1}
    for name in half.keys() & had.keys():
        half[name] = had[name]  # what the first time did not come to
    assert half.take(DAYS[1], C, B) == {"new": 1, "updated": 1, "archived": 1}


def test_a_late_report_does_not_undo_a_later_one(had: Had) -> None:
    """Given a report whose import failed and is tried again behind the next one, then what that one said stays."""
    had.take(DAYS[2], B, C)
    before = dict(had)
    assert had.take(DAYS[1], A, B) == {}
    assert had == before


def test_a_finding_that_is_named_twice_is_sent_once() -> None:
    assert Had().take(DAYS[0], A, A) == {"new": 1}


def test_what_was_refused_is_not_counted_as_done() -> None:
    plan = Plan(HUB, Head(gate="code", target="source", created=DAYS[0], findings=2))
    plan.name([A, B])
    sent = [one["Id"] for one in plan.sent([A, B])]
    assert plan.counts([sent[0]]) == {"new": 1, "updated": 0, "reopened": 0, "archived": 0, "refused": 1}


def test_an_archived_finding_is_sent_without_what_others_added(had: Had) -> None:
    added = {"Workflow": {"Status": "NOTIFIED"}, "Severity": {"Label": "LOW"}, "ProcessedAt": DAYS[0], "Region": "x"}
    there = {**had.of(A), **added}
    there["ProductFields"] = {**there["ProductFields"], "aws/securityhub/FindingId": "x"}
    plan = Plan(HUB, Head(gate="code", target="source", created=DAYS[1], findings=0, complete=True))
    assert [*plan.look([there])] == [{**had.of(A), "RecordState": "ARCHIVED", "UpdatedAt": DAYS[1]}]


_REPORTS = st.lists(st.tuples(st.sets(st.sampled_from([A, B, C])), st.booleans(), st.booleans()), max_size=8)


@given(reports=_REPORTS)
def test_after_any_complete_report_what_is_active_is_what_it_names(
    reports: Iterable[tuple[set[Finding], bool, bool]],
) -> None:
    had, seen = Had(), dict[str, str]()
    for day, (named, complete, twice) in zip(DAYS, reports, strict=False):
        for _ in range(1 + twice):
            had.take(day, *named, complete=complete)
        seen = {one.fingerprint: day for one in named} | seen
        active = {name for name, one in had.items() if one["RecordState"] == "ACTIVE"}
        names = {f"granary:code:source:{one.fingerprint}" for one in named}
        assert names <= active
        assert not complete or active == names
    assert {name.partition("source:")[2]: stamp(moment(one["FirstObservedAt"])) for name, one in had.items()} == seen
