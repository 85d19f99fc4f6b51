"""Reports of other versions of a tool, and as other programs hand them on: the same findings."""

from __future__ import annotations

import json
from copy import deepcopy
from typing import Any

import pytest

from lambdas.common.evidence.finding import State
from lambdas.gates.model.events import ReportError
from lambdas.gates.model.reports import Report
from tests.unit.lambdas.gates.reports import EXPECTED, dump, format_of, known, parse


def _lines(records: list[Any]) -> bytes:
    return "\n".join(map(json.dumps, records)).encode()


@pytest.mark.parametrize("file", ["asff.json", "cfn_guard.json", "ocsf.json"])
def test_records_one_after_the_other_are_read_as_their_list_is(file: str) -> None:
    data, name = known(file), format_of(file)
    records = data["Findings"] if isinstance(data, dict) else data
    for written in (_lines(records), b"".join(json.dumps(one, indent=1).encode() for one in records)):
        assert parse(written, name).findings == parse(dump(data), name).findings
        assert parse(written, "").format == name
    assert len(parse(_lines(records[:1]), name).findings) >= 1
    with pytest.raises(ReportError):
        parse(_lines(records)[:-5], name)


def test_suites_in_suites_are_read() -> None:
    case = '<testcase name="{}"><failure message="x"/></testcase>'
    inner = f'<testsuite name="b">{case.format("b")}<testsuite name="c">{case.format("c")}</testsuite></testsuite>'
    text = f'<testsuite name="a" failures="3"><testcase name="a"/>{inner}{case.format("a2")}</testsuite>'
    for written in (text, f"<testsuites>{text}</testsuites>"):
        report = parse(written.encode(), "junit")
        assert (sorted(one.rule for one in report.findings), report.scanned, report.errors) == (["a2", "b", "c"], 4, ())


def test_gitleaks_of_version_7() -> None:
    leak = {"line": "x", "lineNumber": 3, "offender": "planted", "commit": "c0ffee", "rule": "AWS key", "file": "a.py"}
    (found,) = parse(dump([leak]), "gitleaks").findings
    assert (found.rule, found.place.path, found.place.line, found.place.inside) == ("AWS key", "a.py", 3, "c0ffee")
    assert "planted" not in found.to_json()


def test_prowler_of_version_3_in_ocsf() -> None:
    def check(status: str) -> dict[str, Any]:
        return {
            "finding": {"title": "Certificates are renewed", "remediation": {"desc": "Renew it"}},
            "resources": [{"uid": "arn:1"}],
            "compliance": {"status": status},
            "severity": "High",
            "metadata": {"product": {"name": "Prowler", "feature": {"uid": "acm_expiry"}}},
            "state": "New",
            "status": status,
            "class_uid": 2001,
        }

    (found,) = parse(dump([check("Success"), check("Failure")]), "ocsf").findings
    assert (found.rule, found.title, found.state) == ("acm_expiry", "Certificates are renewed", State.OPEN)
    assert found.remediation == "Renew it"


def test_wapiti_before_it_told_its_pages() -> None:
    data = known("wapiti.json")
    del data["infos"]["crawled_pages_nbr"]
    report = parse(dump(data), "wapiti")
    assert (len(report.findings), report.scanned, report.errors) == (EXPECTED["wapiti.json"][0], None, ())


def test_pip_audit_without_its_list_of_repairs() -> None:
    data = known("pip_audit.json")
    del data["fixes"]
    assert parse(dump(data), "pip-audit").findings == parse(dump(known("pip_audit.json")), "pip-audit").findings


@pytest.mark.parametrize(
    ("file", "path"),
    [
        ("bandit.json", ("results", 0, "col_offset")),
        ("cfn_nag.json", (0, "file_results", "violations", 0, "line_numbers", 0)),
        ("checkov.json", (0, "results", "failed_checks", 0, "file_line_range", 0)),
        ("kics.json", ("queries", 0, "files", 0, "line")),
        ("sarif.sarif", ("runs", 0, "results", 0, "locations", 0, "physicalLocation", "region", "startLine")),
    ],
)
def test_a_line_that_its_tool_does_not_know_loses_no_finding(file: str, path: tuple[Any, ...]) -> None:
    data = inner = known(file)
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = -1
    report = parse(dump(data), format_of(file))
    assert (len(report.findings), report.errors) == (EXPECTED[file][0], ())


def test_a_secret_is_the_same_in_each_commit_that_has_it() -> None:
    """Given an exception for one, then a commit that changes another line of its file makes no new finding of it."""

    def found(*at: tuple[str, int]) -> Report:
        records = [deepcopy(secret) for _ in at]
        for record, (commit, line) in zip(records, at, strict=True):
            record["finding"] |= (
                {"line": line, "git_metadata": {"commit": {"id": commit}}} if commit else {"line": line}
            )
        return parse(dump(data | {"findings": records}), "kingfisher")

    data = known("kingfisher.json")
    secret, data["metadata"]["summary"]["findings"] = data["findings"][0], 1
    secret["finding"].pop("git_metadata", None)
    (tree,) = found(("", 1)).findings
    (removed,) = found(("c1", 7)).findings
    assert (removed.fingerprint, removed.place.commit) == (tree.fingerprint, "c1")
    assert found(("", 1), ("c1", 1), ("c2", 5)).findings == (tree,)
    twice = found(("c1", 1), ("c1", 9), ("c2", 1), ("c2", 10))
    assert [one.repeat for one in twice.findings] == [0, 1], "it stands twice in each of them"
