"""What gates found, as other tools read it."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from xml.etree import ElementTree

from hypothesis import given
from hypothesis import strategies as st

from lambdas.common.evidence.finding import Finding, Place, Severity, State
from lambdas.gates.model.exceptions import Exception_
from lambdas.gates.model.gate import Gate, Ran, Scanned, Word, decide
from lambdas.gates.model.outputs import cucumber, junit, sarif
from lambdas.gates.model.reports import read_report

TODAY = date(2026, 6, 1)


def ran(*findings: Finding, excepted: tuple[Finding, ...] = (), troubles: tuple[tuple[Word, str], ...] = ()) -> Ran:
    gate = Gate(name="code", scanner="bandit")
    given: dict[str, Any] = {
        "gate": "code",
        "reason": "r",
        "requester": "a",
        "approver": "b",
        "expires": TODAY + timedelta(days=90),
    }
    exceptions = [Exception_(fingerprint=one.fingerprint, **given) for one in excepted]
    scanned = Scanned(findings=findings, tool_version="1.9.4", troubles=troubles)
    return Ran(gate=gate, scanned=scanned, decision=decide(gate, scanned, exceptions, today=TODAY))


def finding(rule: str = "B602", severity: Severity = Severity.HIGH, **facts: Any) -> Finding:
    place = Place(path="src/a b.py", line=3)
    return Finding(
        **{"tool": "bandit", "rule": rule, "title": "A fault", "severity": severity, "place": place, **facts}
    )


HIGH, LOW, EXCEPTED = finding(), finding("B404", Severity.LOW), finding("B102", Severity.CRITICAL)


def suite(one: Ran) -> ElementTree.Element:
    (found,) = ElementTree.fromstring(junit([one]))  # noqa: S314 - our own
    return found


def test_a_report_of_tests_says_what_failed_was_left_and_is_in_order() -> None:
    found = suite(ran(HIGH, LOW, EXCEPTED, excepted=(EXCEPTED,)))
    assert found.attrib == {"name": "code", "tests": "4", "failures": "1", "errors": "0", "skipped": "1"}
    assert [(case.attrib["name"], [child.tag for child in case]) for case in found] == [
        ("bandit could tell", []),
        ("B602 at src/a b.py:3", ["failure"]),
        ("B102 at src/a b.py:3", ["skipped"]),
        ("B404 at src/a b.py:3", []),
    ]
    failure = found.find("testcase/failure")
    assert failure is not None
    assert failure.attrib["message"] == "HIGH: A fault"
    assert HIGH.fingerprint in (failure.text or "")


def test_a_gate_that_passed_is_a_test_that_passed_and_one_that_cannot_tell_is_an_error() -> None:
    assert suite(ran()).attrib["tests"] == "1"
    found = suite(ran(troubles=((Word.DID_NOT_RUN, "it ended with 3"),)))
    assert (found.attrib["errors"], found.attrib["failures"]) == ("1", "0")
    error = found.find("testcase/error")
    assert error is not None
    assert error.attrib["message"] == "bandit: did not run: it ended with 3"


@given(st.text(), st.text())
def test_no_text_spoils_a_report(title: str, path: str) -> None:
    one = ran(finding(title=title, place=Place(path=path)), troubles=((Word.UNREADABLE, title),))
    assert len(suite(one)) == 2
    (run,) = json.loads(sarif([one]))["runs"]
    assert len(run["results"]) == 1
    (feature,) = json.loads(cucumber([one]))
    assert len(feature["elements"]) == 2


def test_cucumber_says_what_junit_says() -> None:
    """A scenario with one step for each case; https://github.com/cucumber/cucumber-json-schema"""
    one = ran(HIGH, LOW, EXCEPTED, excepted=(EXCEPTED,))
    (feature,) = json.loads(cucumber([one]))
    assert (feature["keyword"], feature["name"], feature["id"]) == ("Feature", "code", "code")
    scenarios = [(each["name"], [step["result"]["status"] for step in each["steps"]]) for each in feature["elements"]]
    assert scenarios == [
        ("bandit could tell", ["passed"]),
        ("B602 at src/a b.py:3", ["failed"]),
        ("B102 at src/a b.py:3", ["skipped"]),
        ("B404 at src/a b.py:3", ["passed"]),
    ]
    assert [name for name, _ in scenarios] == [case.attrib["name"] for case in suite(one)]
    assert len({each["id"] for each in feature["elements"]}) == len(scenarios)
    failed = feature["elements"][1]["steps"][0]["result"]
    assert failed["error_message"].startswith("HIGH: A fault")
    assert HIGH.fingerprint in failed["error_message"]


def test_in_cucumber_a_gate_that_cannot_tell_has_failed() -> None:
    ((whole,), *_) = [one["elements"] for one in json.loads(cucumber([ran(troubles=((Word.DID_NOT_RUN, "3"),))]))]
    result = whole["steps"][0]["result"]
    assert (result["status"], result["error_message"]) == ("failed", "bandit: did not run: 3")


def test_sarif_is_what_our_own_reader_of_it_reads() -> None:
    elsewhere = finding("B105", Severity.MEDIUM, place=Place(), resource="Stack/Bucket", url="https://example.com/x")
    text = sarif([ran(HIGH, LOW, EXCEPTED, elsewhere, excepted=(EXCEPTED,)), ran()])
    report = read_report(io.BytesIO(text.encode()), name="sarif")
    assert (report.errors, report.version) == ((), "1.9.4")
    assert [(one.rule, one.state, one.severity, one.place.path, one.place.line) for one in report.findings] == [
        ("B602", State.OPEN, Severity.HIGH, "src/a b.py", 3),
        ("B105", State.OPEN, Severity.MEDIUM, "", 0),
        ("B404", State.OPEN, Severity.LOW, "src/a b.py", 3),
        ("B102", State.SUPPRESSED, Severity.HIGH, "src/a b.py", 3),
    ]
    assert report.findings[1].resource == "Stack/Bucket"


def test_sarif_has_what_its_schema_requires() -> None:
    """Of the parts that are written; https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html"""
    document = json.loads(sarif([ran(HIGH, replace(HIGH, repeat=1), finding(severity=Severity.UNKNOWN))]))
    assert document["version"] == "2.1.0"
    (run,) = document["runs"]
    driver = run["tool"]["driver"]
    assert (driver["name"], driver["version"], [one["id"] for one in driver["rules"]]) == ("bandit", "1.9.4", ["B602"])
    assert {one["level"] for one in run["results"]} == {"error", "warning"}
    assert len({one["partialFingerprints"]["granary"] for one in run["results"]}) == 2, "severity is no part of it"
    place = run["results"][0]["locations"][0]["physicalLocation"]
    assert place == {"artifactLocation": {"uri": "src/a%20b.py"}, "region": {"startLine": 3}}
    assert run["invocations"] == [{"executionSuccessful": True, "toolExecutionNotifications": []}]


def test_sarif_of_a_gate_that_cannot_tell_says_so_to_its_reader() -> None:
    text = sarif([ran(HIGH, troubles=((Word.INCOMPLETE, "b.py"),))])
    report = read_report(io.BytesIO(text.encode()), name="sarif")
    assert not report.clean
    assert any("did not run to its end" in error for error in report.errors)
    (run,) = json.loads(text)["runs"]
    assert run["invocations"][0]["toolExecutionNotifications"][0]["message"] == {"text": "scanned only a part: b.py"}
