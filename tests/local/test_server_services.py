"""The fault board, the call counter, and the services that moto answers."""

from __future__ import annotations

import json

import pytest
from botocore.exceptions import ClientError

from local_cloud.cloud import LocalCloud, LocalCloudError
from tests.local.local_cloud_fixtures import REGION, Workbench, allow

pytestmark = pytest.mark.usefixtures("no_faults")

_TEMPLATE = json.dumps(
    {"Resources": {"X": {"Type": "AWS::SSM::Parameter", "Properties": {"Type": "String", "Value": "x"}}}}
)


def test_every_second_call_fails_until_the_fault_is_used_up(workbench: Workbench) -> None:
    faults = workbench.cloud.faults
    faults.set({"ssm:DescribeParameters": {"every": 2, "error": "ThrottlingException", "count": 2}})
    ssm, outcomes = workbench.client("ssm"), []
    for _ in range(6):
        try:
            ssm.describe_parameters()
            outcomes.append("served")
        except ClientError as error:
            outcomes.append(error.response["Error"]["Code"])
    assert outcomes == ["served", "ThrottlingException", "served", "ThrottlingException", "served", "served"]
    assert faults.get()["ssm:DescribeParameters"] == {
        "every": 2,
        "error": "ThrottlingException",
        "count": 2,
        "seen": 6,
        "raised": 2,
    }
    assert faults.clear() == {}


@pytest.mark.parametrize(
    ("service", "operation", "call"),
    [
        ("s3", "ListAllMyBuckets", "list_buckets"),
        ("cloudformation", "DescribeStacks", "describe_stacks"),
        ("lambda", "ListFunctions", "list_functions"),
    ],
)
def test_a_fault_speaks_the_protocol_of_its_service(
    workbench: Workbench, service: str, operation: str, call: str
) -> None:
    workbench.cloud.faults.set({f"{service}:{operation}": {"error": "Throttled"}})
    with pytest.raises(ClientError) as caught:
        getattr(workbench.client(service), call)()
    assert caught.value.response["Error"]["Code"] == "Throttled"


@pytest.mark.parametrize(
    "document",
    [
        {"ssm:GetParameter": {"every": 0, "error": "X"}},
        {"ssm:GetParameter": {"often": 1, "error": "X"}},
        {"ssm:GetParameter": {"error": "X", "count": -1}},
        {"codebuild": {"limit": 1}},
        {"lambda": {"account_limit": 1}},
    ],
)
def test_a_fault_that_makes_no_sense_is_refused(cloud: LocalCloud, document: dict[str, object]) -> None:
    with pytest.raises(LocalCloudError, match="400"):
        cloud.faults.set(document)
    assert cloud.faults.get() == {}


def test_calls_are_counted_by_operation_and_account(workbench: Workbench) -> None:
    ssm = workbench.client("ssm")
    ssm.put_parameter(Name="/a", Value="1", Type="String")
    ssm.get_parameter(Name="/a")
    with pytest.raises(ClientError):
        ssm.get_parameter(Name="/missing")
    rows = workbench.cloud.faults.calls(service="ssm", operation="GetParameter")["calls"]
    row = next(row for row in rows if row["account"] == workbench.account)
    assert (row["served"], row["refused"]) == (1, 1)


def test_forwarded_services_keep_accounts_apart(workbench: Workbench) -> None:
    codedeploy = workbench.client("codedeploy")
    codedeploy.create_application(applicationName="shop")
    assert codedeploy.get_application(applicationName="shop")["application"]["applicationName"] == "shop"
    other = workbench.cloud.client("codedeploy", "499999999999", REGION)
    with pytest.raises(ClientError, match="ApplicationDoesNotExist"):
        other.get_application(applicationName="shop")


