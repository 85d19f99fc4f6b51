"""Whether a stack that bears a new tenant's name is this factory's: what is not is never deployed over."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, NamedTuple, TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from lambdas.common.aws_errors import ignoring
from lambdas.common.cross_account import LookupRoles
from lambdas.common.errors import GranaryError
from lambdas.common.names import FACTORY_TAG
from lambdas.common.partitions import partition_of
from lambdas.common.stack_events import standing_stack
from lambdas.common.stack_states import tags_of
from lambdas.saas.model.names import SaasNames, component_stack_name, pipeline_name
from lambdas.saas.model.ownership import NamedStack, Owner
from lambdas.saas.model.record import DeploymentRecord

_ADVICE = "delete that stack if nobody needs it, or give the tenant another id"

Stack = TypeVar("Stack", bound=NamedStack)


@dataclass(frozen=True, kw_only=True)
class Unowned(Generic[Stack]):
    """Stacks of which nothing tells whose they are, each as it stands, where the row consents to taking them over."""

    unowned: list[tuple[Stack, Mapping[str, Any]]] = field(default_factory=list)
    refusal: str = ""


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

    def unowned(self, record: DeploymentRecord, stacks: Sequence[Stack], *, moving: bool) -> Unowned[Stack]:
        """Look at all stacks of a component, of a deployment as in `refusals`; some are not known before its synth."""
        try:
            if not stacks or (not moving and self._pipeline_stands(record)):
                return Unowned()
            found = [(stack, standing_stack(self._there(stack), stack.name)) for stack in stacks]
        except (BotoCoreError, ClientError, GranaryError) as error:
            return Unowned(refusal=_untold(error))
        owner = self._owner(record)
        why = [owner.why_not(stack, standing) for stack, standing in found]
        unowned = [(stack, standing) for stack, standing in found if standing and owner.is_nobodys(standing)]
        return Unowned(unowned=unowned, refusal="; ".join(filter(None, why)))

    def _told(self, record: DeploymentRecord, *, moving: bool) -> str:
        try:
            return self._why(record, moving=moving)
        except (BotoCoreError, ClientError, GranaryError) as error:
            return _untold(error)

    def _why(self, record: DeploymentRecord, *, moving: bool) -> str:
        name = pipeline_name(record.type, record.id)
        if not moving and (stack := standing_stack(self.own("cloudformation"), name)):
            if self._is_ours(stack, name):
                return ""
            return f"stack {name} stands in the toolchain's account already, and is not of this factory: {_ADVICE}"
        named = [_Named(component_stack_name(record.type, record.id), *place) for place in record.places]
        owner = self._owner(record)
        why = (owner.why_not(one, standing_stack(self._there(one), one.name)) for one in named)
        return "; ".join(filter(None, why))

    def _pipeline_stands(self, record: DeploymentRecord) -> bool:
        """Whether the pipeline is there, which the pre-flight has found to be ours."""
        return standing_stack(self.own("cloudformation"), pipeline_name(record.type, record.id)) is not None

    def _owner(self, record: DeploymentRecord) -> Owner:
        return Owner(deployment=record.id, factory=self.factory, consents=bool(record.allow_adopt))

    def _is_ours(self, stack: Mapping[str, Any], name: str) -> bool:
        if factory := tags_of(stack).get(FACTORY_TAG):
            return factory == self.names.prefix
        # Deployed before stacks bore the tag: the role of its pipeline bears the prefix.
        with ignoring("PipelineNotFoundException"):
            found = self.own("codepipeline").get_pipeline(name=name)
            return str(found["pipeline"]["roleArn"]).endswith(f":role/{self.names.tenant_pipeline_role}")
        return False

    def _there(self, stack: NamedStack) -> Any:
        account, region = stack.account, stack.region
        arn = f"arn:{partition_of(region)}:cloudformation:{region}:{account}:stack/{stack.name}/*"
        return self.lookup.client(
            "cloudformation",
            account=account,
            region=region,
            allow=["cloudformation:DescribeStacks"],
            resources=[arn],
        )


class _Named(NamedTuple):
    name: str
    account: str
    region: str


def _untold(error: Exception) -> str:
    return f"whether the names of its stacks are free cannot be told: {error}"
