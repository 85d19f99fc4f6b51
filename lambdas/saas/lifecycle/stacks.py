"""The stacks of deployments in CloudFormation, in the account and Region where each is recorded to be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from lambdas.common.errors import GranaryError
from lambdas.common.stack_events import StackFailures, stack_of
from lambdas.saas.lifecycle.facts import GONE, Stack
from lambdas.saas.lifecycle.refusals import refusals_told
from lambdas.saas.lifecycle.roles import Roles
from lambdas.saas.model.component_stacks import stack_name
from lambdas.saas.model.stateful import Stateful
from lambdas.saas.model.status import StackRef


@dataclass(frozen=True, kw_only=True)
class CloudFormationStacks:
    """Stacks, looked at and deleted with the role that deployed them; CloudFormation acts with its execution role."""

    roles: Roles

    def look(self, ref: StackRef) -> Stack:
        """Read what there is of a stack; one in an account that cannot be reached says so.

        Where a policy of the organization denies everything, or the Region is switched off, the role can be assumed,
        and nothing done with it.
        """
        try:
            client = self._client(ref)
            with refusals_told("CloudFormation tells nothing of it"):
                found = stack_of(client, ref.stack_id)
        except GranaryError as error:
            return Stack(ref=ref, status="", problem=str(error))
        # A stack that was deleted is known by its id for 90 days, and never by its name.
        if found is None or found["StackStatus"] == GONE:
            return Stack(ref=ref)
        outputs = {output["OutputKey"]: output["OutputValue"] for output in found.get("Outputs", ())}
        failed = found["StackStatus"] == "DELETE_FAILED"
        return Stack(
            ref=ref,
            status=found["StackStatus"],
            stateful=Stateful.from_outputs(outputs),
            failure=_failure(client, found["StackId"]) if failed else "",
        )

    def delete(self, ref: StackRef) -> None:
        """Have a stack deleted; one that is gone is no error.

        Raises:
            GranaryError: CloudFormation refuses, or the account cannot be reached.
        """
        client = self._client(ref)
        role = self.roles.execution_role(account=ref.account, region=ref.region)
        with refusals_told(f"stack {ref.stack_id} cannot be deleted"):
            client.delete_stack(StackName=ref.stack_id, RoleARN=role)

    def _client(self, ref: StackRef) -> Any:
        return self.roles.cloudformation(account=ref.account, region=ref.region, stack=stack_name(ref))


def _failure(client: Any, stack_id: str) -> str:
    """Why a stack failed, or why that cannot be told: what is known of the stack itself still counts."""
    try:
        with refusals_told("its events cannot be read"):
            return StackFailures(client=client).first(stack_id) or ""
    except GranaryError as error:
        return str(error)
