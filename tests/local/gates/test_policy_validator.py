"""The scanner `cfn_policy_validator`: the real tool, against the local cloud's IAM Access Analyzer."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from lambdas.common.evidence.verdict import Outcome
from lambdas.gates.model.gate import Gate, Ran, Scope
from lambdas.gates.scanners import cfn_policy_validator
from lambdas.gates.scanners.environments import Environments
from lambdas.gates.scanners.running import run_gate
from tests.local.local_cloud_fixtures import REGION, Workbench

_THEIRS = "111122223333"
_TRUST = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}


def _document(*statements: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def _queue_policy(principal: Any) -> dict[str, Any]:
    statement = {"Effect": "Allow", "Principal": {"AWS": principal}, "Action": "sqs:SendMessage", "Resource": "*"}
    return {
        "MyQueue": {"Type": "AWS::SQS::Queue"},
        "QueuePolicy": {
            "Type": "AWS::SQS::QueuePolicy",
            "Properties": {"Queues": [{"Ref": "MyQueue"}], "PolicyDocument": _document(statement)},
        },
    }


def _role(action: str) -> dict[str, Any]:
    arn = {"Fn::Sub": "${MyQueue.Arn}"}
    policy = {"PolicyName": "root", "PolicyDocument": _document({"Effect": "Allow", "Action": action, "Resource": arn})}
    properties = {"AssumeRolePolicyDocument": _document(_TRUST), "Policies": [policy]}
    return {"MyRole": {"Type": "AWS::IAM::Role", "Properties": properties}}


# The template of the post that introduces cfn-policy-validator.
_POST = {"Resources": {**_queue_policy(_THEIRS), **_role("sqs:ReceiveMessages")}}
_RULES = {"INVALID_ACTION", "EXTERNAL_PRINCIPAL"}

Run = Callable[..., Ran]


@pytest.fixture
def run(workbench: Workbench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a gate on a template, with the credentials of the account that this process has."""
    for name, value in workbench.cloud.env(workbench.account, REGION).items():
        if name.startswith("AWS_"):
            monkeypatch.setenv(name, value)

    def ran(template: dict[str, Any], account: str = workbench.account, copies: int = 0, **options: object) -> Ran:
        names = ["stack.template.json", *(f"{number}.template.json" for number in range(copies))]
        for name in names:
            (tmp_path / name).write_text(json.dumps(template))
        place = {"type": "aws:cloudformation:stack", "environment": f"aws://{account}/eu-central-1"}
        stacks = {name: place | {"properties": {"templateFile": name}} for name in names}
        (tmp_path / "manifest.json").write_text(json.dumps({"artifacts": stacks}))
        gate = Gate(name="iam", scanner="cfn_policy_validator", scans=Scope.TEMPLATES, options=options)
        return run_gate(gate, tmp_path, exceptions=(), today=date(2026, 11, 28), environments=Environments.here())

    return ran


def _rules(ran: Ran) -> set[str]:
    return {one.rule for one in ran.decision.blocking}


def test_the_example_of_the_post(run: Run, workbench: Workbench) -> None:
    """Both faults block; the account that is trusted leaves one of them, and its correction none."""
    first = run(_POST)
    assert (first.decision.outcome, _rules(first)) == (Outcome.FAIL, _RULES)
    told = {one.rule: one for one in first.decision.blocking}
    assert told["INVALID_ACTION"].title.startswith("The action sqs:ReceiveMessages does not exist.")
    assert "local cloud" in told["INVALID_ACTION"].title, "that AWS has not said it"
    assert (told["INVALID_ACTION"].resource, told["INVALID_ACTION"].place.inside) == ("MyRole", "root")
    assert told["EXTERNAL_PRINCIPAL"].title == "Resource policy allows access from external principals."
    assert {one.place.path for one in first.decision.blocking} == {"stack.template.json"}
    assert first.scanned.tool_version == "0.0.37"
    second = run(_POST, allow_external_principals=[_THEIRS])
    assert (second.decision.outcome, _rules(second)) == (Outcome.FAIL, {"INVALID_ACTION"})
    repaired = {"Resources": {**_queue_policy(_THEIRS), **_role("sqs:ReceiveMessage")}}
    assert run(repaired, allow_external_principals=[_THEIRS]).decision.outcome is Outcome.PASS
    regional = workbench.cloud.client("accessanalyzer", workbench.account, "eu-central-1")
    assert regional.list_analyzers(type="ACCOUNT")["analyzers"], "where the template goes"


