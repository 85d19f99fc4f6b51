"""Tables that no deployment deletes."""

from __future__ import annotations

from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_kms as kms
from constructs import Construct

from constructs_lib.common.acknowledge import acknowledge
from constructs_lib.common.removal import KEPT, is_first_creation


def kept_table(
    scope: Construct, construct_id: str, *, name: str, key: kms.IKey, ttl: str | None = None
) -> dynamodb.Table:
    """Make a table of items by their `id`."""
    table = dynamodb.Table(
        scope,
        construct_id,
        table_name=name,
        partition_key=dynamodb.Attribute(name="id", type=dynamodb.AttributeType.STRING),
        billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
        point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
            point_in_time_recovery_enabled=True
        ),
        encryption=dynamodb.TableEncryption.CUSTOMER_MANAGED,
        encryption_key=key,
        deletion_protection=not is_first_creation(scope),
        time_to_live_attribute=ttl,
        stream=dynamodb.StreamViewType.NEW_AND_OLD_IMAGES,
        removal_policy=KEPT,
    )
    acknowledge(
        table,
        "NIST.800.53.R5-DynamoDBInBackupPlan",
        reason="Point-in-time recovery keeps 35 days of backups, and no deployment can delete the table.",
    )
    return table
