"""Workload accounts trust roles: whoever else may assume roles gets nowhere, and those may do their job alone."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from lambdas.common.names import COMPONENT_ASSETS, bootstrap_role
from lambdas.saas.model.names import component_stack_name
from lambdas.saas.model.status import Status
from local_cloud.factory.granary import HOME, NAMES, QUALIFIER, TOOLCHAIN, WORKLOAD
from tests.local.saas.factory import Factory
from tests.local.saas.permissions import acting_as
from tests.local.saas.test_attacks import denied
from tests.local.saas.wave import ACME, HOUSE

Clients = Callable[[str], Any]
# Who assumes a kind of role.
ASSUMED_BY = {
    "deploy": (NAMES.tenant_pipeline_role, NAMES.asset_publishing_role, NAMES.lifecycle_role),
    "lookup": (NAMES.provisioning_role, NAMES.pipeline_watch_role),
    "file-publishing": (NAMES.asset_publishing_role,),
    "image-publishing": (NAMES.asset_publishing_role,),
    "cfn-exec": (),
}
COMPONENT = component_stack_name(ACME.type, ACME.id)
_TEMPLATE = json.dumps({"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}})


def arn(kind: str, *, account: str = WORKLOAD, region: str = ACME.region) -> str:
    role = bootstrap_role(kind, qualifier=QUALIFIER, account=account, region=region)
    return f"arn:aws:iam::{account}:role/{role}"


@pytest.fixture(params=[TOOLCHAIN, WORKLOAD], ids=["of the toolchain", "of the workload account"])
def stranger(request: pytest.FixtureRequest, factory: Factory, wave: dict[str, Status]) -> Iterator[Any]:
    """STS as a role of an account that may assume any role, and nothing else."""
    account, iam = str(request.param), factory.granary.client("iam", account=request.param)
    trust = {"Effect": "Allow", "Principal": {"AWS": account}, "Action": "sts:AssumeRole"}
    any_role = {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*"}
    name = {"RoleName": "developer"}
    iam.create_role(**name, AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]}))
    document = json.dumps({"Version": "2012-10-17", "Statement": [any_role]})
    iam.put_role_policy(**name, PolicyName="any", PolicyDocument=document)
    me = factory.granary.client("sts", account=account)
    keys = me.assume_role(RoleArn=f"arn:aws:iam::{account}:role/developer", RoleSessionName="me")["Credentials"]
    yield factory.granary.cloud.client("sts", account, HOME, keys)
    iam.delete_role_policy(**name, PolicyName="any")
    iam.delete_role(**name)


def session(factory: Factory, role: str, kind: str) -> Clients:
    """Clients of a workload account's role, as a role of the toolchain gets them."""
    sts = acting_as(factory.granary, f"{role}")("sts")
    keys = sts.assume_role(RoleArn=arn(kind), RoleSessionName="stolen")["Credentials"]
    return lambda service: factory.granary.cloud.client(service, WORKLOAD, ACME.region, keys)


@pytest.mark.parametrize("kind", ASSUMED_BY)
def test_who_may_assume_any_role_assumes_none_of_these(stranger: Any, kind: str) -> None:
    denied(stranger.assume_role, RoleArn=arn(kind), RoleSessionName="attack")


@pytest.mark.parametrize("role", sorted({role for roles in ASSUMED_BY.values() for role in roles}))
def test_a_role_of_the_factory_assumes_the_kinds_of_its_job(
    factory: Factory, wave: dict[str, Status], role: str
) -> None:
    sts = acting_as(factory.granary, role)("sts")
    reached = set()
    for kind in ASSUMED_BY:
        try:
            sts.assume_role(RoleArn=arn(kind), RoleSessionName="stolen")
        except ClientError:
            continue
        reached.add(kind)
    assert reached == {kind for kind, roles in ASSUMED_BY.items() if role in roles}


def test_nobody_is_deputized(factory: Factory, wave: dict[str, Status]) -> None:
    sts = acting_as(factory.granary, NAMES.tenant_pipeline_role)("sts")
    denied(sts.assume_role, RoleArn=arn("deploy"), RoleSessionName="stolen", ExternalId="somebody")


@pytest.fixture
def deploy(factory: Factory, wave: dict[str, Status]) -> Clients:
    return session(factory, NAMES.tenant_pipeline_role, "deploy")


def test_the_deploy_role_changes_tenants_stacks_as_their_execution_role_alone(deploy: Clients) -> None:
    cloudformation, execution = deploy("cloudformation"), {"RoleARN": arn("cfn-exec")}
    change = {"ChangeSetName": "attack", "TemplateBody": _TEMPLATE}
    for stack, role in (
        (COMPONENT, {}),
        (COMPONENT, {"RoleARN": f"arn:aws:iam::{WORKLOAD}:role/admin"}),
        ("somebody-elses", execution),
        ("CDKToolkit-granary", execution),
        (ACME.pipeline, execution),
    ):
        denied(cloudformation.create_change_set, StackName=stack, **change, **role)
        denied(cloudformation.delete_stack, StackName=stack, **role)
    denied(cloudformation.update_stack, StackName=COMPONENT, TemplateBody=_TEMPLATE, **execution)
    cloudformation.create_change_set(StackName=COMPONENT, **change, **execution)
    cloudformation.delete_change_set(StackName=COMPONENT, ChangeSetName="attack")


def test_the_deploy_role_reads_no_data(deploy: Clients) -> None:
    denied(deploy("dynamodb").list_tables)
    denied(deploy("ssm").get_parameter, Name="/somebody/elses")
    denied(deploy("s3").list_buckets)


@pytest.fixture
def lookup(factory: Factory, wave: dict[str, Status]) -> Clients:
    return session(factory, NAMES.pipeline_watch_role, "lookup")


def test_the_lookup_role_looks_at_tenants_stacks_and_at_quotas(lookup: Clients) -> None:
    assert lookup("cloudformation").describe_stacks(StackName=COMPONENT)["Stacks"]
    assert lookup("ec2").describe_vpcs()["Vpcs"]
    denied(lookup("cloudformation").describe_stacks, StackName="CDKToolkit-granary")
    denied(lookup("cloudformation").get_template, StackName=COMPONENT)
    denied(lookup("dynamodb").list_tables)
    denied(lookup("s3").list_buckets)
    denied(lookup("iam").get_role, RoleName=arn("deploy").rpartition("/")[2])


def test_files_are_published_and_not_taken_back(factory: Factory, wave: dict[str, Status]) -> None:
    s3 = session(factory, NAMES.asset_publishing_role, "file-publishing")("s3")
    bucket = f"cdk-{QUALIFIER}-assets-{WORKLOAD}-{ACME.region}"
    place = {"Bucket": bucket, "Key": f"{COMPONENT_ASSETS}mine.json"}
    s3.put_object(**place, Body=b"{}")
    denied(s3.delete_object, **place)
    # There the template would be of a stack that an administrator deploys.
    denied(s3.put_object, Bucket=bucket, Key="mine.json", Body=b"{}")
    other = f"cdk-{QUALIFIER}-assets-{TOOLCHAIN}-{HOUSE.region}"
    denied(s3.put_object, Bucket=other, Key=place["Key"], Body=b"{}")
