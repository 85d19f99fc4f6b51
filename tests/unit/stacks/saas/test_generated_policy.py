"""What CloudFormation needs for templates: bounded by names or tags, with reasons for the rest, and gaps told."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdas.common.errors import GranaryError
from stacks.saas.generated_policy import Deployed, Generated, generate, told
from stacks.saas.policy_grants import Grant
from stacks.saas.resource_types import actions_of, known_types

TYPES = known_types()
_TAG = "granary:deployment"


def generated(
    kind: str, *, has_boundary: bool = True, more: dict[str, Any] | None = None, **properties: Any
) -> Generated:
    """What one resource of the tenant silo-acme needs."""
    body = {"Resources": {"One": {"Type": kind, "Properties": properties}}, **(more or {})}
    stack = Deployed(tenant="silo-acme", name="silo-acme-resources", body=body)
    return generate([stack], types=TYPES, qualifier="granary", has_boundary=has_boundary, published=["/landing/vpc"])


def resources(made: Generated, action: str) -> set[str]:
    return {one.resource for one in made.grants if one.action == action}


def whys(made: Generated) -> list[str]:
    return [one.why for one in sorted(made.gaps)]


@pytest.mark.parametrize(
    ("name", "pattern"),
    [
        (None, "arn:*:logs:*:*:log-group:{}"),
        ("silo-acme-log", "arn:*:logs:*:*:log-group:{}"),
        ("/aws/lambda/silo-acme-reader", "arn:*:logs:*:*:log-group:/aws/lambda/{}"),
        ({"Fn::Join": ["", ["/ecs/silo-acme-", {"Ref": "Other"}]]}, "arn:*:logs:*:*:log-group:/ecs/{}"),
        ({"Fn::Sub": "/ecs/silo-acme-${Other}"}, "arn:*:logs:*:*:log-group:/ecs/{}"),
    ],
)
def test_names_bound_where_a_type_has_them(name: Any, pattern: str) -> None:
    """Given a name of one tenant's, then the policy is for all tenants, and for nobody else."""
    made = generated("AWS::Logs::LogGroup", **({"LogGroupName": name} if name else {}))
    assert resources(made, "logs:DeleteLogGroup") == {pattern.format("pool-*"), pattern.format("silo-*")}
    assert whys(made) == []


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("orders", "its name orders has nothing of the tenant's"),
        ({"Ref": "Name"}, "known when it is deployed only"),
        ({"Fn::Sub": "${Somebody}/silo-acme"}, "known when it is deployed only"),
    ],
)
def test_names_that_would_bound_nothing_are_gaps(name: Any, why: str) -> None:
    made = generated("AWS::DynamoDB::Table", TableName=name)
    assert why in whys(made)[0]
    assert resources(made, "dynamodb:DeleteTable") == set()


def test_a_load_balancer_has_to_be_named() -> None:
    """CloudFormation's own name for it begins with five letters of the stack's."""
    assert "set Name" in whys(generated("AWS::ElasticLoadBalancingV2::LoadBalancer"))[0]
    assert whys(generated("AWS::ElasticLoadBalancingV2::LoadBalancer", Name="silo-acme")) == []


def test_a_project_that_is_a_task_has_to_be_named() -> None:
    """CloudFormation's own name for it begins with the logical id; the role that runs tasks reaches tenants' names."""
    role = {"Fn::GetAtt": ["R", "Arn"]}
    assert "set Name" in whys(generated("AWS::CodeBuild::Project", ServiceRole=role))[0]
    made = generated("AWS::CodeBuild::Project", ServiceRole=role, Name="silo-acme-check")
    assert whys(made) == []
    patterns = {f"arn:*:codebuild:*:*:project/{own}" for own in ("pool-*", "silo-*")}
    assert resources(made, "codebuild:CreateProject") == patterns
    assert "VpcConfig" in whys(generated("AWS::CodeBuild::Project", Name="silo-acme-check", VpcConfig={"a": 1}))[0]


def test_tags_bound_where_ids_are_generated() -> None:
    made = generated("AWS::KMS::Key")
    conditions = {one.action: {key for _, key, _ in one.condition} for one in made.grants}
    assert conditions["kms:CreateKey"] == {f"aws:RequestTag/{_TAG}"}
    assert conditions["kms:ScheduleKeyDeletion"] == {f"aws:ResourceTag/{_TAG}"}
    assert all(one.condition for one in made.grants)


def test_a_role_gets_a_policy_of_its_own_within_a_boundary_alone() -> None:
    policy = {"PolicyName": "x", "PolicyDocument": {}}
    for kind, properties in (
        ("AWS::IAM::Policy", {"Roles": [{"Ref": "R"}]}),
        ("AWS::IAM::Role", {"Policies": [policy]}),
    ):
        without, within = (generated(kind, has_boundary=bounded, **properties) for bounded in (False, True))
        assert resources(without, "iam:PutRolePolicy") == set()
        assert "permissions_boundary" in whys(without)[0]
        assert resources(within, "iam:PutRolePolicy")
        assert whys(within) == []


