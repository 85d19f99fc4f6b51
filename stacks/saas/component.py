"""The component stage: what the users' zone `component/` builds for a tenant, tagged, placed and checked."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import aws_cdk as cdk
from constructs import Construct

from component import build
from constructs_lib.common.role_path import place_roles
from constructs_lib.saas.component_spec import Tenant
from constructs_lib.saas.place import PublishedPlace
from lambdas.common.errors import GranaryError
from lambdas.common.names import DEPLOYMENT_TAG, WORKLOAD_ROLE_PATH
from lambdas.saas.model.names import deployment_of_pipeline
from lambdas.saas.model.record import DeploymentRecord, Size


@dataclass(frozen=True, kw_only=True)
class ComponentProps:
    """What every tenant's component is made of: the zone's own `settings`, and the factory's `prefix`.

    `qualifier` is that of the bootstrap stacks in workload accounts, `permissions_boundary` the policy there that
    bounds roles, `place` what a landing zone publishes there.
    """

    settings: Any
    prefix: str
    qualifier: str
    permissions_boundary: str = ""
    place: PublishedPlace = field(default_factory=PublishedPlace)


class ComponentStage(cdk.Stage):
    """Everything that a tenant gets in an account and Region.

    The record's tags come to the stacks and to what they contain, and the deployment's id, by which experiments find
    it; CloudFormation gives a stack's tags to the resources that the library does not tag.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        record: DeploymentRecord,
        component: ComponentProps,
        is_standby: bool = False,
    ) -> None:
        super().__init__(
            scope,
            construct_id,
            env=cdk.Environment(account=record.account, region=record.region),
            # Also when there is none: the toolchain's is none of this account.
            permissions_boundary=cdk.PermissionsBoundary.from_name(component.permissions_boundary),
        )
        build(self, _tenant(record, component, is_standby=is_standby))
        place_roles(self)
        for key, value in (*record.tags, (DEPLOYMENT_TAG, record.id)):
            cdk.Tags.of(self).add(key, value)
            for stack in self.stacks:
                stack.add_stack_tag(key, value)

    @property
    def stacks(self) -> list[cdk.Stack]:
        """The stacks that the zone made."""
        return [child for child in self.node.find_all() if isinstance(child, cdk.Stack)]


def _tenant(record: DeploymentRecord, component: ComponentProps, *, is_standby: bool) -> Tenant[Any]:
    return Tenant(
        id=record.id,
        type=record.type,
        account=record.account,
        region=record.region,
        is_standby=is_standby,
        size=Size(record.size),
        tags=dict(record.tags),
        parameters=dict(record.parameters),
        settings=component.settings,
        prefix=component.prefix,
        qualifier=component.qualifier,
        place=component.place,
    )


def check_stacks(stage: cdk.Stage, record: DeploymentRecord) -> None:
    """A stack that says nothing else is deployed with the toolchain's bootstrap roles, which reach no workload account.

    Those of workload accounts reach stacks that are named as the tenant's, and no pipeline's. In another place than the
    tenant's nobody has asked whether the account is bootstrapped, whose the names are, and what the quotas hold.

    Raises:
        GranaryError: a stack of the stage could not be deployed, or there is none.
    """
    stacks = stage.synth().stacks
    if not stacks:
        raise GranaryError("the component has no stack: let `build` in component/ make one in its stage")
    for stack in stacks:
        if not stack.stack_name.startswith(f"{record.type}-{record.id}-") or deployment_of_pipeline(stack.stack_name):
            raise GranaryError(
                f"stack {stack.stack_name} of the component would be denied to the deploy role: let its name begin "
                f"with {record.type}-{record.id}- and not end with -pipeline, as `tenant.stack_name()` does"
            )
        place = stack.environment.account, stack.environment.region
        if place != (stage.account, stage.region):
            raise GranaryError(
                f"stack {stack.stack_name} of the component is to be deployed to account {place[0]} in {place[1]}, and "
                f"the tenant stands in {stage.account} in {stage.region}: give it no `env` of its own; a "
                "tenant's second Region is the row's `standby_region`"
            )
        if f":role{WORKLOAD_ROLE_PATH}" not in (stack.assume_role_arn or ""):
            raise GranaryError(
                f"stack {stack.stack_name} is not deployed with the roles of the workload accounts: give it "
                "`synthesizer=tenant.synthesizer()` in component/"
            )
