"""The stack of the demo component: its template, its size, its network, and a role that outlives it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import assertions
from syrupy.assertion import SnapshotAssertion

from component.demo import Component
from lambdas.saas.model.record import DeploymentRecord
from stacks.saas.component import ComponentProps, ComponentStage
from tests.component.test_workload_policy import CALLS, granting
from tests.synth.assembly import Template, flat
from tests.synth.configurations import AWS
from tests.synth.snapshots import YamlExtension, readable

Read = Callable[[str], list[Template]]
RECORD = DeploymentRecord(id="acme", type="silo", account="222222222222", region="eu-west-1")
CASES = ("tenants-runs", "tenants-nothing-runs")
KINDS = ("container_service", "task_definition")
TWO = ["subnet-0a1b2c3d", "subnet-0b1b2c3d"]


def template_of(record: DeploymentRecord = RECORD, **settings: Any) -> assertions.Template:
    """The template of a tenant's stack."""
    props = ComponentProps(settings=Component.model_validate(settings), prefix="granary", qualifier="granary")
    (stack,) = ComponentStage(cdk.App(), "Stage", record=record, component=props).stacks
    return assertions.Template.from_stack(stack)


@pytest.mark.parametrize("case", CASES)
def test_the_template_is_as_reviewed(case: str, templates_of: Read, snapshot: SnapshotAssertion) -> None:
    (template,) = [one for one in templates_of(case) if one.stack == "silo-acme-resources"]
    assert readable(template) == snapshot(extension_class=YamlExtension)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("size", "units"), [("small", ("256", "512")), ("large", ("1024", "2048"))])
def test_the_size_is_that_of_the_tasks_and_the_smallest_is_said_too(
    kind: str, size: str, units: tuple[str, str]
) -> None:
    """A tenant that becomes small again must not keep what it had."""
    resources = template_of(replace(RECORD, size=size), kind=kind).to_json()["Resources"].values()
    found = [one["Properties"] for one in resources if "Cpu" in one["Properties"]]
    assert [(one["Cpu"], one["Memory"]) for one in found] == [units]


@pytest.mark.parametrize("kind", KINDS)
def test_the_execution_policy_lets_cloudformation_tag_and_untag(kind: str) -> None:
    for resource in template_of(replace(RECORD, tags=(("team", "a"),)), kind=kind).to_json()["Resources"].values():
        assert "Tags" in resource["Properties"]
        arns = [arn.format(partition="aws") for arn in CALLS[resource["Type"]]]
        service = "iam" if resource["Type"] == "AWS::IAM::Role" else "ecs"
        wanted = ("iam:TagRole", "iam:UntagRole") if service == "iam" else ("ecs:TagResource", "ecs:UntagResource")
        for action in wanted:
            assert any(granting(action, arn) for arn in arns), (resource["Type"], action)


def roles_outlive_services(template: Template) -> list[str]:
    """ECS removes an Express service's load balancer with its role, when the stack is gone already."""
    own = {f"${{{logical_id}.Arn}}" for logical_id, _ in template.resources("AWS::IAM::Role")}
    return [
        f"{logical_id}: its infrastructure role is of the same stack"
        for logical_id, resource in template.resources("AWS::ECS::ExpressGatewayService")
        if flat(resource["Properties"]["InfrastructureRoleArn"]) in own
    ]


@pytest.mark.parametrize("case", CASES)
def test_the_infrastructure_role_is_of_no_tenants_stack(case: str, templates_of: Read) -> None:
    assert [found for template in templates_of(case) for found in roles_outlive_services(template)] == []


def test_one_that_is_would_be_found() -> None:
    service = {
        "Type": "AWS::ECS::ExpressGatewayService",
        "Properties": {"InfrastructureRoleArn": {"Fn::GetAtt": ["Role", "Arn"]}},
    }
    body = {"Resources": {"Service": service, "Role": {"Type": "AWS::IAM::Role", "Properties": {}}}}
    bad = Template(stack="bad", account="222222222222", region="eu-west-1", place=AWS, body=body)
    assert len(roles_outlive_services(bad)) == 1


@pytest.mark.parametrize(
    ("subnets", "network"),
    [
        ({}, None),
        ({"222222222222/us-east-1": ["subnet-0a1b2c3d"]}, None),
        (
            {"222222222222/eu-west-1": ["subnet-0a1b2c3d", "subnet-0b1b2c3d"]},
            {"Subnets": ["subnet-0a1b2c3d", "subnet-0b1b2c3d"]},
        ),
    ],
)
def test_subnets_are_those_of_the_place(subnets: dict[str, list[str]], network: dict[str, Any] | None) -> None:
    (service,) = template_of(subnets=subnets).find_resources("AWS::ECS::ExpressGatewayService").values()
    assert service["Properties"].get("NetworkConfiguration") == network