def test_managed_policies_and_services_are_those_of_the_templates() -> None:
    arn = {"Fn::Join": ["", ["arn:", {"Ref": "AWS::Partition"}, ":iam::aws:policy/X"]]}
    role = generated("AWS::IAM::Role", Path="/granary/", ManagedPolicyArns=[arn])
    attach = [one.condition for one in role.grants if one.action == "iam:AttachRolePolicy"]
    assert set(attach) == {(("ArnLike", "iam:PolicyARN", "arn:*:iam::aws:policy/X"),)}
    assert whys(generated("AWS::IAM::Role", ManagedPolicyArns=[{"Ref": "Own"}]))
    function = generated("AWS::Lambda::Function", Role={"Fn::GetAtt": ["R", "Arn"]})
    passed = {one.condition for one in function.grants if one.action == "iam:PassRole"}
    assert passed == {(("StringEquals", "iam:PassedToService", "lambda.amazonaws.com"),)}
    assert resources(function, "iam:PassRole") == {f"arn:*:iam::*:role/granary/{own}" for own in ("pool-*", "silo-*")}
    named = generated("AWS::Lambda::Function", Role="arn:aws:iam::222222222222:role/granary-x")
    assert resources(named, "iam:PassRole") == {"arn:*:iam::*:role/granary-x"}
    assert whys(generated("AWS::Lambda::Function", Role={"Ref": "Parameter"}))


def _managed(*name: Any) -> dict[str, Any]:
    return {"Fn::Join": ["", ["arn:", {"Ref": "AWS::Partition"}, ":iam::aws:policy/", *name]]}


@pytest.mark.parametrize("name", ["AdministratorAccess", "IAMFullAccess", "service-role/AmazonElasticMapReduceRole"])
def test_a_managed_policy_that_may_be_anything_is_attached_within_a_boundary_alone(name: str) -> None:
    """Given what would make an administrator of a role that the template's author trusts whom they like with."""
    without, within = (
        generated("AWS::IAM::Role", has_boundary=bounded, ManagedPolicyArns=[_managed(name)])
        for bounded in (False, True)
    )
    assert resources(without, "iam:AttachRolePolicy") == set()
    assert name in whys(without)[0]
    assert "permissions_boundary" in whys(without)[0]
    assert resources(within, "iam:AttachRolePolicy")
    small = generated(
        "AWS::IAM::Role", has_boundary=False, ManagedPolicyArns=[_managed("service-role/AWSLambdaBasicExecutionRole")]
    )
    assert resources(small, "iam:AttachRolePolicy")
    assert whys(small) == []
    literal = "arn:aws-us-gov:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
    assert whys(generated("AWS::IAM::Role", has_boundary=False, ManagedPolicyArns=[literal])) == []
    own = f"arn:aws:iam::{'2' * 12}:policy/service-role/AWSLambdaBasicExecutionRole"
    assert whys(generated("AWS::IAM::Role", has_boundary=False, ManagedPolicyArns=[own]))


@pytest.mark.parametrize("part", [{"Ref": "Which"}, {"Fn::Sub": "Amazon${Which}"}])
def test_no_pattern_of_managed_policies_is_allowed(part: Any) -> None:
    """Given an ARN of which the end is known when it is deployed only: `policy/*` has the administrator's."""
    made = generated("AWS::IAM::Role", ManagedPolicyArns=[_managed(part)])
    assert resources(made, "iam:AttachRolePolicy") == set()
    assert "known when it is deployed only" in whys(made)[0]
    own = {"Fn::Sub": "arn:${AWS::Partition}:iam::${AWS::AccountId}:policy/mine"}
    assert whys(generated("AWS::IAM::Role", ManagedPolicyArns=[own])) == []


def test_roles_bear_paths_that_are_known() -> None:
    made = generated("AWS::IAM::Role", Path={"Ref": "Path"}, RoleName="silo-acme-x")
    assert resources(made, "iam:CreateRole") == set()
    assert "its path" in whys(made)[0]


def test_roles_that_are_handed_on_are_all_tenants_or_somebody_elses_with_a_word() -> None:
    mine = generated("AWS::Lambda::Function", Role={"Fn::Sub": "arn:aws:iam::${A}:role/granary/silo-acme-x"})
    assert resources(mine, "iam:PassRole") == {f"arn:*:iam::*:role/granary/{own}" for own in ("pool-*", "silo-*")}
    assert not mine.reasons
    other = generated("AWS::Lambda::Function", Role="arn:aws:iam::222222222222:role/Administrator")
    ((resource, why, actions),) = told(other.reasons)
    assert (resource, actions) == ("arn:*:iam::*:role/Administrator", ["iam:PassRole"])
    assert "not the tenant's" in why


