"""The roles that CDK bootstrap leaves in an account, as policies name them."""

from __future__ import annotations

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import Aws
from aws_cdk import aws_iam as iam


def bootstrap_statements(
    qualifier: str,
    stack: cdk.Stack,
    *,
    regions: Sequence[str] = (),
    kinds: Sequence[str] = ("deploy", "file-publishing", "lookup"),
) -> list[iam.PolicyStatement]:
    """Statements for deploying stacks of the toolchain's account with the CDK CLI, in its Region and in `regions`."""
    role = f"arn:{Aws.PARTITION}:iam::{stack.account}:role/cdk-{qualifier}"
    # One a kind: the library splits policies that are too large between statements, and not within one.
    return [
        iam.PolicyStatement(
            actions=["sts:AssumeRole"],
            resources=[f"{role}-{kind}-role-{stack.account}-{region}" for region in sorted({stack.region, *regions})],
        )
        for kind in kinds
    ]
