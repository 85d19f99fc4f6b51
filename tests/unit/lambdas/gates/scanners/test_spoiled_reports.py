"""No report that is spoiled passes: reports of something bad, with a part cut off, taken away or made nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from copy import deepcopy
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdas.common.evidence.verdict import Outcome
from lambdas.gates.model.gate import Gate, Scanned, decide
from lambdas.gates.scanners.scanner import Trouble, read

_CFN_LINT = {
    "Filename": "a.template.json",
    "Id": "1",
    "Level": "Error",
    "Location": {"Start": {"LineNumber": 1, "ColumnNumber": 2}, "Path": ["Resources", "Q"]},
    "Message": "Additional properties are not allowed",
    "Rule": {"Id": "E3002", "Description": "d", "Source": "https://example.com/"},
}
_CHECKOV = {
    "check_id": "CKV_AWS_57",
    "check_name": "S3 Bucket has an ACL",
    "severity": None,
    "resource": "AWS::S3::Bucket.B",
    "file_path": "/a.template.json",
    "file_line_range": [1, 9],
    "guideline": None,
}
_KINGFISHER = {
    "rule": {"id": "kingfisher.aws.2", "name": "AWS"},
    "finding": {"path": "a.py", "line": 1, "column_start": 2, "snippet": "[REDACTED]"},
}
_CDK = {"ruleName": "S1", "description": "d", "severity": "error", "violatingConstructs": [{"constructPath": "A/B"}]}
_ISSUE = {"test_id": "B602", "issue_severity": "HIGH", "issue_text": "shell", "filename": "a.py", "line_number": 3}
_BAD: dict[str, Any] = {
    "bandit": {"errors": [], "generated_at": "2026", "metrics": {"_totals": {"loc": 9}}, "results": [_ISSUE]},
    "cfn_lint": [_CFN_LINT],
    "checkov": {
        "check_type": "cloudformation",
        "results": {"failed_checks": [_CHECKOV]},
        "summary": {
            "passed": 1,
            "failed": 1,
            "skipped": 0,
            "parsing_errors": 0,
            "resource_count": 2,
            "checkov_version": "3.3.30",
        },
    },
    "kingfisher": {
        "metadata": {"kingfisher_version": "2.14.0", "summary": {"findings": 1, "blobs_scanned": 10}},
        "findings": [_KINGFISHER],
        "audit": {"summary": {"fetch_failed": 0}},
    },
    "pip_audit": {
        "dependencies": [
            {"name": "pyyaml", "version": "5.3.1", "vulns": [{"id": "X-1", "fix_versions": ["5.4"], "aliases": []}]}
        ],
        "fixes": [],
    },
    "cdk_validation": {
        "version": "55.0.0",
        "title": "Validation Report",
        "pluginReports": [{"pluginName": "x", "conclusion": "success", "violations": [_CDK]}],
    },
}
_NAMES = sorted(_BAD)


def outcome(name: str, text: str, folder: Path) -> Outcome:
    report = folder / "report.json"
    report.write_text(text, encoding="utf-8")
    try:
        scanned = read(report, name=name, version="1")
    except Trouble as error:
        scanned = Scanned(troubles=[(error.word, error.text)])
    return decide(Gate(name="one", scanner=name), scanned, (), today=date(2026, 6, 1)).outcome


def _places(value: Any, *place: Any) -> Iterator[tuple[Any, ...]]:
    """Where everything is."""
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, one in entries:
        yield (*place, key)
        yield from _places(one, *place, key)


def _at(value: Any, place: tuple[Any, ...]) -> Any:
    for key in place:
        value = value[key]
    return value


@pytest.mark.parametrize("name", _NAMES)
def test_a_report_of_something_bad_fails(name: str, tmp_path: Path) -> None:
    assert outcome(name, json.dumps(_BAD[name]), tmp_path) is Outcome.FAIL


@given(st.data())
def test_no_part_of_a_report_passes(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(_NAMES))
    text = json.dumps(_BAD[name])
    folder = tmp_path_factory.mktemp("reports")
    assert outcome(name, text[: data.draw(st.integers(0, len(text) - 1))], folder) is Outcome.ERROR


_PARTS = [pytest.param(name, place, id=f"{name} {place}") for name in _NAMES for place in _places(_BAD[name])]


@pytest.mark.parametrize(("name", "place"), _PARTS)
def test_nothing_that_is_taken_away_makes_it_pass(name: str, place: tuple[Any, ...], tmp_path: Path) -> None:
    """But for a finding as a whole: then there is none, and a tool that counts what it tells says otherwise."""
    spoiled = deepcopy(_BAD[name])
    around, key = _at(spoiled, place[:-1]), place[-1]
    kept = around[key]
    others: tuple[object, ...] = (None, {}, "", 7, "x")
    for other in others:
        around[key] = other
        assert outcome(name, json.dumps(spoiled), tmp_path) is not Outcome.PASS, other
    around[key] = kept
    del around[key]
    if isinstance(around, list) and name in ("bandit", "cfn_lint", "cdk_validation", "pip_audit"):
        return
    assert outcome(name, json.dumps(spoiled), tmp_path) is not Outcome.PASS, "it is taken away"


@pytest.mark.parametrize("name", _NAMES)
@pytest.mark.parametrize("other", _NAMES)
def test_another_tools_report_passes_nothing(name: str, other: str, tmp_path: Path) -> None:
    if name != other:
        assert outcome(name, json.dumps(_BAD[other]), tmp_path) is Outcome.ERROR
