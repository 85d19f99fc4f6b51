"""Acknowledgements name findings as cdk-nag does."""

from __future__ import annotations

import aws_cdk as cdk
import pytest
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3

from constructs_lib.common.acknowledge import acknowledge_wildcards


@pytest.fixture
def stack() -> cdk.Stack:
    return cdk.Stack(cdk.App(), "Stack")


def _acknowledged(role: iam.Role) -> set[str]:
    return {
        rule for entry in role.node.metadata if entry.type == "aws:cdk:acknowledged-rules" for rule in dict(entry.data)
    }


def test_references_are_written_as_in_findings(stack: cdk.Stack) -> None:
    role = iam.Role(stack, "Role", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
    bucket = s3.CfnBucket(stack, "Bucket")
    statement = iam.PolicyStatement(
        actions=["s3:GetObject*", "s3:PutObject"],
        resources=[f"{bucket.attr_arn}/*", bucket.attr_arn, f"arn:{cdk.Aws.PARTITION}:s3:::other/*"],
    )
    acknowledge_wildcards(role, [statement], reason="a reason that is long enough to be one")
    assert _acknowledged(role) == {
        "AwsSolutions::AwsSolutions-IAM5[Action::s3:GetObject*]",
        "AwsSolutions::AwsSolutions-IAM5[Resource::<Bucket.Arn>/*]",
        "AwsSolutions::AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:s3:::other/*]",
    }


def test_what_cannot_be_named_is_refused(stack: cdk.Stack) -> None:
    role = iam.Role(stack, "Role", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
    statement = iam.PolicyStatement(actions=["s3:GetObject"], resources=[cdk.Fn.import_value("bucket")])
    with pytest.raises(ValueError, match="cannot tell how cdk-nag writes"):
        acknowledge_wildcards(role, [statement], reason="a reason that is long enough to be one")
