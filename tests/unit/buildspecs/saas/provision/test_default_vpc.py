"""A container service has a network to go into, or says what it lacks before anything is made."""

from __future__ import annotations

from typing import Any

import boto3

from buildspecs.saas.provision.default_vpc import network_problem
from lambdas.common.cross_account import LookupRoles

ACCOUNT, REGION = "222222222222", "eu-west-1"


def lookup() -> LookupRoles:
    def make_client(service: str, *, region: str, credentials: Any) -> Any:
        return boto3.client(service, region_name=region)  # type: ignore[call-overload]

    return LookupRoles(sts=boto3.client("sts", region_name=REGION), qualifier="granary", make_client=make_client)


def test_the_default_vpc_is_a_network(aws: None) -> None:
    assert network_problem(lookup(), account=ACCOUNT, region=REGION, subnets=()) is None


def test_without_one_it_is_told_unless_subnets_are_configured(aws: None) -> None:
    ec2 = boto3.client("ec2", region_name=REGION)
    for vpc in ec2.describe_vpcs()["Vpcs"]:
        for subnet in ec2.describe_subnets(Filters=[{"Name": "vpc-id", "Values": [vpc["VpcId"]]}])["Subnets"]:
            ec2.delete_subnet(SubnetId=subnet["SubnetId"])
        ec2.delete_vpc(VpcId=vpc["VpcId"])
    told = network_problem(lookup(), account=ACCOUNT, region=REGION, subnets=())
    assert told
    assert "has no default VPC in eu-west-1" in told
    assert "component.subnets" in told
    assert network_problem(lookup(), account=ACCOUNT, region=REGION, subnets=[f"{ACCOUNT}/{REGION}"]) is None
