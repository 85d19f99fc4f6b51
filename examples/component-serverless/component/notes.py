"""A serverless component: a stack that keeps notes and migrates them, and after it one with an API that reads them.

Copy `component/` and `tests/component/` over yours. In config/workloads.yaml: `component: {title: ...}`, a
`permissions_boundary`, for the functions' roles have policies of their own, and

    parameters:
      limit: {description: How many notes are told., default: "100", pattern: "[1-9][0-9]{0,2}"}
      signing: {description: Secret that answers are signed with., default: "", reference: secret}
    tiers:
      free: {parameters: {limit: "10"}}
      gold: {size: large, parameters: {limit: "999"}}

Then run `make schema`, and `granary component check --write config/policies`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from constructs_lib.saas.component_spec import Needs, Settings, Spec, Tenant
from lambdas.saas.model.record import Size

if TYPE_CHECKING:
    import aws_cdk as cdk
    from aws_cdk import aws_dynamodb as dynamodb
    from aws_cdk import aws_kms as kms

_MIGRATION_MEMORY = 256


class Notes(Settings):
    """Notes of every tenant."""

    title: str = Field("Notes", min_length=1, max_length=80, description="What the notes are called.")


def build(stage: cdk.Stage, tenant: Tenant[Notes]) -> None:
    """The data first, then the migration, which is in their stack, and then what reads them."""
    import aws_cdk as cdk

    from component.api import add_api

    data = cdk.Stack(stage, "Data", stack_name=tenant.stack_name("data"), synthesizer=tenant.synthesizer())
    key, table = _keep(data, tenant)
    service = cdk.Stack(stage, "Service", stack_name=tenant.stack_name(), synthesizer=tenant.synthesizer())
    _migrate(data, tenant, key=key, table=table, before=service)
    add_api(service, tenant, key=key, table=table)


def _keep(stack: cdk.Stack, tenant: Tenant[Notes]) -> tuple[kms.Key, dynamodb.Table]:
    """A table that is archived before it is deleted, and a key that outlives it: archives need it."""
    import aws_cdk as cdk
    from aws_cdk import aws_dynamodb as dynamodb
    from aws_cdk import aws_iam as iam
    from aws_cdk import aws_kms as kms

    from constructs_lib.common.acknowledge import acknowledge
    from constructs_lib.saas.stateful import declare_stateful

    key = kms.Key(
        stack,
        "Key",
        description=f"Notes of {tenant.name}, and their logs",
        enable_key_rotation=True,
        removal_policy=cdk.RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
    )
    # CloudWatch Logs uses the key itself: https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html
    group = f"arn:{cdk.Aws.PARTITION}:logs:{stack.region}:{stack.account}:log-group:*{tenant.name}-*"
    key.grant_encrypt_decrypt(
        iam.ServicePrincipal(
            "logs.amazonaws.com", conditions={"ArnLike": {"kms:EncryptionContext:aws:logs:arn": group}}
        )
    )
    name = f"{tenant.name}-notes"
    table = dynamodb.Table(
        stack,
        "Notes",
        table_name=name,
        partition_key=dynamodb.Attribute(name="id", type=dynamodb.AttributeType.STRING),
        billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
        encryption=dynamodb.TableEncryption.CUSTOMER_MANAGED,
        encryption_key=key,
        point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
            point_in_time_recovery_enabled=True
        ),
        removal_policy=cdk.RemovalPolicy.DESTROY,
    )
    acknowledge(
        table,
        "NIST.800.53.R5-DynamoDBInBackupPlan",
        reason="It can be recovered to any second of 35 days, and is archived before it is deleted.",
    )
    declare_stateful(stack, "Notes", kind="dynamodb-table", name=name)
    return key, table


def _migrate(
    stack: cdk.Stack, tenant: Tenant[Notes], *, key: kms.Key, table: dynamodb.Table, before: cdk.Stack
) -> None:
    from component.function import add_function
    from constructs_lib.common.grants import allow
    from constructs_lib.saas.tasks import declare_task

    migration = add_function(
        stack,
        "Migration",
        name=f"{tenant.name}-migration",
        memory=_MIGRATION_MEMORY,
        environment={"NOTES_TABLE": table.table_name},
        may=[
            allow(["dynamodb:GetItem", "dynamodb:UpdateItem"], table.table_arn),
            allow(["kms:Encrypt", "kms:GenerateDataKey"], key.key_arn),
        ],
        key=key,
    )
    declare_task(stack, "Migrate", before=before, function=migration.function_name)


def needs(settings: Notes, size: Size) -> Needs:
    """Two stacks, and the roles of two functions."""
    del settings, size
    return Needs(stacks=2, roles=2)


SPEC = Spec(settings=Notes, needs=needs)
