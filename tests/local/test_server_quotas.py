"""Service Quotas and the account limits of CloudFormation, on the local cloud."""

from __future__ import annotations

import json

import pytest
from botocore.exceptions import ClientError

from buildspecs.saas.provision.quota_usage import AccountUsage
from buildspecs.saas.provision.quotas import FARGATE, PIPELINES, ROLES, STACKS, Demand, Room
from constructs_lib.saas.component_spec import Needs
from constructs_lib.saas.provisioning_project import QUOTA_ACTIONS
from lambdas.common.cross_account import LookupRoles
from lambdas.saas.model.record import DeploymentRecord
from tests.local.local_cloud_fixtures import REGION, Workbench, allow

TEMPLATE = '{"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}}'
NEEDS = Needs(roles=2, fargate_quarters=1)
PIPELINE_QUOTA = {"ServiceCode": "codepipeline", "QuotaCode": "L-78D200AD"}


def usage(workbench: Workbench, *actions: str) -> tuple[AccountUsage, Demand]:
    """The usage as a build's role sees it that may call `actions`, and what a tenant in the same account takes."""
    role = workbench.role("build", principal={"AWS": workbench.account}, statements=[allow(*actions)])
    credentials = workbench.assume(role)
    lookup = LookupRoles(
        sts=workbench.client("sts"),
        qualifier="granary",
        make_client=lambda service, *, region, credentials: workbench.client(service, credentials),
    )
    workbench.role(
        f"cdk-granary-lookup-role-{workbench.account}-{REGION}",
        path="/granary/",
        principal={"AWS": workbench.account},
        statements=[allow("iam:GetAccountSummary", "servicequotas:GetServiceQuota")],
    )
    ours = AccountUsage(
        account=workbench.account,
        region=REGION,
        own=lambda service: workbench.client(service, credentials),
        lookup=lookup,
    )
    return ours, Demand(account=workbench.account, region=REGION, needs=lambda _: NEEDS)


def record(workbench: Workbench) -> DeploymentRecord:
    return DeploymentRecord(id="a", type="silo", account=workbench.account, region=REGION)


def test_a_build_reads_every_pool_that_a_tenant_needs(workbench: Workbench) -> None:
    workbench.client("cloudformation").create_stack(StackName="one", TemplateBody=TEMPLATE)
    ours, demand = usage(workbench, *QUOTA_ACTIONS)
    rooms = {pool.quota: ours.room(pool) for pool in demand.of(record(workbench))}
    assert rooms[PIPELINES] == Room(allowed=1000, used=0)
    assert rooms[STACKS] == Room(allowed=2000, used=1)
    assert rooms[ROLES] == Room(allowed=1000, used=2)
    assert rooms[FARGATE] == Room(allowed=24)
    assert all(isinstance(room, Room) for room in rooms.values())


def test_stacks_that_are_gone_are_not_counted(workbench: Workbench) -> None:
    cloudformation = workbench.client("cloudformation")
    cloudformation.create_stack(StackName="one", TemplateBody=TEMPLATE)
    cloudformation.get_waiter("stack_create_complete").wait(StackName="one", WaiterConfig={"Delay": 1})
    cloudformation.delete_stack(StackName="one")
    cloudformation.get_waiter("stack_delete_complete").wait(StackName="one", WaiterConfig={"Delay": 1})
    ours, demand = usage(workbench, *QUOTA_ACTIONS)
    assert {pool.quota: ours.room(pool) for pool in demand.of(record(workbench))}[STACKS] == Room(allowed=2000, used=0)


def test_what_a_build_may_not_read_is_told(workbench: Workbench) -> None:
    ours, demand = usage(workbench, "codepipeline:ListPipelines")
    (pool,) = (pool for pool in demand.of(record(workbench)) if pool.quota == PIPELINES)
    assert "servicequotas:GetServiceQuota" in str(ours.room(pool))


def test_a_quota_is_changed_for_one_account_and_region(workbench: Workbench) -> None:
    quotas = workbench.client("service-quotas")
    quotas.request_service_quota_increase(**PIPELINE_QUOTA, DesiredValue=3)
    assert quotas.get_service_quota(**PIPELINE_QUOTA)["Quota"]["Value"] == 3
    assert quotas.get_aws_default_service_quota(**PIPELINE_QUOTA)["Quota"]["Value"] == 1000
    elsewhere = workbench.cloud.client("service-quotas", workbench.account, "us-east-1")
    assert elsewhere.get_service_quota(**PIPELINE_QUOTA)["Quota"]["Value"] == 1000


def test_what_it_does_not_know_it_refuses_by_name(workbench: Workbench) -> None:
    quotas = workbench.client("service-quotas")
    with pytest.raises(ClientError, match="NoSuchResourceException"):
        quotas.get_service_quota(ServiceCode="vpc", QuotaCode="L-F678F1CE")
    with pytest.raises(ClientError, match="does not serve ListServices"):
        quotas.list_services()


@pytest.mark.parametrize(("made", "shown"), [(1, 1), (100, 100), (101, 100)])
def test_the_resources_of_a_stack_are_described_to_the_hundredth(workbench: Workbench, made: int, shown: int) -> None:
    """Given a stack with more resources than one answer holds, then the old call hides some and the list has all."""
    resources = {f"Topic{number}": {"Type": "AWS::SNS::Topic"} for number in range(made)}
    cloudformation = workbench.client("cloudformation")
    cloudformation.create_stack(StackName="many", TemplateBody=json.dumps({"Resources": resources}))
    cloudformation.get_waiter("stack_create_complete").wait(StackName="many", WaiterConfig={"Delay": 1})
    assert len(cloudformation.describe_stack_resources(StackName="many")["StackResources"]) == shown
    pages = cloudformation.get_paginator("list_stack_resources").paginate(StackName="many")
    assert sum(len(page["StackResourceSummaries"]) for page in pages) == made
