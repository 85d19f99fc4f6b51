"""The demo component: a container that answers over HTTPS, on ECS Express Mode."""

from __future__ import annotations

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import Aws
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_iam as iam
from constructs import Construct

from constructs_lib.common.acknowledge import acknowledge_managed_policy
from constructs_lib.saas.public_outputs import declare_public
from constructs_lib.saas.task_size import TaskSize

_EXECUTION_POLICY = "service-role/AmazonECSTaskExecutionRolePolicy"
_REASON = "What ECS asks for in Express Mode; AWS keeps the policy in step with what the service creates."


class ContainerService(Construct):
    """An ECS Express Mode gateway service: load balancer, certificate, scaling and Fargate tasks come with it.

    `infrastructure_role` names the account's role for Express Mode (`stacks/saas/workload_roles.py`): ECS removes with
    it what the service stood on, when the stack of the service is gone already.

    AWS names it as the successor of App Runner, which takes no new customers:
    https://docs.aws.amazon.com/apprunner/latest/dg/apprunner-availability-change.html
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        image: str,
        port: int,
        size: TaskSize,
        infrastructure_role: str,
        subnets: Sequence[str] = (),
    ) -> None:
        super().__init__(scope, construct_id)
        execution_role = iam.Role(
            self,
            "ExecutionRole",
            assumed_by=iam.ServicePrincipal("ecs-tasks.amazonaws.com"),
            managed_policies=[iam.ManagedPolicy.from_aws_managed_policy_name(_EXECUTION_POLICY)],
        )
        acknowledge_managed_policy(execution_role, _EXECUTION_POLICY, reason=_REASON)
        network = ecs.CfnExpressGatewayService.ExpressGatewayServiceNetworkConfigurationProperty(subnets=list(subnets))
        self.service = ecs.CfnExpressGatewayService(
            self,
            "Service",
            service_name=name,
            execution_role_arn=execution_role.role_arn,
            infrastructure_role_arn=f"arn:{Aws.PARTITION}:iam::{Aws.ACCOUNT_ID}:role/{infrastructure_role}",
            health_check_path="/",
            # Those of the smallest size too, although they are the defaults: without them an update could leave a
            # service that becomes smaller as it is.
            cpu=size.cpu,
            memory=size.memory,
            primary_container=ecs.CfnExpressGatewayService.ExpressGatewayContainerProperty(
                image=image, container_port=port
            ),
            # Without, it goes into the default VPC.
            network_configuration=network if subnets else None,
        )
        cdk.CfnOutput(self, "Endpoint", value=self.service.attr_endpoint)
        declare_public(self, "Address", value=self.service.attr_endpoint)
