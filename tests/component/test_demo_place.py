"""A container service has a role and a network to go into, or says what it lacks before anything is made."""

from __future__ import annotations

from typing import Any

import boto3
import pytest

from component.demo import INFRASTRUCTURE_ROLE, Component, place_problem
from constructs_lib.saas.component_spec import Place
from lambdas.common.cross_account import LookupRoles

ACCOUNT, REGION = "222222222222", "eu-west-1"


SUBNETS = {"subnets": {f"{ACCOUNT}/{REGION}": ["subnet-0a1b2c3d"]}}


def problem(**settings: Any) -> str | None:
    """What the place lacks for a component with these settings."""

    def make_client(service: str, *, region: str, credentials: Any) -> Any:
        return boto3.client(service, region_name=region)  # type: ignore[call-overload]

    lookup = LookupRoles(sts=boto3.client("sts", region_name=REGION), qualifier="granary", make_client=make_client)
    place = Place(account=ACCOUNT, region=REGION, prefix="granary", roles_advice="make them", lookup=lookup)
    return place_problem(place, Component.model_validate(settings))


@pytest.fixture
def role(aws: None) -> None:
    """The administrator of the account has made the role for Express Mode."""
    boto3.client("iam").create_role(RoleName=f"granary-{INFRASTRUCTURE_ROLE}", AssumeRolePolicyDocument="{}")


@pytest.fixture
def no_network(role: None) -> None:
    """The account has no default VPC."""
    ec2 = boto3.client("ec2", region_name=REGION)
    for vpc in ec2.describe_vpcs()["Vpcs"]:
        for subnet in ec2.describe_subnets(Filters=[{"Name": "vpc-id", "Values": [vpc["VpcId"]]}])["Subnets"]:
            ec2.delete_subnet(SubnetId=subnet["SubnetId"])
        ec2.delete_vpc(VpcId=vpc["VpcId"])


def test_a_service_needs_the_role_of_the_account(aws: None) -> None:
    told = problem()
    assert told
    assert f"account {ACCOUNT} has no role granary-express-infrastructure: make them" in told


def test_what_runs_nothing_needs_nothing(aws: None) -> None:
    assert problem(kind="task_definition") is None


@pytest.mark.usefixtures("role")
def test_the_default_vpc_is_a_network() -> None:
    assert problem() is None


@pytest.mark.usefixtures("no_network")
def test_without_one_it_is_told_unless_subnets_are_configured() -> None:
    told = problem()
    assert told
    assert "has no default VPC in eu-west-1" in told
    assert "component.subnets" in told
    assert "place.subnets" in told
    assert problem(**SUBNETS) is None
