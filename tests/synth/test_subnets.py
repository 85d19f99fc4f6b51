"""A container service goes where the configuration says, or else into the default VPC."""

from __future__ import annotations

from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import assertions

from lambdas.saas.model.record import DeploymentRecord
from stacks.saas.component import ComponentProps, ComponentStage

RECORD = DeploymentRecord(id="acme", type="silo", account="222222222222", region="eu-west-1")


@pytest.mark.parametrize(
    ("subnets", "network"),
    [
        ({}, None),
        ({"222222222222/us-east-1": ["subnet-0a"]}, None),
        ({"222222222222/eu-west-1": ["subnet-0a", "subnet-0b"]}, {"Subnets": ["subnet-0a", "subnet-0b"]}),
    ],
)
def test_subnets_are_those_of_the_place(subnets: dict[str, list[str]], network: dict[str, Any] | None) -> None:
    component = ComponentProps(
        kind="container_service",
        image="nginx:1",
        port=80,
        infrastructure_role="express",
        qualifier="granary",
        subnets=subnets,
    )
    stage = ComponentStage(cdk.App(), "Stage", record=RECORD, component=component)
    stack = stage.node.find_child("Component")
    assert isinstance(stack, cdk.Stack)
    services = assertions.Template.from_stack(stack).find_resources("AWS::ECS::ExpressGatewayService")
    (service,) = services.values()
    assert service["Properties"].get("NetworkConfiguration") == network
