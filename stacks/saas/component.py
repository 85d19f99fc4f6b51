"""The component stage: the one place where a tenant's own stacks go."""

from __future__ import annotations

from dataclasses import dataclass

import aws_cdk as cdk
from constructs import Construct

from constructs_lib.saas.container_service import ContainerService
from constructs_lib.saas.task_definition import ContainerTask
from lambdas.common.names import component_stack_name
from lambdas.common.record import DeploymentRecord


@dataclass(frozen=True, kw_only=True)
class ComponentProps:
    """What every tenant's component is made of."""

    kind: str
    image: str
    port: int


class ComponentStage(cdk.Stage):
    """Everything that a tenant gets in its account and Region: add your stacks here."""

    def __init__(
        self, scope: Construct, construct_id: str, *, record: DeploymentRecord, component: ComponentProps
    ) -> None:
        super().__init__(scope, construct_id, env=cdk.Environment(account=record.account, region=record.region))
        ComponentStack(
            self,
            "Component",
            stack_name=component_stack_name(record.type, record.id),
            name=f"{record.type}-{record.id}",
            component=component,
        )


class ComponentStack(cdk.Stack):
    """The demo component's stack."""

    def __init__(
        self, scope: Construct, construct_id: str, *, stack_name: str, name: str, component: ComponentProps
    ) -> None:
        super().__init__(scope, construct_id, stack_name=stack_name)
        make = ContainerService if component.kind == "container_service" else ContainerTask
        make(self, "Solution", name=name, image=component.image, port=component.port)
