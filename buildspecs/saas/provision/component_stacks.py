"""Whether the stack of a component is still there."""

from __future__ import annotations

from lambdas.common.cross_account import LookupRoles
from lambdas.common.stack_events import stack_of
from lambdas.saas.model.status import StackRef


def stack_is_gone(lookup: LookupRoles, ref: StackRef) -> bool:
    """Ask CloudFormation in the component's account and Region; a stack is named by its id, or by its name."""
    stack_arn = ref.stack_id if ref.stack_id.startswith("arn:") else "*"
    actions = ("cloudformation:DescribeStacks",)
    client = lookup.client(
        "cloudformation", account=ref.account, region=ref.region, allow=actions, resources=[stack_arn]
    )
    stack = stack_of(client, ref.stack_id)
    return stack is None or stack["StackStatus"] == "DELETE_COMPLETE"
