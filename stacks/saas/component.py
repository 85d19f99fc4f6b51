"""The component stage: the one place where a tenant's own stacks go."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import aws_cdk as cdk
from constructs import Construct

from constructs_lib.common.role_path import place_roles
from constructs_lib.common.targets import workload_synthesizer
from constructs_lib.saas.container_service import ContainerService
from constructs_lib.saas.task_definition import ContainerTask
from constructs_lib.saas.task_size import TaskSize
from lambdas.common.names import DEPLOYMENT_TAG
from lambdas.saas.model.names import component_stack_name
from lambdas.saas.model.record import DeploymentRecord, Size

# Pairs that Fargate takes: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-tasks-services.html
SIZES = {
    Size.SMALL: TaskSize(cpu="256", memory="512"),
    Size.MEDIUM: TaskSize(cpu="512", memory="1024"),
    Size.LARGE: TaskSize(cpu="1024", memory="2048"),
}


@dataclass(frozen=True, kw_only=True)
class ComponentProps:
    """What every tenant's component is made of; `infrastructure_role` names a role of its account.

    `subnets` are by account and Region (`<account>/<Region>`), `qualifier` is that of the bootstrap stacks there, and
    `permissions_boundary` the policy there that bounds roles.
    """

    kind: str
    image: str
    port: int
    infrastructure_role: str
    qualifier: str
    subnets: Mapping[str, Sequence[str]] = field(default_factory=dict)
    permissions_boundary: str = ""


class ComponentStage(cdk.Stage):
    """Everything that a tenant gets in its account and Region: add your stacks here, with the same synthesizer.

    The record's tags come to the stack and to what it contains, and the deployment's id, by which experiments find it;
    CloudFormation gives a stack's tags to the resources that the library does not tag.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, record: DeploymentRecord, component: ComponentProps
    ) -> None:
        super().__init__(
            scope,
            construct_id,
            env=cdk.Environment(account=record.account, region=record.region),
            # Also when there is none: the toolchain's is none of this account.
            permissions_boundary=cdk.PermissionsBoundary.from_name(component.permissions_boundary),
        )
        stack = ComponentStack(
            self,
            "Component",
            stack_name=component_stack_name(record.type, record.id),
            name=f"{record.type}-{record.id}",
            size=SIZES[Size(record.size)],
            component=component,
            synthesizer=workload_synthesizer(component.qualifier),
        )
        place_roles(self)
        for key, value in (*record.tags, (DEPLOYMENT_TAG, record.id)):
            cdk.Tags.of(self).add(key, value)
            stack.add_stack_tag(key, value)


class ComponentStack(cdk.Stack):
    """The demo component's stack."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        stack_name: str,
        name: str,
        size: TaskSize,
        component: ComponentProps,
        synthesizer: cdk.IStackSynthesizer,
    ) -> None:
        super().__init__(scope, construct_id, stack_name=stack_name, synthesizer=synthesizer)
        solution: dict[str, Any] = {"name": name, "image": component.image, "port": component.port, "size": size}
        if component.kind == "container_service":
            role, place = component.infrastructure_role, f"{self.account}/{self.region}"
            subnets = component.subnets.get(place, ())
            ContainerService(self, "Solution", **solution, infrastructure_role=role, subnets=subnets)
        else:
            ContainerTask(self, "Solution", **solution)
