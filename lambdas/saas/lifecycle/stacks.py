"""The stacks of deployments in CloudFormation, in the account and Region where each is recorded to be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from lambdas.common.component_stacks import stack_name
from lambdas.common.errors import GranaryError
from lambdas.common.stack_events import StackFailures
from lambdas.common.stateful import Stateful
from lambdas.common.status import StackRef
from lambdas.saas.lifecycle.facts import GONE, Stack
from lambdas.saas.lifecycle.roles import Roles

# What CloudFormation refuses for good, until somebody changes something: termination protection, a missing right.
_REFUSALS = frozenset({"AccessDenied", "AccessDeniedException", "ValidationError"})


@dataclass(frozen=True, kw_only=True)
class CloudFormationStacks:
    """Stacks, looked at and deleted with the role that deployed them; CloudFormation acts with its execution role."""

    roles: Roles

    def look(self, ref: StackRef) -> Stack:
        """Read what there is of a stack; one in an account that cannot be reached says so."""
        try:
            client = self._client(ref)
        except GranaryError as error:
            return Stack(ref=ref, status="", problem=str(error))
        found = _describe(client, ref)
        if found is None:
            return Stack(ref=ref)
        outputs = {output["OutputKey"]: output["OutputValue"] for output in found.get("Outputs", ())}
        failed = found["StackStatus"] == "DELETE_FAILED"
        return Stack(
            ref=ref,
            status=found["StackStatus"],
            stateful=Stateful.from_outputs(outputs),
            failure=(StackFailures(client=client).first(found["StackId"]) or "") if failed else "",
        )

    def delete(self, ref: StackRef) -> None:
        """Have a stack deleted; one that is gone is no error.

        Raises:
            GranaryError: CloudFormation refuses, or the account cannot be reached.
        """
        client = self._client(ref)
        role = self.roles.execution_role(account=ref.account, region=ref.region)
        try:
            client.delete_stack(StackName=ref.stack_id, RoleARN=role)
        except ClientError as error:
            if error.response["Error"]["Code"] not in _REFUSALS:
                raise
            raise GranaryError(
                f"stack {ref.stack_id} cannot be deleted: {error.response['Error']['Message']}"
            ) from error

    def _client(self, ref: StackRef) -> Any:
        return self.roles.cloudformation(account=ref.account, region=ref.region, stack=stack_name(ref))


def _describe(client: Any, ref: StackRef) -> Mapping[str, Any] | None:
    try:
        stack: Mapping[str, Any] = client.describe_stacks(StackName=ref.stack_id)["Stacks"][0]
    except ClientError as error:
        # A stack that was deleted is known by its id for 90 days, and never by its name.
        if "does not exist" in error.response["Error"]["Message"]:
            return None
        raise
    return None if stack["StackStatus"] == GONE else stack
