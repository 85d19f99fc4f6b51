"""The scanner `iam`, run in its own environment on assemblies."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from lambdas.common.evidence.verdict import Outcome
from lambdas.gates.model.gate import Gate, Ran, Scope
from lambdas.gates.scanners.environments import Environments
from lambdas.gates.scanners.running import run_gate

_LAMBDA = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}


def ran(folder: Path, statement: dict[str, Any], **options: object) -> Ran:
    """The gate on an assembly whose one role has a statement."""
    policy = {"PolicyName": "p", "PolicyDocument": {"Version": "2012-10-17", "Statement": [statement]}}
    trust = {"Version": "2012-10-17", "Statement": [_LAMBDA]}
    role = {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": trust, "Policies": [policy]}}
    (folder / "stack.template.json").write_text(json.dumps({"Resources": {"Role": role}}))
    properties = {"templateFile": "stack.template.json"}
    place = "aws://222222222222/eu-west-1"
    stack = {"type": "aws:cloudformation:stack", "environment": place, "properties": properties}
    (folder / "manifest.json").write_text(json.dumps({"artifacts": {"stack": stack}}))
    gate = Gate(name="iam", scanner="iam", scans=Scope.TEMPLATES, options=options)
    return run_gate(gate, folder, exceptions=(), today=date(2026, 11, 28), environments=Environments.here())


def test_a_policy_that_is_as_it_should_be_passes(tmp_path: Path) -> None:
    table = "arn:aws:dynamodb:eu-west-1:222222222222:table/orders"
    found = ran(tmp_path, {"Effect": "Allow", "Action": "dynamodb:GetItem", "Resource": table})
    assert (found.decision.outcome, found.decision.reason) == (Outcome.PASS, "")
    assert found.scanned.data_of, "of which day the data are"


@pytest.mark.parametrize(
    ("statement", "options", "rule"),
    [
        ({"Effect": "Allow", "Action": "*", "Resource": "*"}, {}, "full-access"),
        (
            {"Effect": "Allow", "Action": ["iam:PassRole", "lambda:CreateFunction"], "Resource": "*"},
            {"denied_actions": ["lambda:CreateFunction"]},
            "denied-action",
        ),
    ],
)
def test_a_policy_that_opens_too_much_stops(
    tmp_path: Path, statement: dict[str, Any], options: dict[str, object], rule: str
) -> None:
    found = ran(tmp_path, statement, **options)
    assert found.decision.outcome is Outcome.FAIL
    assert rule in {one.rule for one in found.decision.blocking}


def test_an_assembly_without_templates_is_no_pass(tmp_path: Path) -> None:
    gate = Gate(name="iam", scanner="iam", scans=Scope.TEMPLATES)
    found = run_gate(gate, tmp_path, exceptions=(), today=date(2026, 11, 28), environments=Environments.here())
    assert found.decision.outcome is Outcome.ERROR
    assert "scanned nothing" in found.decision.reason
