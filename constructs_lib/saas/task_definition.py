"""The demo component's variant for a local cloud: the part of a container service that it can really deploy."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_ecs as ecs
from constructs import Construct

from constructs_lib.common.acknowledge import acknowledge
from constructs_lib.saas.public_outputs import declare_public
from constructs_lib.saas.task_size import TaskSize


class ContainerTask(Construct):
    """An ECS cluster and the Fargate task definition of the container; nothing runs."""

    def __init__(
        self, scope: Construct, construct_id: str, *, name: str, image: str, port: int, size: TaskSize
    ) -> None:
        super().__init__(scope, construct_id)
        self.cluster = ecs.CfnCluster(
            self, "Cluster", cluster_name=name, cluster_settings=[{"name": "containerInsights", "value": "enhanced"}]
        )
        self.task = ecs.CfnTaskDefinition(
            self,
            "Task",
            family=name,
            cpu=size.cpu,
            memory=size.memory,
            network_mode="awsvpc",
            requires_compatibilities=["FARGATE"],
            container_definitions=[
                ecs.CfnTaskDefinition.ContainerDefinitionProperty(
                    name=name,
                    image=image,
                    readonly_root_filesystem=True,
                    port_mappings=[ecs.CfnTaskDefinition.PortMappingProperty(container_port=port)],
                )
            ],
        )
        acknowledge(self.task, "AwsSolutions-ECS7", reason="Nothing runs from this: there is nothing to log.")
        cdk.CfnOutput(self, "TaskDefinition", value=self.task.ref)
        declare_public(self, "Cluster", value=self.cluster.ref)
