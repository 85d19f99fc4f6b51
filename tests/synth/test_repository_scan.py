"""Gated repositories: which pushes start a scan of which commit, whose code runs, and the little that it may do."""

from __future__ import annotations

from typing import Any

import aws_cdk as cdk
import pytest

from config.models.gates import Section
from stacks.foundation import Foundation
from stacks.gates.stack import GatesStack
from tests.synth.assembly import Template, flat
from tests.synth.configurations import AWS_FROM_EUROPE, TOOLCHAIN_ACCOUNT, configuration
from tests.synth.rules.catalog import RULES, Rule
from tests.synth.rules.policies import statements
from tests.synth.synthesis import add_all_rules, feature_flags, synthesize_and_report

_SECTION = {
    "gates": [
        {"name": "secrets", "scanner": "kingfisher"},
        {"name": "packages", "scanner": "pip_audit", "scans": "repositories", "options": {"secret": "snyk/token"}},
    ],
    "repositories": [
        {
            "name": "payments",
            "source": {"provider": "codecommit", "repository": "Payments.git"},
            "branches": ["main", "feature/*"],
            "gates": ["secrets", "packages"],
        }
    ],
}
_REPORTS = f"arn:${{AWS::Partition}}:s3:::granary-reports-{TOOLCHAIN_ACCOUNT}-eu-west-1"


@pytest.fixture(scope="module")
def template() -> Template:
    app = cdk.App(context=feature_flags(), analytics_reporting=False)
    section = Section.model_validate(_SECTION)
    GatesStack(app, foundation=Foundation.of(configuration(AWS_FROM_EUROPE)), section=section)
    add_all_rules(app)
    assert not synthesize_and_report(app)
    body = app.synth().get_stack_by_name("granary-gates").template
    return Template(
        stack="granary-gates", account=TOOLCHAIN_ACCOUNT, region="eu-west-1", place=AWS_FROM_EUROPE, body=body
    )


def only(template: Template, kind: str) -> dict[str, Any]:
    ((_, resource),) = template.resources(kind)
    return dict(resource["Properties"])


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_it_keeps_every_rule(template: Template, rule: Rule) -> None:
    assert rule(template) == []


def test_dump(template: Template) -> None:
    import json

    print(json.dumps({k: v for k, v in template.body["Resources"].items() if "Repository" in k}, indent=1))
    for one in statements(template):
        if one.kind == "identity":
            print(one.actions, [*map(flat, one.resources)])
