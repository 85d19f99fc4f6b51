"""What the failover control plane keeps: a key in each Region, and the global table."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import Aws
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_ssm as ssm
from constructs import Construct

from constructs_lib.common.removal import KEPT, is_first_creation
from lambdas.resilience.model.failover.names import FailoverNames

# Who encrypts for the account without a role: the bus, and alarms that tell the topic.
_SERVICES = ("cloudwatch", "events")


class FailoverKey(Construct):
    """The key of a Region; nothing of the control plane needs another Region's."""

    def __init__(self, scope: Construct, construct_id: str, *, names: FailoverNames) -> None:
        super().__init__(scope, construct_id)
        self.key = kms.Key(
            self,
            "Key",
            alias=f"alias/{names.failover}",
            description="Table, logs, bus and topic of failovers",
            enable_key_rotation=True,
            removal_policy=KEPT,
        )
        account = {"StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID}}
        self._admit([f"{one}.amazonaws.com" for one in _SERVICES], account)
        logs = f"arn:{Aws.PARTITION}:logs:{Aws.REGION}:{Aws.ACCOUNT_ID}:log-group:*"
        own = {"ArnLike": {"kms:EncryptionContext:aws:logs:arn": logs}}
        self._admit([f"logs.{cdk.Stack.of(self).region}.{Aws.URL_SUFFIX}"], own)
        ssm.StringParameter(self, "Arn", parameter_name=names.key_parameter, string_value=self.key.key_arn)

    def _admit(self, services: list[str], conditions: dict[str, dict[str, str]]) -> None:
        self.key.add_to_resource_policy(
            iam.PolicyStatement(
                principals=[iam.ServicePrincipal(one) for one in services],
                actions=["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*"],
                resources=["*"],
                conditions=conditions,
            )
        )


def failover_table(scope: Construct, *, names: FailoverNames, key: kms.IKey, replica_region: str) -> None:
    """The global table, made in the first Region; the other Region's key is there already, by its alias."""
    account = cdk.Stack.of(scope).account
    replica_key = f"arn:{Aws.PARTITION}:kms:{replica_region}:{account}:alias/{names.failover}"
    dynamodb.TableV2(
        scope,
        "Table",
        table_name=names.failover,
        partition_key=dynamodb.Attribute(name="id", type=dynamodb.AttributeType.STRING),
        sort_key=dynamodb.Attribute(name="sort", type=dynamodb.AttributeType.STRING),
        billing=dynamodb.Billing.on_demand(),
        encryption=dynamodb.TableEncryptionV2.customer_managed_key(key, {replica_region: replica_key}),
        point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
            point_in_time_recovery_enabled=True
        ),
        deletion_protection=not is_first_creation(scope),
        dynamo_stream=dynamodb.StreamViewType.NEW_AND_OLD_IMAGES,
        removal_policy=KEPT,
        replicas=[dynamodb.ReplicaTableProps(region=replica_region)],
    )
