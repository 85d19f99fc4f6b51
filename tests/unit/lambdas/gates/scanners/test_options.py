"""Options that name several things: one of them may be written without a list, and none is passed over for that."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lambdas.common.evidence.finding import Finding
from lambdas.gates.model.gate import Scanned
from lambdas.gates.model.iam.catalogue import Catalogue
from lambdas.gates.scanners import scanners
from lambdas.gates.scanners.environments import Environments
from lambdas.gates.scanners.iam import SCANNER, checked
from lambdas.gates.scanners.scanner import CommandScanner, Trouble


def tool(name: str) -> CommandScanner:
    scanner = scanners()[name]
    assert isinstance(scanner, CommandScanner)
    return scanner


def test_one_action_that_is_denied(tmp_path: Path) -> None:
    statement = {"Effect": "Allow", "Action": "iam:CreateUser", "Resource": "*"}
    policy = {"Type": "AWS::IAM::ManagedPolicy", "Properties": {"PolicyDocument": {"Statement": statement}}}
    (tmp_path / "a.template.json").write_text(json.dumps({"Resources": {"A": policy}}))
    found = checked(tmp_path, {"denied_actions": "iam:CreateUser"}, Catalogue()).findings
    assert [one.rule for one in found] == ["denied-action"]


def test_one_check_that_is_skipped() -> None:
    words = tool("checkov").words([], Path("report"), {"skip": "CKV_AWS_57"})
    assert words[words.index("--skip-check") + 1] == "CKV_AWS_57"


def test_one_rule_that_is_ignored() -> None:
    scanned = Scanned(findings=[Finding(tool="cfn-lint", rule=rule, title=rule) for rule in ("E3002", "W3005")])
    left = tool("cfn_lint").sift(scanned, [], Path("report"), {"ignore": "W"}).findings
    assert [one.rule for one in left] == ["E3002"]


def test_a_reference_that_is_not_there_is_no_pass(tmp_path: Path) -> None:
    (tmp_path / "a.template.json").write_text('{"Resources": {}}')
    with pytest.raises(Trouble, match=r"no file nowhere\.json, which the option `reference` names"):
        SCANNER.scan(
            tmp_path,
            work=tmp_path,
            options={"reference": "nowhere.json"},
            environments=Environments(root=tmp_path / "none"),
        )
