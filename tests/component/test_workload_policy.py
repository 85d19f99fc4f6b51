"""The execution policy of workload accounts: it covers the component's stacks, and grants little besides.

The permissions of a type's handlers are in its schema in the CloudFormation registry, and for Express Mode in
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/express-service-getting-started.html.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest

from tests.synth.assembly import Template, as_list, flat

POLICY: dict[str, Any] = json.loads(
    (Path(__file__).parents[2] / "config" / "policies" / "workload-execution.json").read_text(encoding="utf-8")
)
# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html, white space not counted
POLICY_LIMIT = 6144

_ROLE = "arn:{partition}:iam::222222222222:role/granary/silo-acme-resources-SolutionExecutionRole-1A2B3C"
_ECS = "arn:{partition}:ecs:eu-west-1:222222222222:"
_TAGS = ("ecs:ListTagsForResource", "ecs:TagResource", "ecs:UntagResource")

# What CloudFormation calls for each type, and on which resource of a tenant.
CALLS: dict[str, dict[str, tuple[str, ...]]] = {
    "AWS::ECS::ExpressGatewayService": {
        f"{_ECS}service/default/silo-acme": (
            "ecs:CreateExpressGatewayService",
            "ecs:DeleteExpressGatewayService",
            "ecs:DescribeExpressGatewayService",
            "ecs:DescribeServices",
            "ecs:ListServiceDeployments",
            "ecs:UpdateExpressGatewayService",
            *_TAGS,
        ),
        f"{_ECS}service-deployment/default/silo-acme/1a2b": ("ecs:DescribeServiceDeployments",),
        f"{_ECS}service-revision/default/silo-acme/1": ("ecs:DescribeServiceRevisions",),
        f"{_ECS}task-definition/default-silo-acme:1": ("ecs:RegisterTaskDefinition", "ecs:DescribeTaskDefinition"),
        f"{_ECS}cluster/default": ("ecs:CreateCluster", "ecs:DescribeClusters"),
        "arn:{partition}:iam::222222222222:role/aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS": (
            "iam:CreateServiceLinkedRole",
        ),
        _ROLE: ("iam:PassRole",),
        "arn:{partition}:iam::222222222222:role/granary-express-infrastructure": ("iam:PassRole",),
    },
    "AWS::ECS::Cluster": {
        f"{_ECS}cluster/silo-acme": (
            "ecs:CreateCluster",
            "ecs:DeleteCluster",
            "ecs:DescribeClusters",
            "ecs:PutClusterCapacityProviders",
            "ecs:UpdateCluster",
            "ecs:UpdateClusterSettings",
            *_TAGS,
        ),
    },
    "AWS::ECS::TaskDefinition": {
        f"{_ECS}task-definition/silo-acme:1": (
            "ecs:DeregisterTaskDefinition",
            "ecs:DescribeTaskDefinition",
            "ecs:RegisterTaskDefinition",
            *_TAGS,
        ),
    },
    "AWS::IAM::Role": {
        _ROLE: (
            "iam:AttachRolePolicy",
            "iam:CreateRole",
            "iam:DeleteRole",
            "iam:DetachRolePolicy",
            "iam:GetRole",
            "iam:ListAttachedRolePolicies",
            "iam:ListRolePolicies",
            "iam:TagRole",
            "iam:UntagRole",
            "iam:UpdateAssumeRolePolicy",
            "iam:UpdateRole",
        ),
    },
}
# https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonelasticcontainerservice.html
WITHOUT_RESOURCE = {"ecs:DeregisterTaskDefinition", "ecs:DescribeTaskDefinition"}


def statements() -> Iterator[Mapping[str, Any]]:
    yield from POLICY["Statement"]


def granting(action: str, resource: str) -> list[Mapping[str, Any]]:
    """The statements that allow an action on a resource, under their conditions."""
    return [
        statement
        for statement in statements()
        if action in as_list(statement["Action"])
        and any(fnmatchcase(resource, pattern) for pattern in as_list(statement["Resource"]))
    ]


def conditions(action: str, operator: str, key: str) -> set[str]:
    """The values that a condition of the action's statement admits; every statement of the action must have it."""
    found = [statement for statement in statements() if action in as_list(statement["Action"])]
    return {value for statement in found for value in as_list(statement["Condition"][operator][key])}


