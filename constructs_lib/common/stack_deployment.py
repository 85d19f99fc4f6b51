"""What a role does that deploys and deletes stacks with an execution role of their own."""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import aws_iam as iam

from constructs_lib.common.grants import allow, pass_role

READ_STACKS = (
    "cloudformation:DescribeStackEvents",
    "cloudformation:DescribeStackResources",
    "cloudformation:DescribeStacks",
    "cloudformation:GetTemplate",
)
_RUN = tuple(f"cloudformation:{action}ChangeSet" for action in ("Delete", "Describe", "Execute"))


def deploys(stacks: Sequence[str], *, execution: str) -> list[iam.PolicyStatement]:
    """Statements for deploying and deleting stacks (ARN patterns) with `execution` (the ARN of a role), and no other.

    A call that names no role would have CloudFormation act with the one that the stack had before.
    """
    changes = allow(["cloudformation:CreateChangeSet", "cloudformation:DeleteStack"], *stacks)
    changes.add_condition("ArnEquals", {"cloudformation:RoleArn": execution})
    return [changes, allow([*_RUN, *READ_STACKS], *stacks), pass_role("cloudformation", execution)]
