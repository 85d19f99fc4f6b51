"""What the parsers make of what tools say: what was not scanned, what is open, how bad it is and where."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

import pytest

from lambdas.common.evidence.finding import Finding, Severity, State
from lambdas.gates.model.events import ReportError
from lambdas.gates.model.reports import Report
from tests.unit.lambdas.gates.reports import EXPECTED, JSON, dump, format_of, known
from tests.unit.lambdas.gates.reports import parse as parse_bytes

_LINES = {
    "line",
    "line_number",
    "start_line",
    "StartLine",
    "startLine",
    "LineNumber",
    "line_numbers",
    "file_line_range",
}


def parse(data: Any, name: str) -> Report:
    return parse_bytes(dump(data), name)


def by_rule(report: Report) -> Mapping[str, Finding]:
    return {one.rule: one for one in report.findings}


_TOTALS = {"metrics": {"_totals": {"loc": 9}}, "generated_at": "now", "results": []}
_CHECKOV = {"check_type": "terraform", "results": {"failed_checks": [], "parsing_errors": []}}
_SUMMARY = {"passed": 1, "failed": 0, "resource_count": 1, "checkov_version": "3"}
_WAPITI: dict[str, Any] = {"vulnerabilities": {}, "anomalies": {}}
_KINGFISHER = {"kingfisher_version": "2", "summary": {"findings": 0, "blobs_scanned": 3}}
_SEMGREP = {"version": "1", "results": [], "paths": {"scanned": ["a.py"]}}
_SNYK = {"vulnerabilities": [], "ok": True, "dependencyCount": 3}
_STEP = {"name": "s", "result": {"status": "skipped"}}
_FEATURE = {"name": "f", "uri": "u", "keyword": "Feature"}
_GUARD = {"name": "t", "not_compliant": [], "compliant": []}
_ECR = {"repositoryName": "web", "imageScanFindings": {}, "imageScanStatus": {"status": "COMPLETE"}}
_KICS = {
    "queries": [],
    "total_counter": 0,
    "files_parsed": 1,
    "files_failed_to_scan": 0,
    "queries_failed_to_execute": 0,
}

# What a tool writes that has found nothing, and, beside it, when it has not looked at all.
_CLEAN: Mapping[str, Any] = {
    "bandit": _TOTALS | {"errors": []},
    "checkov": _CHECKOV | {"summary": _SUMMARY},
    "cfn-guard": [_GUARD | {"status": "PASS", "compliant": ["R"]}],
    "ecr": _ECR,
    "kics": _KICS,
    "kingfisher": {"findings": [], "metadata": _KINGFISHER},
    "pip-audit": {"dependencies": [{"name": "a", "version": "1", "vulns": []}], "fixes": []},
    "sarif": {"version": "2.1.0", "runs": [{"tool": {"driver": {"name": "t"}}, "results": []}]},
    "semgrep": _SEMGREP | {"errors": []},
    "snyk": _SNYK,
    "terraform-compliance": [
        _FEATURE | {"elements": [{"name": "s", "steps": [_STEP | {"result": {"status": "passed"}}]}]}
    ],
    "tfsec": {"results": None},
    "trivy": {"SchemaVersion": 2, "ArtifactName": "x", "Results": [{"Target": "a"}]},
    "wapiti": _WAPITI | {"infos": {"target": "t", "version": "3", "crawled_pages_nbr": 3}},
}
_NOT_SCANNED: tuple[tuple[str, str, Any], ...] = (
    ("a file could not be read", "bandit", _TOTALS | {"errors": [{"filename": "a.py", "reason": "syntax error"}]}),
    ("the path is missing", "bandit", _TOTALS | {"errors": [], "metrics": {"_totals": {"loc": 0}}}),
    ("a broken template", "checkov", {"passed": 0, "failed": 0, "skipped": 0, "checkov_version": "3"}),
    (
        "a file that is no Terraform",
        "checkov",
        {
            **_CHECKOV,
            "results": {"failed_checks": [], "parsing_errors": ["/main.tf"]},
            "summary": _SUMMARY | {"parsing_errors": 1},
        },
    ),
    ("its own count is another", "checkov", _CHECKOV | {"summary": _SUMMARY | {"failed": 2}}),
    ("no resource that a rule is about", "cfn-guard", [_GUARD | {"status": "SKIP"}]),
    ("the scan runs still", "ecr", _ECR | {"imageScanStatus": {"status": "IN_PROGRESS"}}),
    ("one page of several", "ecr", _ECR | {"nextToken": "more"}),
    ("one page of several", "asff", {"Findings": [], "NextToken": "more"}),
    ("one page of several", "inspector", {"findings": [], "nextToken": "more"}),
    ("a query failed", "kics", _KICS | {"queries_failed_to_execute": 1}),
    ("its own count is another", "kics", _KICS | {"total_counter": 1}),
    (
        "nothing was there",
        "kingfisher",
        {"findings": [], "metadata": {**_KINGFISHER, "summary": {"findings": 0, "blobs_scanned": 0}}},
    ),
    (
        "a repository could not be fetched",
        "kingfisher",
        {"findings": [], "audit": {"summary": {"fetch_failed": 1}}, "metadata": _KINGFISHER},
    ),
    (
        "the index has no advisories",
        "pip-audit",
        {"dependencies": [{"name": "a", "skip_reason": "not found"}], "fixes": []},
    ),
    ("no requirements", "pip-audit", {"dependencies": [], "fixes": []}),
    ("no run", "sarif", {"version": "2.1.0", "runs": []}),
    (
        "a run without results",
        "sarif",
        {"version": "2.1.0", "runs": [{"tool": {"driver": {"name": "t"}}, "results": None}]},
    ),
    (
        "the tool failed",
        "sarif",
        {
            "version": "2.1.0",
            "runs": [
                {"tool": {"driver": {"name": "t"}}, "results": [], "invocations": [{"executionSuccessful": False}]}
            ],
        },
    ),
    ("no rule was loaded", "semgrep", _SEMGREP | {"errors": [{"type": "SemgrepError", "message": "bad rule"}]}),
    ("no file was scanned", "semgrep", _SEMGREP | {"errors": [], "paths": {"scanned": []}}),
    ("the service is down", "snyk", {"ok": False, "error": "socket hang up", "path": "/x"}),
    ("one project of two failed", "snyk", [_SNYK, {"ok": False, "error": "no lock file", "path": "/x"}]),
    ("no dependency", "snyk", _SNYK | {"dependencyCount": 0}),
    (
        "no resource that a scenario is about",
        "terraform-compliance",
        [_FEATURE | {"elements": [{"name": "s", "steps": [_STEP]}]}],
    ),
    ("no target", "trivy", {"SchemaVersion": 2, "ArtifactName": "x"}),
    ("no target, in the older form", "trivy", None),
    ("the target is down", "wapiti", _WAPITI | {"infos": {"target": "t", "version": "3", "crawled_pages_nbr": 0}}),
)


@pytest.mark.parametrize("name", _CLEAN)
def test_a_scan_that_found_nothing_is_clean(name: str) -> None:
    report = parse(_CLEAN[name], name)
    assert (report.clean, report.findings, report.errors) == (True, (), ())


@pytest.mark.parametrize("name", _CLEAN)
def test_nor_is_another_tools_clean_report_taken_for_one(name: str) -> None:
    for other in _CLEAN:
        if other != name:
            with pytest.raises(ReportError):
                parse(_CLEAN[other], name)


@pytest.mark.parametrize(("why", "name", "data"), _NOT_SCANNED)
def test_what_was_not_scanned_is_never_clean(why: str, name: str, data: Any) -> None:
    try:
        report = parse(data, name)
    except ReportError:
        return
    assert not report.clean, why
    assert not report.findings


@pytest.mark.parametrize(
    ("file", "path", "word"),
    [
        ("conformity.json", ("data", 0, "attributes", "status"), "ERROR"),
        ("inspector.json", ("findings", 0, "status"), "NEW"),
        ("ocsf.json", (0, "status_code"), "ODD"),
        ("prowler.json", (0, "Status"), "ODD"),
        ("terraform_compliance.json", (0, "elements", 1, "steps", 1, "result", "status"), "odd"),
        ("tfsec.json", ("results", 0, "status"), 9),
        ("trivy.json", ("Results", 1, "Misconfigurations", 0, "Status"), "ODD"),
        ("vision_one.json", ("scanResults", 0, "status"), "ERROR"),
    ],
)
def test_a_state_that_nobody_knows_is_an_error_and_no_pass(file: str, path: tuple[Any, ...], word: Any) -> None:
    data = inner = known(file)
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = word
    report = parse(data, format_of(file))
    assert len(report.errors) == 1
    assert "unknown to this version" in report.errors[0]
    assert len(report.findings) == EXPECTED[file][0] - 1


def moved(data: Any) -> Any:
    """The same report of a file that ten lines were put before, by a tool that rates all anew."""
    if isinstance(data, list):
        return [moved(one) for one in data]
    if not isinstance(data, dict):
        return data
    changed = {key: moved(value) for key, value in data.items()}
    for key in _LINES & changed.keys():
        value = changed[key]
        changed[key] = (
            [one + 10 for one in value] if isinstance(value, list) else value if isinstance(value, dict) else value + 10
        )
    if "line_number" in changed and "code" in changed:
        changed["code"] = f"{changed['line_number']} " + data["code"].split(f"{data['line_number']} ")[1]
    for key in ("severity", "Severity", "issue_severity", "Level", "risk-level", "riskLevel"):
        changed |= {key: "LOW"} if isinstance(changed.get(key), str) else {}
    for key in ("title", "Title", "description", "Description", "message", "Message", "check_name"):
        changed |= {key: "Other words"} if isinstance(changed.get(key), str) and "pluginReports" not in data else {}
    return changed


@pytest.mark.parametrize("file", JSON)
def test_fingerprints_stay_when_lines_move_and_tools_rate_and_word_anew(file: str) -> None:
    # The title of a port that Inspector finds is all that there is of it.
    data = known(file) if file == "inspector.json" else moved(known(file))
    before, after = (parse(one, format_of(file)) for one in (known(file), data))
    assert [one.fingerprint for one in before.findings] == [one.fingerprint for one in after.findings]


def test_a_rule_without_a_rating_is_unknown_and_not_low() -> None:
    report = parse(known("checkov.json"), "checkov")
    assert by_rule(report)["CKV_AWS_20"].severity is Severity.UNKNOWN
    assert by_rule(report)["CKV_AWS_18"].severity is Severity.LOW
    assert by_rule(report)["CKV_SECRET_6"].severity is Severity.HIGH


def test_sarif_finds_the_rule_of_a_result_and_rates_by_its_score() -> None:
    report = parse(known("sarif.sarif"), "sarif")
    first, secret, one, other, indexed, passed = report.findings
    assert first.tool == "onetool"
    assert first.place.path == "app/a.py", "the number of a build is no part of a path"
    assert (first.severity, secret.severity, indexed.severity) == (Severity.CRITICAL, Severity.HIGH, Severity.LOW)
    assert (one.place.line, other.place.line) == (5, 9)
    assert (one.repeat, other.repeat) == (0, 1)
    assert (indexed.rule, indexed.title, indexed.state) == ("indexed", "Of x", State.SUPPRESSED)
    assert passed.state is State.PASSED
    assert secret.title == "hard-coded-secret"


def test_trivy_tells_the_resources_of_a_cluster_apart() -> None:
    result = {"Target": "Service/web", "Misconfigurations": known("trivy.json")["Results"][1]["Misconfigurations"][:1]}
    resources = [{"Namespace": space, "Kind": "Service", "Name": "web", "Results": [result]} for space in "ab"]
    for name in ("Resources", "Findings", "Misconfigurations"):
        report = parse({"ClusterName": "c", name: resources}, "trivy")
        assert [one.place.inside for one in report.findings] == ["a/Service/web", "b/Service/web"]


def test_the_older_forms_of_a_report_are_read() -> None:
    assert len(parse(known("pip_audit.json")["dependencies"], "pip-audit").findings) == 2
    assert len(parse(known("trivy.json")["Results"], "trivy").findings) == 5
    assert len(parse(known("snyk.json")[0], "snyk").findings) == 2
    assert len(parse(known("checkov.json")[0], "checkov").findings) == 3


def test_the_resources_of_a_finding_have_no_order() -> None:
    data = known("asff.json")
    again = deepcopy(data)
    again["Findings"][0]["Resources"].reverse()
    assert parse(again, "asff").findings[0].fingerprint == parse(data, "asff").findings[0].fingerprint


def test_what_security_hub_says_of_a_finding() -> None:
    states = {one.place.inside: (one.state, one.severity) for one in parse(known("asff.json"), "asff").findings}
    assert states["finding-2"] == (State.PASSED, Severity.HIGH)
    assert states["finding-3"] == (State.SUPPRESSED, Severity.CRITICAL)


def test_who_needs_a_package_is_told_without_the_versions_between() -> None:
    places = [one.place.inside for one in parse(known("snyk.json"), "snyk").findings]
    assert places[:2] == ["lib", "user > lib"]


def test_a_package_says_what_repairs_it() -> None:
    first, second = parse(known("pip_audit.json"), "pip-audit").findings
    assert first.package is not None
    assert (first.package.name, first.package.installed, first.package.fixed) == ("jinja2", "2.4.1", "2.7.2, 2.8")
    assert first.remediation == "Update jinja2 to 2.7.2, 2.8"
    assert first.aliases == ("CVE-2026-0001",)
    assert second.remediation == ""


@pytest.mark.parametrize(
    ("db", "told"),
    [({"built": "2026-11-28T10:00:00Z"}, "2026-11-28T10:00:00Z"), ({"status": {"built": "2026-11-27"}}, "2026-11-27")],
)
def test_grype_says_of_which_day_its_database_is(db: dict[str, Any], told: str) -> None:
    """Since version 0.88 in another place."""
    report = known("grype.json")
    report["descriptor"]["db"] = db
    assert parse(report, "grype").data_of == told
    del report["descriptor"]["db"]
    assert parse(report, "grype").data_of == ""


def test_ecr_says_when_its_advisories_were_updated() -> None:
    scan = {**_ECR, "imageScanFindings": {"vulnerabilitySourceUpdatedAt": "2026-11-27T01:00:00+00:00"}}
    assert parse(scan, "ecr").data_of == "2026-11-27T01:00:00+00:00"


def test_a_rule_of_kingfisher_has_its_name_where_it_describes_it() -> None:
    """What it calls a name is an id."""
    assert {one.title for one in parse(known("kingfisher.json"), "kingfisher").findings} == {"A token"}
