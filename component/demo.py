"""The demo component: a container that answers over HTTPS, on ECS Express Mode.

AWS names that as the successor of App Runner, which takes no new customers:
https://docs.aws.amazon.com/apprunner/latest/dg/apprunner-availability-change.html

The CDK is imported where stacks are made: it starts Node, and the configuration is read without.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import AfterValidator, Field, Strict

from constructs_lib.saas.component_spec import Needs, Place, Settings, Spec, Tenant
from lambdas.saas.model.record import Size

if TYPE_CHECKING:
    import aws_cdk as cdk
    from aws_cdk import aws_iam as iam
    from constructs import Construct

    from constructs_lib.common.workload_role import WorkloadRole

# CPU units (1,024 are one vCPU) and memory in MiB. Pairs that Fargate takes:
# https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-tasks-services.html
SIZES = {Size.SMALL: ("256", "512"), Size.MEDIUM: ("512", "1024"), Size.LARGE: ("1024", "2048")}
_UNITS_A_QUARTER = 256
_EXECUTION_POLICY = "service-role/AmazonECSTaskExecutionRolePolicy"
_REASON = "What ECS asks for in Express Mode; AWS keeps the policy in step with what the service creates."
# ECS removes with it what a service stood on, when the stack of the service is gone already.
INFRASTRUCTURE_ROLE = "express-infrastructure"


def _pinned(image: str) -> str:
    if image.endswith(":latest"):
        raise ValueError("must name a version: `latest` changes what a release deploys")
    return image


_Image = Annotated[
    str,
    # A registry may have a port: localhost:5000/web:1.2
    Field(pattern=r"^([A-Za-z0-9.-]+:[0-9]{1,5}/)?[^\s:]+:[A-Za-z0-9_.-]+(@sha256:[0-9a-f]{64})?$"),
    AfterValidator(_pinned),
]
_PlaceName = Annotated[str, Field(pattern=r"^[0-9]{12}/[a-z]{2,4}(-[a-z]+)+-[0-9]{1,2}$")]
_SubnetId = Annotated[str, Field(pattern=r"^subnet-[0-9a-f]{8,17}$")]


class Component(Settings):
    """The demo component of every tenant."""

    kind: Literal["container_service", "task_definition"] = Field(
        "container_service",
        description="container_service: ECS Express Mode; task_definition: its task alone, and nothing runs.",
    )
    image: _Image = Field("public.ecr.aws/nginx/nginx:1.29.3", description="Image with a tag; never latest.")
    port: Annotated[int, Strict()] = Field(80, ge=1, le=65535, description="Port that the container listens on.")
    subnets: dict[_PlaceName, Annotated[tuple[_SubnetId, ...], Field(min_length=1)]] = Field(
        {},
        description="Subnets of a container_service by account and Region; elsewhere `place`'s or the default VPC's.",
    )

    @property
    def is_service(self) -> bool:
        """Whether something runs."""
        return self.kind == "container_service"

    def without_effect(self, *, accounts: Collection[str], regions: Collection[str]) -> list[str]:
        """Places whose subnets nothing goes into."""
        if not self.is_service:
            return [f"subnets.{place} has no effect: a task_definition runs nothing" for place in self.subnets]
        places = {place: place.split("/") for place in self.subnets}
        return [
            f"subnets.{place} has no effect: no row may name it"
            for place, (account, region) in places.items()
            if region not in regions or (accounts and account not in accounts)
        ]


def needs(settings: Component, size: Size) -> Needs:
    """A task definition runs nothing; a service has an execution role and a task."""
    if not settings.is_service:
        return Needs()
    return Needs(roles=1, fargate_quarters=int(SIZES[size][0]) // _UNITS_A_QUARTER)


def place_problem(place: Place, settings: Component) -> str | None:
    """A service needs the account's role for Express Mode, and a network to go into."""
    if not settings.is_service:
        return None
    return place.role_problem(INFRASTRUCTURE_ROLE) or _network_problem(place, settings)


def _network_problem(place: Place, settings: Component) -> str | None:
    if f"{place.account}/{place.region}" in settings.subnets or "subnets" in place.published:
        return None
    client = place.client("ec2", allow=["ec2:DescribeVpcs"])
    if client.describe_vpcs(Filters=[{"Name": "is-default", "Values": ["true"]}])["Vpcs"]:
        return None
    return (
        f"account {place.account} has no default VPC in {place.region}, which a container_service goes into: in "
        f'config/workloads.yaml, name subnets for "{place.account}/{place.region}" under component.subnets, or the '
        "parameter that publishes them as place.subnets, and release that; or run "
        f"`aws ec2 create-default-vpc --region {place.region}` there"
    )


