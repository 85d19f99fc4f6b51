"""What the synth build may do for IAM Access Analyzer: only when a gate asks it, and no more than the tool calls."""

from __future__ import annotations

import aws_cdk as cdk
import pytest
from aws_cdk import aws_iam as iam

from config.models.gates import Section
from constructs_lib.common.grants import grant
from stacks.foundation import Foundation
from stacks.gates.analyzer import analyzer_statements
from stacks.gates.room import ROOM
from tests.synth.assembly import Template
from tests.synth.configurations import AWS, TOOLCHAIN_ACCOUNT, configuration
from tests.synth.rules.policies import no_wildcard_resources, statements

_FOUNDATION = Foundation.of(configuration(AWS))
# What its documentation lists, without the checks that are not asked for, and without all values of Parameter Store.
_CALLED = {
    "access-analyzer:CreateAccessPreview",
    "access-analyzer:CreateAnalyzer",
    "access-analyzer:GetAccessPreview",
    "access-analyzer:ListAccessPreviewFindings",
    "access-analyzer:ListAnalyzers",
    "access-analyzer:ValidatePolicy",
    "cloudformation:ListExports",
    "iam:CreateServiceLinkedRole",
    "iam:GetPolicy",
    "iam:GetPolicyVersion",
    "s3:ListAllMyBuckets",
}


def section(scanner: str, scans: str = "templates") -> Section:
    return Section.model_validate({"gates": [{"name": "one", "scanner": scanner, "scans": scans}]})


@pytest.fixture(scope="module")
def template() -> Template:
    """A role with the statements."""
    app = cdk.App(analytics_reporting=False)
    stack = cdk.Stack(app, "build", env=cdk.Environment(account=TOOLCHAIN_ACCOUNT, region=AWS.home))
    role = iam.Role(stack, "Role", assumed_by=iam.ServicePrincipal("codebuild.amazonaws.com"))
    granted = analyzer_statements(_FOUNDATION, section("cfn_policy_validator"))
    grant(role, *granted, reason="What the room says that its checks need.")
    body = app.synth().get_stack_by_name("build").template
    return Template(stack="build", account=TOOLCHAIN_ACCOUNT, region=AWS.home, place=AWS, body=body)


def test_it_may_do_what_the_tool_calls(template: Template) -> None:
    allowed = [one for one in statements(template) if one.kind == "identity"]
    assert {action for one in allowed for action in one.actions} == _CALLED


def test_it_has_every_resource_only_where_there_is_none_to_name(template: Template) -> None:
    assert no_wildcard_resources(template) == []


@pytest.mark.parametrize("other", [section("iam"), section("kingfisher", "source")])
def test_without_such_a_gate_there_is_nothing_more(other: Section) -> None:
    assert analyzer_statements(_FOUNDATION, other) == []
    assert {action for one in ROOM.check_statements(_FOUNDATION, other) for action in one.actions}.isdisjoint(_CALLED)


def test_the_room_adds_them_for_such_a_gate() -> None:
    given = ROOM.check_statements(_FOUNDATION, section("cfn_policy_validator"))
    assert {action for one in given for action in one.actions} >= _CALLED
