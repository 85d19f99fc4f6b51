"""A report that holds no finding, and says elsewhere that there is one, or that not all was looked at: never clean."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from lambdas.gates.model.events import ReportError
from lambdas.gates.model.reports import Report
from tests.unit.lambdas.gates.reports import content, dump, parse

_GUARD = {"name": "t", "status": "PASS", "not_compliant": [], "compliant": ["R"]}
_PLUGIN = {"pluginName": "p", "conclusion": "success", "violations": []}
_SEMGREP = {"version": "1", "results": [], "errors": [], "paths": {"scanned": ["a.py"]}}
_SNYK = {"vulnerabilities": [], "ok": True, "dependencyCount": 3}
_NPM: dict[str, Any] = {"auditReportVersion": 2, "vulnerabilities": {}}
_ECR = {"repositoryName": "web", "imageScanStatus": {"status": "COMPLETE"}}
_CHECKOV = {
    "check_type": "terraform",
    "results": {"failed_checks": []},
    "summary": {"passed": 1, "failed": 0, "parsing_errors": 0, "checkov_version": "3"},
}
_KINGFISHER: dict[str, Any] = {
    "findings": [],
    "metadata": {"kingfisher_version": "2", "summary": {"findings": 0, "blobs_scanned": 3}},
}
_POD = {"Kind": "Pod", "Name": "a", "Results": [{"Target": "t"}]}
_TOOL = {"driver": {"name": "t"}}
_DEPENDENCY = "<dependency><fileName>a.jar</fileName></dependency>"


def _sarif(report: Mapping[str, Any] | None = None, **run: Any) -> dict[str, Any]:
    return {"version": "2.1.0", "runs": [{"tool": _TOOL, "results": [], **run}], **(report or {})}


def _invoked(**said: Any) -> dict[str, Any]:
    return _sarif(invocations=[{"executionSuccessful": True, **said}])


def _analysis(scan_info: str, dependencies: str = _DEPENDENCY) -> str:
    info = f"<scanInfo><engineVersion>9</engineVersion>{scan_info}</scanInfo><projectInfo><name>x</name></projectInfo>"
    return f"<analysis>{info}<dependencies>{dependencies}</dependencies></analysis>"


def _read(data: Any, name: str) -> Report:
    return parse(data.encode() if isinstance(data, str) else dump(data), name)


# The same report without what is wrong with it is clean: see below.
_SOUND: Mapping[str, tuple[str, Any]] = {
    "cdk-validation": ("cdk-validation", {"title": "Validation Report", "pluginReports": [_PLUGIN]}),
    "cfn-guard": ("cfn-guard", [_GUARD]),
    "cfn-nag": ("cfn-nag", [{"filename": "t", "file_results": {"failure_count": 0, "violations": []}}]),
    "checkov": ("checkov", _CHECKOV),
    "dependency-check": ("dependency-check", _analysis("")),
    "ecr": ("ecr", {**_ECR, "imageScanFindings": {"findingSeverityCounts": {"HIGH": 0}}}),
    "junit": ("junit", '<testsuite failures="0" errors="0"><testcase name="a"/></testsuite>'),
    "kingfisher": ("kingfisher", json.dumps(_KINGFISHER) + '{"findings": 0, "rules_applied": 9}'),
    "npm": ("npm-audit", {**_NPM, "metadata": {"vulnerabilities": {"total": 0}, "dependencies": {"total": 9}}}),
    "sarif": ("sarif", _invoked(toolExecutionNotifications=[{"level": "warning", "message": {"text": "slow"}}])),
    "semgrep": ("semgrep", {**_SEMGREP, "skipped_rules": []}),
    "snyk": ("snyk", {**_SNYK, "applications": [_SNYK]}),
    "trivy": ("trivy", {"ClusterName": "c", "Resources": [_POD, _POD]}),
}
_UNSOUND: tuple[tuple[str, str, Any], ...] = (
    (
        "a plugin says failure",
        "cdk-validation",
        {"title": "Validation Report", "pluginReports": [{**_PLUGIN, "conclusion": "failure"}]},
    ),
    ("a file says FAIL", "cfn-guard", [_GUARD, {**_GUARD, "status": "FAIL"}]),
    (
        "a file counts failures",
        "cfn-nag",
        [{"filename": "t", "file_results": {"failure_count": 2, "violations": []}}],
    ),
    (
        "its summary counts errors",
        "checkov",
        {**_CHECKOV, "summary": {**_CHECKOV["summary"], "parsing_errors": 2}},  # type: ignore[dict-item]
    ),
    (
        "an analyzer broke",
        "dependency-check",
        _analysis("<analysisExceptions><exception><message>no NVD</message></exception></analysisExceptions>"),
    ),
    (
        "a list of problems is there twice",
        "dependency-check",
        _analysis(
            "",
            "<dependency><fileName>a</fileName><vulnerabilities/><vulnerabilities><vulnerability/></vulnerabilities>"
            "</dependency>",
        ),
    ),
    ("it counts what it does not list", "ecr", {**_ECR, "imageScanFindings": {"findingSeverityCounts": {"HIGH": 3}}}),
    ("a suite counts failures", "junit", '<testsuite failures="2"><testcase name="a"/></testsuite>'),
    ("a suite counts errors", "junit", '<testsuite errors="1"><testcase name="a"/><error/></testsuite>'),
    ("all was skipped", "junit", '<testsuite skipped="1"><testcase name="a"><skipped/></testcase></testsuite>'),
    (
        "suites are too deep",
        "junit",
        f'<testsuite><testcase name="a"/>{"<testsuite>" * 3}<testcase name="b"><failure/></testcase>'
        f"{'</testsuite>' * 4}",
    ),
    ("a second report follows", "kingfisher", json.dumps(_KINGFISHER) + json.dumps({**_KINGFISHER, "findings": [{}]})),
    (
        "it counts what it does not list",
        "npm-audit",
        {**_NPM, "metadata": {"vulnerabilities": {"total": 3}, "dependencies": {"total": 9}}},
    ),
    (
        "the tool had an error",
        "sarif",
        _invoked(toolExecutionNotifications=[{"level": "error", "message": {"text": "it broke"}}]),
    ),
    ("a rule had an error", "sarif", _invoked(toolConfigurationNotifications=[{"level": "error"}])),
    ("nothing says that it ran to its end", "sarif", _sarif(invocations=[{"exitCode": 3}])),
    (
        "results are in another file",
        "sarif",
        _sarif(externalPropertyFileReferences={"results": [{"location": {"uri": "x"}}]}),
    ),
    ("results are elsewhere in it", "sarif", _sarif({"inlineExternalProperties": [{"results": [{"ruleId": "x"}]}]})),
    ("a rule was passed over", "semgrep", {**_SEMGREP, "skipped_rules": [{"rule_id": "x"}]}),
    ("a project is not ok", "snyk", {**_SNYK, "ok": False}),
    ("one of several is not ok", "snyk", [_SNYK, {**_SNYK, "ok": False}]),
    ("an application was not tested", "snyk", {**_SNYK, "applications": [{**_SNYK, "error": "no lock file"}]}),
    (
        "a resource was not scanned",
        "trivy",
        {"ClusterName": "c", "Resources": [_POD, {"Kind": "Pod", "Name": "b", "Error": "no image"}]},
    ),
)


@pytest.mark.parametrize("case", _SOUND)
def test_a_report_that_agrees_with_itself_is_clean(case: str) -> None:
    name, data = _SOUND[case]
    report = _read(data, name)
    assert (report.clean, report.findings, report.errors) == (True, (), ())


@pytest.mark.parametrize(("why", "name", "data"), _UNSOUND)
def test_a_report_that_contradicts_itself_is_never_clean(why: str, name: str, data: Any) -> None:
    try:
        report = _read(data, name)
    except ReportError:
        return
    assert not report.clean, why


def test_the_contradiction_is_told_with_its_place() -> None:
    (told,) = _read({**_SNYK, "ok": False}, "snyk").errors
    assert told == "by `ok=false and applications[].ok=false` 1 findings are open, and it holds 0: run the scan again"


@pytest.mark.parametrize("failed", ["<failure/>", "<error/>", '<failure message="x"/>', "<failure>x</failure>"])
def test_a_case_that_failed_without_a_word_has_failed(failed: str) -> None:
    report = _read(f'<testsuite><testcase name="a">{failed}</testcase></testsuite>', "junit")
    assert [one.rule for one in report.findings] == ["a"]


def test_an_element_without_anything_loses_no_finding_beside_it() -> None:
    vulnerability = b"<vulnerability><name>CVE-1</name><severity>HIGH</severity><references/></vulnerability>"
    dependency = b"<fileName>a</fileName><identifiers/><vulnerabilities>" + vulnerability + b"</vulnerabilities>"
    whole = content("dependency_check.xml")
    more = whole.replace(b"</dependencies>", b"<dependency>" + dependency + b"</dependency></dependencies>")
    before, after = parse(whole, "dependency-check"), parse(more, "dependency-check")
    assert (len(after.findings), after.errors) == (len(before.findings) + 1, ())
