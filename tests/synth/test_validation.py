"""cdk-nag and the CDK's own rules: nothing unacknowledged, and the rules do bite."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3

from tests.synth.synthesis import REPORT, add_all_rules, feature_flags, synthesize_and_report

_ROOT = Path(__file__).parents[2]


def _reports(directory: Path) -> dict[str, dict[str, Any]]:
    report = json.loads((directory / REPORT).read_text(encoding="utf-8"))
    return {plugin["pluginName"]: plugin for plugin in report["pluginReports"]}


def test_no_finding_is_unacknowledged(case_name: str, assembly_of: Callable[[str], Path]) -> None:
    reports = _reports(assembly_of(case_name))
    findings = [
        f"{violation['ruleName']} at {construct.get('constructPath')}"
        for report in reports.values()
        for violation in report["violations"]
        for construct in violation["violatingConstructs"]
    ]
    assert findings == []


def test_every_acknowledgement_has_a_reason_and_stands_below_the_stack(
    case_name: str, assembly_of: Callable[[str], Path]
) -> None:
    for report in _reports(assembly_of(case_name)).values():
        for violation in report.get("suppressedViolations", []):
            assert len(violation["reason"]) > 30, violation
            assert "/" in violation["acknowledgedAt"], f"acknowledge it at the construct, not the stack: {violation}"


def test_every_acknowledgement_answers_a_finding(case_name: str, assembly_of: Callable[[str], Path]) -> None:
    directory = assembly_of(case_name)
    answered = {
        (violation["acknowledgedAt"], violation["acknowledgedId"])
        for report in _reports(directory).values()
        for violation in report.get("suppressedViolations", [])
    }
    assert _acknowledgements(directory) <= answered


def _acknowledgements(directory: Path) -> set[tuple[str, str]]:
    found: set[tuple[str, str]] = set()
    for file in directory.rglob("*.metadata.json"):
        for path, entries in json.loads(file.read_text(encoding="utf-8")).items():
            for entry in entries:
                if "acknowledge" in entry["type"].lower():
                    found |= {(path.lstrip("/"), rule) for rule in entry["data"]}
    return found


def _app(directory: Path) -> cdk.App:
    return cdk.App(outdir=str(directory), context=feature_flags(), analytics_reporting=False)


def test_cdk_nag_fails_the_synthesis(tmp_path: Path) -> None:
    app = _app(tmp_path)
    s3.Bucket(cdk.Stack(app, "Bad"), "Bucket")
    add_all_rules(app)
    assert synthesize_and_report(app)
    rules = {violation["ruleName"] for violation in _reports(tmp_path)["AwsSolutions"]["violations"]}
    assert {"AwsSolutions-S1", "AwsSolutions-S10"} <= rules
    assert _reports(tmp_path)["NIST.800.53.R5"]["violations"]


def test_the_cdks_own_rules_fail_the_synthesis(tmp_path: Path) -> None:
    app = _app(tmp_path)
    lambda_.CfnFunction(
        cdk.Stack(app, "Bad"),
        "Function",
        code=lambda_.CfnFunction.CodeProperty(zip_file="pass"),
        role="arn:aws:iam::111111111111:role/some",
        runtime="python3.13",
        handler="index.handler",
        memory_size=64,
    )
    add_all_rules(app)
    assert synthesize_and_report(app)
    assert _reports(tmp_path)["CloudFormation Validate"]["violations"]


def test_the_command_line_synthesizes_with_all_rules(tmp_path: Path) -> None:
    environment = {key: value for key, value in os.environ.items() if key != "CDK_VALIDATION"}
    environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environment['PATH']}"
    environment["CDK_DISABLE_CLI_TELEMETRY"] = "true"
    run = subprocess.run(
        [_ROOT / "node_modules" / ".bin" / "cdk", "synth", "--quiet", "--output", tmp_path / "out"],
        cwd=_ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=180,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert set(_reports(tmp_path / "out")) >= {"AwsSolutions", "NIST.800.53.R5"}
