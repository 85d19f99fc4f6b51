"""Where tasks run, and their definitions: the shop's and the migration's, of one image, with secrets by reference."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_ecr_assets as assets
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_iam as iam

from component.database import NAME, PORT, Database
from component.shop import SIZES
from constructs_lib.common.acknowledge import acknowledge, acknowledge_inline_policy, acknowledge_managed_policy
from constructs_lib.common.encrypted import log_group
from constructs_lib.common.grants import allow, grant
from constructs_lib.saas.component_spec import Tenant
from lambdas.saas.model.declared import is_arn
from lambdas.saas.model.tasks import Ecs

_APP = Path(__file__).with_name("app")
SERVED = 8080
_EXECUTION_POLICY = "service-role/AmazonECSTaskExecutionRolePolicy"


def add_cluster(stack: cdk.Stack, tenant: Tenant[Any]) -> ecs.CfnCluster:
    """The cluster of the migration and of the service."""
    insights = [{"name": "containerInsights", "value": "enhanced"}]
    return ecs.CfnCluster(stack, "Tasks", cluster_name=tenant.name, cluster_settings=insights)


def add_migration(stack: cdk.Stack, tenant: Tenant[Any], database: Database, *, cluster: ecs.CfnCluster) -> Ecs:
    """What brings the database to what this release of the service needs, before that is deployed."""
    name = f"{tenant.name}-migration"
    made = task(stack, "Migration", tenant, database, name=name, command=["python", "migrate.py"])
    return Ecs(
        cluster=cluster.ref,
        definition=made.ref,
        subnets=tuple(tenant.place.subnets(stack)),
        security_groups=(database.clients.attr_group_id,),
        logs=f"/ecs/{name}",
    )


def task(
    stack: cdk.Stack,
    construct_id: str,
    tenant: Tenant[Any],
    database: Database,
    *,
    name: str,
    command: list[str] | None = None,
) -> ecs.CfnTaskDefinition:
    """A task of the image, with its own command unless another is given.

    It has no rights; its execution role reads its secrets and writes its log.
    """
    image = assets.DockerImageAsset(
        stack, f"{construct_id}Image", directory=str(_APP), platform=assets.Platform.LINUX_ARM64
    )
    logs = log_group(stack, f"{construct_id}Logs", name=f"/ecs/{name}", key=database.key)
    secrets = {"DATABASE_LOGIN": database.secret}
    if license_ := tenant.parameters["license"]:
        secrets["LICENSE"] = _secret(stack, license_)
    role = _execution_role(stack, f"{construct_id}Role", database, secrets=list(secrets.values()))
    cpu, memory, _ = SIZES[tenant.size]
    values = {
        "DATABASE_HOST": database.host,
        "DATABASE_NAME": NAME,
        "DATABASE_PORT": str(PORT),
        "PLAN": tenant.parameters["plan"],
        "PORT": str(SERVED),
    }
    definition = ecs.CfnTaskDefinition
    container = definition.ContainerDefinitionProperty(
        name="shop",
        image=image.image_uri,
        command=command,
        readonly_root_filesystem=True,
        environment=[definition.KeyValuePairProperty(name=key, value=value) for key, value in values.items()],
        secrets=[definition.SecretProperty(name=key, value_from=arn) for key, arn in secrets.items()],
        port_mappings=[definition.PortMappingProperty(container_port=SERVED)],
        log_configuration=definition.LogConfigurationProperty(
            log_driver="awslogs",
            options={
                "awslogs-group": logs.log_group_name,
                "awslogs-region": stack.region,
                "awslogs-stream-prefix": "shop",
            },
        ),
    )
    made = definition(
        stack,
        construct_id,
        family=name,
        cpu=str(cpu),
        memory=str(memory),
        network_mode="awsvpc",
        requires_compatibilities=["FARGATE"],
        runtime_platform=definition.RuntimePlatformProperty(cpu_architecture="ARM64", operating_system_family="LINUX"),
        execution_role_arn=role.role_arn,
        container_definitions=[container],
    )

    acknowledge(made, "AwsSolutions-ECS2", reason="No value is secret: what is comes by reference, as `secrets`.")
    return made


def _secret(stack: cdk.Stack, reference: str) -> str:
    """What a row refers to, by name or ARN; ECS takes a name within an ARN only."""
    if is_arn(reference):
        return reference
    return f"arn:{cdk.Aws.PARTITION}:secretsmanager:{stack.region}:{stack.account}:secret:{reference}"


def _execution_role(stack: cdk.Stack, construct_id: str, database: Database, *, secrets: list[str]) -> iam.Role:
    role = iam.Role(
        stack,
        construct_id,
        assumed_by=iam.ServicePrincipal("ecs-tasks.amazonaws.com"),
        managed_policies=[iam.ManagedPolicy.from_aws_managed_policy_name(_EXECUTION_POLICY)],
    )
    acknowledge_managed_policy(role, _EXECUTION_POLICY, reason="What ECS asks for to pull images and to write logs.")
    # A name has six characters more in the secret's own ARN.
    patterns = [arn if arn == database.secret or arn[-7:-6] == "-" else f"{arn}-??????" for arn in secrets]
    grant(
        role,
        allow(["secretsmanager:GetSecretValue"], *patterns),
        allow(["kms:Decrypt"], database.key.key_arn),
        reason="The secret that the tenant's row names.",
    )
    acknowledge_inline_policy(role)
    return role