@pytest.mark.parametrize(("resource", "allowed"), [("shop", True), ("other", False)])
def test_iam_is_enforced_for_forwarded_services(workbench: Workbench, resource: str, allowed: bool) -> None:
    workbench.client("codedeploy").create_application(applicationName="shop")
    arn = f"arn:aws:codedeploy:{REGION}:{workbench.account}:application:{resource}"
    role = workbench.role(
        "reader", principal={"AWS": workbench.account}, statements=[allow("codedeploy:GetApplication", resource=arn)]
    )
    codedeploy = workbench.client("codedeploy", workbench.assume(role))
    if allowed:
        assert codedeploy.get_application(applicationName="shop")["application"]
    else:
        with pytest.raises(ClientError, match="AccessDenied"):
            codedeploy.get_application(applicationName="shop")


def test_rest_services_are_forwarded_and_authorised(workbench: Workbench) -> None:
    role = workbench.role("none", principal={"AWS": workbench.account}, statements=[allow("fis:GetAction")])
    credentials = workbench.assume(role)
    assert workbench.client("fis").list_experiment_templates()["experimentTemplates"] == []
    assert "DataLakeSettings" in workbench.client("lakeformation").get_data_lake_settings()
    for service, call in (("fis", "list_experiment_templates"), ("lakeformation", "get_data_lake_settings")):
        with pytest.raises(ClientError, match="AccessDenied"):
            getattr(workbench.client(service, credentials), call)()


def test_what_moto_does_not_implement_is_refused_by_name(workbench: Workbench) -> None:
    with pytest.raises(ClientError, match=r"The local cloud .moto. does not serve this"):
        workbench.client("codedeploy").list_git_hub_account_token_names()


@pytest.mark.parametrize(("named", "allowed"), [("passed", True), ("other", False), ("", False)])
def test_changes_of_stacks_are_bound_to_a_role(workbench: Workbench, named: str, allowed: bool) -> None:
    """Given a permission that names the role which CloudFormation has to act with, then no call goes without it."""
    arn = f"arn:aws:iam::{workbench.account}:role/"
    bound = {
        **allow("cloudformation:CreateChangeSet"),
        "Condition": {"ArnEquals": {"cloudformation:RoleArn": f"{arn}passed"}},
    }
    passing = allow("iam:PassRole", resource=f"{arn}*")
    role = workbench.role("deployer", principal={"AWS": workbench.account}, statements=[bound, passing])
    for name in ("passed", "other"):
        workbench.role(name, principal={"Service": "cloudformation.amazonaws.com"}, statements=[allow("ssm:*")])
    asked = {"StackName": "x", "ChangeSetName": "x", "ChangeSetType": "CREATE", "TemplateBody": _TEMPLATE}
    cloudformation = workbench.client("cloudformation", workbench.assume(role))
    if named:
        asked["RoleARN"] = f"{arn}{named}"
    if allowed:
        assert cloudformation.create_change_set(**asked)["Id"]
    else:
        with pytest.raises(ClientError, match="AccessDenied"):
            cloudformation.create_change_set(**asked)


@pytest.mark.parametrize(("namespace", "allowed"), [("Granary", True), ("Other", False)])
def test_metrics_are_bound_to_a_namespace(workbench: Workbench, namespace: str, allowed: bool) -> None:
    """Given a permission that names a namespace, then metrics of that one are taken, and of no other."""
    condition = {"Condition": {"StringEquals": {"cloudwatch:namespace": "Granary"}}}
    role = workbench.role(
        "metrics", principal={"AWS": workbench.account}, statements=[allow("cloudwatch:PutMetricData") | condition]
    )
    cloudwatch = workbench.client("cloudwatch", workbench.assume(role))
    data = [{"MetricName": "Deployments", "Value": 3.0}]
    if allowed:
        cloudwatch.put_metric_data(Namespace=namespace, MetricData=data)
        metrics = workbench.client("cloudwatch").list_metrics(Namespace=namespace)["Metrics"]
        assert [metric["MetricName"] for metric in metrics] == ["Deployments"]
    else:
        with pytest.raises(ClientError, match=r"AccessDenied|not authorized"):
            cloudwatch.put_metric_data(Namespace=namespace, MetricData=data)