def _infrastructure_role(name: str) -> WorkloadRole:
    from constructs_lib.common.workload_role import WorkloadRole

    return WorkloadRole(
        purpose="Express",
        name=name,
        description="With it ECS makes and removes what Express services stand on",
        service="ecs.amazonaws.com",
        managed="service-role/AmazonECSInfrastructureRoleforExpressGatewayServices",
        reason=_REASON,
    )


def build(stage: cdk.Stage, tenant: Tenant[Component]) -> None:
    """Add the tenant's one stack."""
    import aws_cdk as cdk
    from constructs import Construct

    stack = cdk.Stack(stage, "Component", stack_name=tenant.stack_name(), synthesizer=tenant.synthesizer())
    solution = Construct(stack, "Solution")
    if tenant.settings.is_service:
        _add_service(solution, tenant)
    else:
        _add_task(solution, tenant)


def _add_service(scope: Construct, tenant: Tenant[Component]) -> None:
    """An Express Mode gateway service: load balancer, certificate, scaling and Fargate tasks come with it."""
    import aws_cdk as cdk
    from aws_cdk import Aws
    from aws_cdk import aws_ecs as ecs

    from constructs_lib.saas.public_outputs import declare_public

    settings, service = tenant.settings, ecs.CfnExpressGatewayService
    cpu, memory = SIZES[tenant.size]
    subnets = list(settings.subnets.get(f"{tenant.account}/{tenant.region}", ()))
    if not subnets and tenant.place.has("subnets"):
        subnets = tenant.place.subnets(scope)
    network = service.ExpressGatewayServiceNetworkConfigurationProperty(subnets=subnets)
    role = f"{tenant.prefix}-{INFRASTRUCTURE_ROLE}"
    made = service(
        scope,
        "Service",
        service_name=tenant.name,
        execution_role_arn=_execution_role(scope).role_arn,
        infrastructure_role_arn=f"arn:{Aws.PARTITION}:iam::{Aws.ACCOUNT_ID}:role/{role}",
        health_check_path="/",
        # Those of the smallest size too, although they are the defaults: without them an update could leave a service
        # that becomes smaller as it is.
        cpu=cpu,
        memory=memory,
        primary_container=service.ExpressGatewayContainerProperty(image=settings.image, container_port=settings.port),
        # Without, it goes into the default VPC.
        network_configuration=network if subnets else None,
    )
    cdk.CfnOutput(scope, "Endpoint", value=made.attr_endpoint)
    declare_public(scope, "Address", value=made.attr_endpoint)


def _execution_role(scope: Construct) -> iam.Role:
    from aws_cdk import aws_iam as iam

    from constructs_lib.common.acknowledge import acknowledge_managed_policy

    role = iam.Role(
        scope,
        "ExecutionRole",
        assumed_by=iam.ServicePrincipal("ecs-tasks.amazonaws.com"),
        managed_policies=[iam.ManagedPolicy.from_aws_managed_policy_name(_EXECUTION_POLICY)],
    )
    acknowledge_managed_policy(role, _EXECUTION_POLICY, reason=_REASON)
    return role


def _add_task(scope: Construct, tenant: Tenant[Component]) -> None:
    """What of it stands without running anything, many times over: a cluster, and the container's task definition."""
    import aws_cdk as cdk
    from aws_cdk import aws_ecs as ecs

    from constructs_lib.common.acknowledge import acknowledge
    from constructs_lib.saas.public_outputs import declare_public

    settings, name, (cpu, memory) = tenant.settings, tenant.name, SIZES[tenant.size]
    insights = [{"name": "containerInsights", "value": "enhanced"}]
    cluster = ecs.CfnCluster(scope, "Cluster", cluster_name=name, cluster_settings=insights)
    port = ecs.CfnTaskDefinition.PortMappingProperty(container_port=settings.port)
    container = ecs.CfnTaskDefinition.ContainerDefinitionProperty(
        name=name, image=settings.image, readonly_root_filesystem=True, port_mappings=[port]
    )
    task = ecs.CfnTaskDefinition(
        scope,
        "Task",
        family=name,
        cpu=cpu,
        memory=memory,
        network_mode="awsvpc",
        requires_compatibilities=["FARGATE"],
        container_definitions=[container],
    )
    acknowledge(task, "AwsSolutions-ECS7", reason="Nothing runs from this: there is nothing to log.")
    cdk.CfnOutput(scope, "TaskDefinition", value=task.ref)
    declare_public(scope, "Cluster", value=cluster.ref)


SPEC = Spec(
    settings=Component,
    needs=needs,
    place_problem=place_problem,
    place_actions=("ec2:DescribeVpcs",),
    workload_roles={INFRASTRUCTURE_ROLE: _infrastructure_role},
)