@pytest.mark.parametrize(
    "more",
    [{"Transform": "Mine"}, {"Outputs": {"O": {"Value": {"Fn::Transform": {"Name": "Mine"}}}}}],
    ids=["of the template", "of a part"],
)
def test_what_a_macro_makes_is_a_gap(more: dict[str, Any]) -> None:
    assert "a macro" in whys(generated("AWS::CDK::Metadata", more=more))[0]


def test_what_nobody_has_written_down_is_a_gap() -> None:
    assert "component/permissions.json" in whys(generated("AWS::Neptune::DBCluster"))[0]
    assert (
        "KinesisStreamSpecification" in whys(generated("AWS::DynamoDB::Table", KinesisStreamSpecification={"a": 1}))[0]
    )
    assert "somebody else" in whys(generated("AWS::Lambda::Function", KmsKeyArn="arn:aws:kms:a:1:key/b"))[0]
    assert (
        "resolves a value of secretsmanager"
        in whys(generated("AWS::CDK::Metadata", A="{{resolve:secretsmanager:x:y}}"))[0]
    )


def test_what_fills_a_template_in_is_read() -> None:
    parameter = {"Type": "AWS::SSM::Parameter::Value<String>"}
    more = {
        "Parameters": {
            "A": parameter | {"Default": "/cdk-bootstrap/granary/version"},
            "B": parameter | {"Default": "/landing/vpc"},
            "C": parameter | {"Default": "/silo-acme/motd"},
        },
        "Outputs": {"O": {"Value": {"Fn::GetStackOutput": {"StackName": "silo-acme-data", "OutputName": "x"}}}},
    }
    made = generated("AWS::CDK::Metadata", more=more, A="{{resolve:ssm:/shared/x:1}}")
    read = ("/cdk-bootstrap/*/version", "/silo-*", "/pool-*", "/shared/x")
    assert resources(made, "ssm:GetParameters") == {f"arn:*:ssm:*:*:parameter{name}" for name in read}
    assert resources(made, "cloudformation:DescribeStacks") == {
        f"arn:*:cloudformation:*:*:stack/{own}" for own in ("pool-*", "silo-*")
    }


@pytest.mark.parametrize("kind", sorted(TYPES))
def test_every_type_is_bounded_or_says_why_not(kind: str) -> None:
    """No action has a wildcard; what names no tenant, no tag and no condition has its reason."""
    for grant in TYPES[kind]["grants"]:
        assert not [action for action in actions_of(grant) if "*" in action]
        on = grant["on"] if isinstance(grant["on"], list) else [grant["on"]]
        bounded = all(any(f"{{{word}}}" in one for word in ("own", "name", "role", "roles")) for one in on)
        known = all(one.startswith(("arn:*:s3:::cdk-{qualifier}", "arn:*:rds:")) for one in on)
        assert bounded or known or {"tagged", "when", "because"} & grant.keys(), grant
        if "*" in on:
            assert {"tagged", "when", "because"} & grant.keys(), grant


@given(st.sets(st.sampled_from(sorted(TYPES)), min_size=1, max_size=6))
def test_stacks_together_need_what_each_needs(kinds: set[str]) -> None:
    every: set[Grant] = set().union(*(generated(kind).grants for kind in kinds))
    body = {"Resources": {f"R{number}": {"Type": kind} for number, kind in enumerate(sorted(kinds))}}
    stack = Deployed(tenant="silo-acme", name="x", body=body)
    made = generate([stack, stack], types=TYPES, qualifier="granary", has_boundary=True)
    assert made.grants == every
    assert set(made.reasons) <= made.grants
    assert {action for _, _, actions in told(made.reasons) for action in actions} == {
        one.action for one in made.reasons
    }


def test_the_zone_describes_its_own_types_and_says_others_otherwise(tmp_path: Path) -> None:
    file = tmp_path / "permissions.json"
    own = {"grants": [{"on": "arn:*:neptune:*:*:{own}", "may": "neptune:A B"}]}
    file.write_text(json.dumps({"AWS::Neptune::DBCluster": own, "AWS::KMS::Key": {"grants": []}}), encoding="utf-8")
    types = known_types(file)
    assert (types["AWS::Neptune::DBCluster"], types["AWS::KMS::Key"]) == (own, {"grants": []})
    assert types["AWS::SQS::Queue"] == TYPES["AWS::SQS::Queue"]
    for wrong in ("[]", "{", '{"A": {"grants": [{"on": "*", "may": "x"}]}}', '{"A": 1}'):
        file.write_text(wrong, encoding="utf-8")
        with pytest.raises(GranaryError, match=r"permissions\.json cannot be read"):
            known_types(file)
