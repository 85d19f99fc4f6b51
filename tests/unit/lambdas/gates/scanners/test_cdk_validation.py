"""The CDK's own report as a scanner."""

from __future__ import annotations

import json
import os
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from lambdas.common.evidence.verdict import Outcome
from lambdas.gates.model.gate import Gate, Ran, Scope
from lambdas.gates.scanners.environments import Environments
from lambdas.gates.scanners.running import run_gate


def gate(target: Path, **options: Any) -> Ran:
    one = Gate(name="cdk", scanner="cdk_validation", scans=Scope.TEMPLATES, options=options)
    environments = Environments(root=target / "unused")
    return run_gate(one, target, exceptions=(), today=date(2026, 6, 1), environments=environments)


def violation(**facts: Any) -> dict[str, Any]:
    known = {"ruleName": "AwsSolutions-S1", "description": "No access logs", "severity": "error"}
    return {**known, "violatingConstructs": [{"constructPath": "Stack/Bucket"}], **facts}


def write(target: Path, *violations: dict[str, Any], suppressed: tuple[dict[str, Any], ...] = (), **facts: Any) -> None:
    plugin = {"pluginName": "AwsSolutions", "conclusion": "success", "violations": list(violations)}
    plugin["suppressedViolations"] = list(suppressed)
    report = {"version": "55.0.0", "title": "Validation Report", "pluginReports": [plugin], **facts}
    (target / "validation-report.json").write_text(json.dumps(report))


def test_a_violation_fails_whatever_the_conclusion_says(tmp_path: Path) -> None:
    write(tmp_path, violation())
    decision = gate(tmp_path).decision
    assert (decision.outcome, decision.reason) == (Outcome.FAIL, "HIGH AwsSolutions-S1 at Stack/Bucket")


def test_what_is_acknowledged_is_closed_and_kept(tmp_path: Path) -> None:
    write(tmp_path, suppressed=(violation(reason="its log would never end", acknowledgedId="x"),))
    ran = gate(tmp_path, plugins=["AwsSolutions"])
    assert (ran.decision.outcome, ran.scanned.tool_version, len(ran.scanned.findings)) == (Outcome.PASS, "55.0.0", 1)


def reason(target: Path, **options: Any) -> str:
    decision = gate(target, **options).decision
    assert decision.outcome is Outcome.ERROR
    return decision.reason


def test_without_a_report_it_did_not_run(tmp_path: Path) -> None:
    assert "did not run: there is no validation-report.json" in reason(tmp_path)


def test_the_report_of_an_earlier_synth_is_none(tmp_path: Path) -> None:
    """Given one that was committed, or left by a synth before one without validation."""
    write(tmp_path)
    (tmp_path / "manifest.json").write_text("{}")
    os.utime(tmp_path / "validation-report.json", (1, 1))
    assert "did not run: validation-report.json is of an earlier synth" in reason(tmp_path)
    os.utime(tmp_path / "manifest.json", (1, 1))
    assert gate(tmp_path).decision.outcome is Outcome.PASS


def test_a_plugin_that_is_wanted_has_to_have_looked(tmp_path: Path) -> None:
    write(tmp_path)
    assert "scanned only a part: HIPAA has not looked" in reason(tmp_path, plugins=["AwsSolutions", "HIPAA"])
    assert "HIPAA has not looked" in reason(tmp_path, plugins="HIPAA")


@pytest.mark.parametrize(
    ("facts", "word"),
    [
        ({"version": ""}, "version unknown"),
        ({"pluginReports": []}, "report unreadable"),
        ({"pluginReports": [{"pluginName": "x"}]}, "report unreadable"),
        ({"title": "Another"}, "report unreadable"),
    ],
)
def test_a_report_that_cannot_be_believed(tmp_path: Path, facts: dict[str, Any], word: str) -> None:
    write(tmp_path, **facts)
    assert word in reason(tmp_path)


def test_half_a_report_is_none(tmp_path: Path) -> None:
    write(tmp_path, violation())
    report = tmp_path / "validation-report.json"
    report.write_text(report.read_text()[:-20])
    assert "report unreadable" in reason(tmp_path)