def test_several_templates_of_a_new_region_share_its_analyzer(run: Run) -> None:
    found = run(_POST, copies=4)
    assert (found.decision.outcome, len(found.decision.blocking)) == (Outcome.FAIL, 10), found.decision.reason


@pytest.mark.parametrize(
    ("options", "outcome", "left"),
    [
        ({"ignore_finding": ["INVALID_ACTION", "MyQueue.EXTERNAL_PRINCIPAL"]}, Outcome.PASS, set()),
        ({"ignore_finding": "MyRole"}, Outcome.FAIL, {"EXTERNAL_PRINCIPAL"}),
        ({"treat_finding_type_as_blocking": ["ERROR"]}, Outcome.FAIL, {"INVALID_ACTION"}),
        ({"treat_finding_type_as_blocking": "NONE"}, Outcome.PASS, set()),
        # The tool's parser of options ends with the code that says that there are findings.
        ({"treat_finding_type_as_blocking": "FATAL"}, Outcome.ERROR, set()),
    ],
)
def test_the_options_of_the_tool(run: Run, options: dict[str, object], outcome: Outcome, left: set[str]) -> None:
    found = run(_POST, **options)
    assert (found.decision.outcome, _rules(found)) == (outcome, left), found.decision.reason


def test_the_account_of_a_template_is_not_external_to_it(run: Run) -> None:
    template = {"Resources": _queue_policy("222222222222")}
    assert _rules(run(template)) == {"EXTERNAL_PRINCIPAL"}
    assert run(template, account="222222222222").decision.outcome is Outcome.PASS


def test_parameters_have_the_values_of_the_deployment(run: Run, tmp_path: Path, workbench: Workbench) -> None:
    """A default counts, the template configuration before it; a parameter without either is no pass."""
    declared = {"Who": {"Type": "String", "Default": workbench.account}}
    resources = _queue_policy({"Ref": "Who"})
    assert run({"Parameters": declared, "Resources": resources}).decision.outcome is Outcome.PASS
    file = tmp_path / "template-configuration.json"
    file.write_text(json.dumps({"Parameters": {"Who": _THEIRS}}))
    found = run({"Parameters": declared, "Resources": resources}, template_configuration=str(file))
    assert _rules(found) == {"EXTERNAL_PRINCIPAL"}
    missing = run({"Parameters": {"Who": {"Type": "String"}}, "Resources": resources}).decision
    assert missing.outcome is Outcome.ERROR
    assert "stack.template.json: it ended with 1" in missing.reason
    assert "No value passed for referenced parameter: Who" in missing.reason


def test_without_an_account_it_cannot_tell(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    found = run(_POST).decision
    assert found.outcome is Outcome.ERROR
    assert "did not run" in found.reason


def test_an_endpoint_that_is_dead_does_not_hold_the_build(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Given STS alone, then the thirty tries that the tool would make end with the time that it has."""
    monkeypatch.setattr(cfn_policy_validator, "_SECONDS", 8)
    monkeypatch.setenv("AWS_ENDPOINT_URL_ACCESSANALYZER", "http://127.0.0.1:1")
    found = run(_POST).decision
    assert found.outcome is Outcome.ERROR
    assert "did not end within 8 s" in found.reason


def test_what_the_role_may_not_do_is_no_pass(run: Run, workbench: Workbench, monkeypatch: pytest.MonkeyPatch) -> None:
    role = workbench.role("build", principal={"AWS": f"arn:aws:iam::{workbench.account}:root"})
    session = workbench.assume(role)
    for name, key in (
        ("AWS_ACCESS_KEY_ID", "AccessKeyId"),
        ("AWS_SECRET_ACCESS_KEY", "SecretAccessKey"),
        ("AWS_SESSION_TOKEN", "SessionToken"),
    ):
        monkeypatch.setenv(name, session[key])
    found = run(_POST).decision
    assert found.outcome is Outcome.ERROR
    assert "access-analyzer:ListAnalyzers" in found.reason
