"""Whether the stack of a component is still there."""

from __future__ import annotations

from botocore.exceptions import ClientError

from lambdas.common.cross_account import LookupRoles
from lambdas.saas.model.status import StackRef


def stack_is_gone(lookup: LookupRoles, ref: StackRef) -> bool:
    """Ask CloudFormation in the component's account and Region; a stack is named by its id, or by its name."""
    stack_arn = ref.stack_id if ref.stack_id.startswith("arn:") else "*"
    actions = ("cloudformation:DescribeStacks",)
    client = lookup.client(
        "cloudformation", account=ref.account, region=ref.region, allow=actions, resources=[stack_arn]
    )
    try:
        status: str = client.describe_stacks(StackName=ref.stack_id)["Stacks"][0]["StackStatus"]
    except ClientError as error:
        if "does not exist" in error.response["Error"]["Message"]:
            return True
        raise
    return status == "DELETE_COMPLETE"
