"""The function that imports findings: what starts it, what it is told, and the little that it may do."""

from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from lambdas.gates.import_findings.handler import Settings
from tests.synth.assembly import Template, flat
from tests.synth.findings_import import REPORTS, synthesized
from tests.synth.rules.catalog import RULES, Rule
from tests.synth.rules.policies import statements

_EVENT = Path(__file__).parents[1] / "events" / "report_arrived.json"
_HERE = "${AWS::Region}:${AWS::AccountId}"
_HUB = f"arn:${{AWS::Partition}}:securityhub:{_HERE}"


@pytest.fixture(scope="module")
def template() -> Template:
    made, found = synthesized()
    assert not found
    return made


def only(template: Template, kind: str) -> dict[str, Any]:
    ((_, resource),) = template.resources(kind)
    return dict(resource["Properties"])


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_it_keeps_every_rule(template: Template, rule: Rule) -> None:
    assert rule(template) == []


def test_a_report_that_arrives_starts_it(template: Template) -> None:
    pattern = only(template, "AWS::Events::Rule")["EventPattern"]
    event = json.loads(_EVENT.read_text(encoding="utf-8"))
    assert (event["source"], event["detail-type"]) == (*pattern["source"], *pattern["detail-type"])
    assert pattern["detail"] == {
        "bucket": {"name": [REPORTS]},
        "object": {"key": [{"wildcard": "findings/*.jsonl.gz"}]},
    }
    assert event["detail"]["bucket"]["name"] == REPORTS
    assert event["detail"]["object"]["key"].startswith("findings/")


def test_what_it_cannot_handle_goes_to_the_dead_letters(template: Template) -> None:
    """And EventBridge is admitted there, for what it could not deliver."""
    ((name, _),) = template.resources("AWS::SQS::Queue")
    ((rule, _),) = template.resources("AWS::Events::Rule")
    (target,) = only(template, "AWS::Events::Rule")["Targets"]
    assert flat(target["DeadLetterConfig"]["Arn"]) == f"${{{name}.Arn}}"
    assert flat(only(template, "AWS::Lambda::Function")["DeadLetterConfig"]["TargetArn"]) == f"${{{name}.Arn}}"
    (admitted,) = [one for one in statements(template) if one.kind == "resource" and one.allows]
    assert admitted.services == ["events.amazonaws.com"]
    assert admitted.body["Condition"] == {"ArnEquals": {"aws:SourceArn": {"Fn::GetAtt": [rule, "Arn"]}}}


def test_it_is_told_all_its_settings_and_has_the_time_for_them(template: Template) -> None:
    function = only(template, "AWS::Lambda::Function")
    assert function["Environment"]["Variables"].keys() | {"AWS_REGION"} == {
        one.name.upper() for one in fields(Settings)
    }
    assert function["Timeout"] == 900


def test_it_may_read_reports_and_import_its_own_findings(template: Template) -> None:
    ((queue, _),) = template.resources("AWS::SQS::Queue")
    allowed = {
        (action, resource)
        for one in statements(template)
        if one.kind == "identity"
        for action in one.actions
        for resource in one.resources
        if action.partition(":")[0] not in ("kms", "logs")
    }
    assert allowed == {
        ("s3:GetObject", f"arn:${{AWS::Partition}}:s3:::{REPORTS}/findings/*"),
        ("securityhub:GetFindings", f"{_HUB}:hub/default"),
        ("securityhub:BatchImportFindings", f"{_HUB}:product/${{AWS::AccountId}}/default"),
        ("events:PutEvents", "arn:${AWS::Partition}:events:eu-west-1:111111111111:event-bus/granary-lifecycle"),
        ("sqs:SendMessage", f"${{{queue}.Arn}}"),
    }
