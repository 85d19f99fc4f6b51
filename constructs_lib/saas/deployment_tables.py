"""The two tables of the factory: what people wish for, and what was observed."""

from __future__ import annotations

from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_kms as kms
from constructs import Construct

from constructs_lib.common.acknowledge import acknowledge
from constructs_lib.common.removal import KEPT, is_first_creation
from lambdas.saas.model.names import SaasNames


class DeploymentTables(Construct):
    """`<prefix>-deployments`, which people write, and `<prefix>-deployment-status`, which the factory writes."""

    def __init__(self, scope: Construct, construct_id: str, *, names: SaasNames, key: kms.IKey) -> None:
        super().__init__(scope, construct_id)
        self.deployments = self._table("Deployments", names.deployments_table, key)
        self.statuses = self._table("Statuses", names.status_table, key, ttl="expires_at")
        self.releases = self._table("Releases", names.releases_table, key)

    def _table(self, construct_id: str, name: str, key: kms.IKey, *, ttl: str | None = None) -> dynamodb.Table:
        table = dynamodb.Table(
            self,
            construct_id,
            table_name=name,
            partition_key=dynamodb.Attribute(name="id", type=dynamodb.AttributeType.STRING),
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=True
            ),
            encryption=dynamodb.TableEncryption.CUSTOMER_MANAGED,
            encryption_key=key,
            deletion_protection=not is_first_creation(self),
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
