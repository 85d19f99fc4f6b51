"""What a scan comes to: only one that is whole, and in which nothing blocks, passes."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdas.common.evidence.finding import Finding, Package, Place, Severity, State
from lambdas.common.evidence.verdict import Outcome
from lambdas.gates.model.exceptions import Exception_
from lambdas.gates.model.gate import Decision, Gate, Scanned, Word, aged, decide, place_of
from lambdas.gates.model.telling import told

TODAY = date(2026, 6, 1)
GATE = Gate(name="code", scanner="bandit")


def finding(rule: str = "B602", severity: Severity = Severity.HIGH, **facts: Any) -> Finding:
    return Finding(tool="bandit", rule=rule, title="A fault", severity=severity, place=Place(path="a.py"), **facts)


def excepted(one: Finding, *, days: int = 90, gate: str = "code") -> Exception_:
    given = {"reason": "r", "requester": "a", "approver": "b"}
    return Exception_(fingerprint=one.fingerprint, gate=gate, expires=TODAY + timedelta(days=days), **given)


def judge(*findings: Finding, gate: Gate = GATE, exceptions: tuple[Exception_, ...] = (), **more: Any) -> Decision:
    return decide(gate, Scanned(findings=findings, **more), exceptions, today=TODAY)


_FINDINGS = st.lists(
    st.builds(finding, st.sampled_from("abc"), st.sampled_from(Severity), state=st.sampled_from(State)), max_size=5
)


@given(_FINDINGS, st.lists(st.sampled_from(Word), max_size=2), st.sampled_from(Severity), st.booleans())
def test_no_scan_passes_by_accident(findings: list[Finding], words: list[Word], least: Severity, blocks: bool) -> None:
    gate = replace(GATE, fail_at=least, unknown_blocks=blocks)
    decision = judge(*findings, gate=gate, troubles=[(word, "") for word in words])
    opened = [one.severity for one in findings if one.state is State.OPEN]
    scale = [one for one in Severity if one is not Severity.UNKNOWN]
    bad = scale[: scale.index(least) + 1] if least in scale else scale
    if words:
        assert decision.outcome is Outcome.ERROR
    elif any(one in bad for one in opened) or (blocks and Severity.UNKNOWN in opened):
        assert decision.outcome is Outcome.FAIL
    else:
        assert decision.outcome is Outcome.PASS
    shown = [*decision.blocking, *decision.others]
    assert sorted(map(id, shown)) == sorted(id(one) for one in findings if one.state is State.OPEN)


@pytest.mark.parametrize("word", Word)
def test_every_word_is_an_error_that_says_it(word: Word) -> None:
    decision = judge(troubles=[(word, "because")])
    assert (decision.outcome, decision.reason) == (Outcome.ERROR, f"bandit: {word.value}: because")


def test_that_it_could_not_tell_goes_before_what_it_found_and_hides_none_of_it() -> None:
    decision = judge(finding(), troubles=[(Word.INCOMPLETE, "b.py")])
    assert (decision.outcome, [one.rule for one in decision.blocking]) == (Outcome.ERROR, ["B602"])


def test_an_unknown_severity_is_on_no_scale() -> None:
    unknown = finding(severity=Severity.UNKNOWN)
    assert judge(unknown, gate=replace(GATE, fail_at=Severity.CRITICAL)).outcome is Outcome.FAIL
    lenient = replace(GATE, fail_at=Severity.INFORMATIONAL, unknown_blocks=False)
    assert judge(unknown, gate=lenient).outcome is Outcome.PASS
    assert judge(unknown, finding(severity=Severity.INFORMATIONAL), gate=lenient).outcome is Outcome.FAIL


def test_the_worst_is_told_first() -> None:
    low, high = finding("a", Severity.LOW), finding("z", Severity.HIGH)
    decision = judge(low, high, finding("b", Severity.CRITICAL))
    assert decision.reason == "CRITICAL b at a.py and 1 more"
    assert decision.others == (low,)
    assert decision.counts == {"CRITICAL": 1, "HIGH": 1, "LOW": 1}


def remarks(decision: Decision) -> list[str]:
    return [one.text for one in decision.remarks]


@pytest.mark.parametrize(
    ("days", "outcome", "remark"),
    [
        (-1, Outcome.FAIL, "expired on 2026-05-31: repair what was found, or have the exception approved anew"),
        (0, Outcome.FAIL, "expired on 2026-06-01: repair what was found, or have the exception approved anew"),
        (1, Outcome.PASS, "expires on 2026-06-02: repair what was found by then"),
        (14, Outcome.PASS, "expires on 2026-06-15: repair what was found by then"),
        (15, Outcome.PASS, ""),
        (365, Outcome.PASS, ""),
        (
            366,
            Outcome.FAIL,
            "expires on 2027-06-02, more than a year from now, and does not count: choose an earlier day",
        ),
    ],
)
def test_an_exception_counts_until_its_day(days: int, outcome: Outcome, remark: str) -> None:
    decision = judge(finding(), exceptions=(excepted(finding(), days=days),))
    assert decision.outcome is outcome
    assert remarks(decision) == ([remark] if remark else [])
    assert bool(decision.excepted) is (outcome is Outcome.PASS)


def test_an_exception_that_is_not_used_is_told() -> None:
    decision = judge(exceptions=(excepted(finding()),))
    assert (decision.outcome, remarks(decision)) == (
        Outcome.PASS,
        ["nothing has this fingerprint any more: remove the exception"],
    )


def test_a_scan_that_is_not_whole_says_of_no_exception_that_it_is_over() -> None:
    """Given a scanner that did not run, then nobody is told to take out what lets the next commit through."""
    for soon, said in ((90, []), (3, ["expires on 2026-06-04: repair what was found by then"])):
        decision = judge(exceptions=(excepted(finding(), days=soon),), troubles=[(Word.DID_NOT_RUN, "")])
        assert remarks(decision) == said


def test_an_exception_of_another_gate_or_finding_lets_nothing_through() -> None:
    moved = replace(finding(), place=Place(path="b.py"))
    decision = judge(finding(), exceptions=(excepted(finding(), gate="secrets"), excepted(moved)))
    assert decision.outcome is Outcome.FAIL
    assert len(decision.remarks) == 1, "another gate's is that gate's to tell"


def test_an_exception_is_for_one_finding_and_for_no_scan_that_is_not_whole() -> None:
    twice = (finding(), replace(finding(), repeat=1))
    assert judge(*twice, exceptions=(excepted(twice[0]),)).blocking == (twice[1],)
    assert judge(finding(), exceptions=(excepted(finding()),), troubles=[(Word.BLIND, "")]).outcome is Outcome.ERROR


def test_people_see_what_blocks_where_it_is_and_what_to_do() -> None:
    package = Package(name="pyyaml", installed="5.3.1", fixed="5.4")
    one = replace(finding(), place=Place(), package=package, title="Runs\ncode\x1b[2J")
    lines = list(told(GATE, judge(one)))
    assert lines[0] == "gate code (bandit): FAIL, 1 HIGH"
    assert lines[1] == "  HIGH B602 at pyyaml 5.3.1"
    assert "take pyyaml 5.4" in lines[4]
    assert lines[5].endswith(one.fingerprint)
    assert not any("\x1b" in line or "\n" in line for line in lines)
    many = [replace(finding(), repeat=number) for number in range(60)]
    assert list(told(GATE, judge(*many)))[-1] == "  and 10 more: repair these first"


@pytest.mark.parametrize(
    ("facts", "where"),
    [
        ({"place": Place(path="a.py", line=3)}, "a.py:3"),
        ({"place": Place(), "resource": "Stack/Bucket"}, "Stack/Bucket"),
        ({"place": Place(inside="commit")}, "commit"),
        ({"place": Place()}, "an unknown place"),
    ],
)
def test_where_it_is(facts: dict[str, Any], where: str) -> None:
    assert place_of(replace(finding(), **facts)) == where


@pytest.mark.parametrize(
    ("data_of", "told"),
    [
        ("2026-05-25", ""),
        ("2026-05-25T23:59:59Z", ""),
        ("2026-06-02", ""),
        ("2026-05-24T23:59:59.123+00:00", "it is of 2026-05-24, and at most 7 days are taken"),
        ("", "it does not tell the date of its data"),
        ("28/11/2026", "'28/11/2026'"),
    ],
)
def test_data_that_is_too_old_or_of_no_known_day_proves_nothing(data_of: str, told: str) -> None:
    scanned = aged(replace(GATE, max_age_days=7), Scanned(data_of=data_of), today=TODAY)
    decision = decide(GATE, scanned, [], today=TODAY)
    assert (decision.outcome is Outcome.ERROR) is bool(told)
    assert (f"bandit: {Word.OLD.value}: " in decision.reason, told in decision.reason) == (bool(told), True)


def test_that_a_scanner_did_not_run_is_all_that_is_told_of_it() -> None:
    scanned = Scanned(troubles=[(Word.DID_NOT_RUN, "it ended with 3")])
    assert aged(replace(GATE, max_age_days=7), scanned, today=TODAY) == scanned


def test_a_gate_that_asks_for_no_age_takes_any() -> None:
    assert aged(GATE, Scanned(data_of="1999-01-01"), today=TODAY).troubles == ()


def test_what_is_excepted_is_told_with_its_last_day() -> None:
    """Of two exceptions that count, the later one."""
    one = finding()
    decision = judge(one, exceptions=(excepted(one, days=90), excepted(one, days=30)))
    lines = list(told(GATE, decision))
    assert lines[0] == "gate code (bandit): PASS, 1 excepted"
    assert lines[1] == f"  excepted {one.fingerprint}: HIGH B602 at a.py, until {TODAY + timedelta(days=90)}"
