"""Whether a stack that bears a new tenant's name is this factory's: what is not is never deployed over."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from lambdas.common.aws_errors import ignoring
from lambdas.common.cross_account import LookupRoles
from lambdas.common.errors import GranaryError
from lambdas.common.names import FACTORY_TAG
from lambdas.common.partitions import partition_of
from lambdas.common.stack_events import stack_of
from lambdas.common.stack_states import NEVER_STOOD
from lambdas.saas.model.names import SaasNames, component_stack_name, pipeline_name
from lambdas.saas.model.record import DeploymentRecord

_ADVICE = "delete that stack if nobody needs it, or give the tenant another id"


@dataclass(frozen=True, kw_only=True)
class Strangers:
    """The stacks of the toolchain's account (whose clients `own` makes), and those of workload accounts.

    `factory` is what components' stacks of this factory bear as FACTORY_TAG.
    """

    factory: str
    names: SaasNames
    own: Callable[[str], Any]
    lookup: LookupRoles

    def refusals(self, records: Sequence[DeploymentRecord], moving: Collection[str] = ()) -> dict[str, str]:
        """Tell why deployments must not be provisioned, by id; those that are `moving` have a pipeline.

        A component belongs to the pipeline that deploys it: where that is ours, so is the component. Where there is no
        pipeline, or it has not deployed there yet, the component's tag tells: both the status and the pipeline's stack
        may have been deleted by hand.
        """
        why = {record.id: self._told(record, moving=record.id in moving) for record in records}
        return {deployment_id: reason for deployment_id, reason in why.items() if reason}

    def _told(self, record: DeploymentRecord, *, moving: bool) -> str:
        try:
            return self._why(record, moving=moving)
        except (BotoCoreError, ClientError, GranaryError) as error:
            return f"whether the names of its stacks are free cannot be told: {error}"

    def _why(self, record: DeploymentRecord, *, moving: bool) -> str:
        name = pipeline_name(record.type, record.id)
        if not moving and (stack := _standing(self.own("cloudformation"), name)):
            if self._is_ours(stack, name):
                return ""
            return f"stack {name} stands in the toolchain's account already, and is not of this factory: {_ADVICE}"
        return "; ".join(filter(None, (self._why_there(record, *place) for place in record.places)))

    def _why_there(self, record: DeploymentRecord, account: str, region: str) -> str:
        name = component_stack_name(record.type, record.id)
        stack = _standing(self._there(account, region, name), name)
        factory = _tags(stack).get(FACTORY_TAG) if stack else self.factory
        if factory == self.factory:
            return ""
        told = f"stack {name} stands in account {account} in {region} already, and"
        if factory:
            return f"{told} is of another factory ({factory}): give the tenant another id"
        return (
            f"{told} nothing tells whose it is: if it is this tenant's own, whose pipeline was deleted, give the stack "
            f"the tag {FACTORY_TAG}={self.factory}; otherwise give the tenant another id"
        )

    def _is_ours(self, stack: Mapping[str, Any], name: str) -> bool:
        if factory := _tags(stack).get(FACTORY_TAG):
            return factory == self.names.prefix
        # Deployed before stacks bore the tag: the role of its pipeline bears the prefix.
        with ignoring("PipelineNotFoundException"):
            found = self.own("codepipeline").get_pipeline(name=name)
            return str(found["pipeline"]["roleArn"]).endswith(f":role/{self.names.tenant_pipeline_role}")
        return False

    def _there(self, account: str, region: str, name: str) -> Any:
        arn = f"arn:{partition_of(region)}:cloudformation:{region}:{account}:stack/{name}/*"
        return self.lookup.client(
            "cloudformation",
            account=account,
            region=region,
            allow=["cloudformation:DescribeStacks"],
            resources=[arn],
        )


def _tags(stack: Mapping[str, Any]) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in stack.get("Tags", ())}


def _standing(cloudformation: Any, name: str) -> Mapping[str, Any] | None:
    """A stack that holds something; one whose first creation failed does not, and the CDK CLI replaces it."""
    stack = stack_of(cloudformation, name)
    return stack if stack and stack["StackStatus"] != NEVER_STOOD else None