@pytest.fixture(params=["tenants-runs", "tenants-nothing-runs", "tenants-gov", "tenants-china"])
def components(request: pytest.FixtureRequest, templates_of: Callable[[str], list[Template]]) -> list[Template]:
    """The stacks that go into workload accounts."""
    return [template for template in templates_of(request.param) if template.stack.endswith("-resources")]


def test_every_type_of_the_component_is_covered(components: list[Template]) -> None:
    assert components
    for template in components:
        for _, resource in template.resources():
            for resource_arn, actions in CALLS[resource["Type"]].items():
                arn = resource_arn.format(partition=template.place.partition)
                assert [action for action in actions if not granting(action, arn)] == [], resource["Type"]


def test_it_reads_the_bootstrap_version(components: list[Template]) -> None:
    for template in components:
        name = template.body["Parameters"]["BootstrapVersion"]["Default"]
        arn = f"arn:{template.place.partition}:ssm:{template.region}:{template.account}:parameter{name}"
        assert granting("ssm:GetParameters", arn)


def test_roles_get_the_policies_of_the_component_only(templates_of: Callable[[str], list[Template]]) -> None:
    """Not that of the role which all services of an account share: whom its roles trust is a template's business."""
    found: set[str] = set()
    trusted: set[str] = set()
    for template in (*templates_of("tenants-runs"), *templates_of("factory-s3")):
        if template.stack.endswith("-resources") or "-workload-roles-" in template.stack:
            for _, role in template.resources("AWS::IAM::Role"):
                properties = role["Properties"]
                if "ManagedPolicyArns" in properties:
                    trusted |= {s["Principal"]["Service"] for s in properties["AssumeRolePolicyDocument"]["Statement"]}
                if template.stack.endswith("-resources"):
                    found |= {flat(arn).replace("${AWS::Partition}", "*") for arn in properties["ManagedPolicyArns"]}
    assert conditions("iam:AttachRolePolicy", "ArnLike", "iam:PolicyARN") == found
    assert conditions("iam:DetachRolePolicy", "ArnLike", "iam:PolicyARN") == found
    assert conditions("iam:PassRole", "StringEquals", "iam:PassedToService") == trusted


def test_it_stays_among_the_tenants_names() -> None:
    admin = "arn:aws:iam::222222222222:role/admin"
    for statement in statements():
        for action in as_list(statement["Action"]):
            if action.startswith("iam:"):
                assert not granting(action, admin), action
    assert not granting("iam:DeleteRole", "arn:aws:iam::222222222222:role/granary-express-infrastructure")
    assert not granting("ecs:DeleteExpressGatewayService", "arn:aws:ecs:eu-west-1:222222222222:service/default/shop")
    assert not granting("ecs:DeleteCluster", "arn:aws:ecs:eu-west-1:222222222222:cluster/default")


def test_no_action_has_a_wildcard_and_no_resource_without_need() -> None:
    for statement in statements():
        assert statement["Effect"] == "Allow"
        assert [action for action in as_list(statement["Action"]) if "*" in action] == []
        if "*" in as_list(statement["Resource"]):
            assert set(as_list(statement["Action"])) == WITHOUT_RESOURCE


def test_a_role_cannot_be_given_a_policy_of_its_own() -> None:
    """An inline policy would let a template write itself any permission."""
    for action in ("iam:PutRolePolicy", "iam:CreatePolicy", "iam:CreatePolicyVersion", "iam:PutUserPolicy"):
        assert not granting(action, "arn:aws:iam::222222222222:role/silo-acme")


def test_it_fits_into_a_managed_policy() -> None:
    assert len(json.dumps(POLICY, separators=(",", ":"))) <= POLICY_LIMIT
