"""A bucket as every bucket here is: private, TLS only, versioned, encrypted with a customer's key, logged."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from constructs_lib.common.acknowledge import acknowledge
from constructs_lib.common.removal import KEPT


class PrivateBucket(Construct):
    """A versioned bucket for data.

    Old versions go after `noncurrent_days`, objects after `expire_days` (None: never).
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        key: kms.IKey,
        access_logs: s3.IBucket,
        noncurrent_days: int,
        expire_days: int | None = None,
        event_bridge: bool = False,
    ) -> None:
        super().__init__(scope, construct_id)
        self.bucket = s3.Bucket(
            self,
            "Resource",
            bucket_name=name,
            encryption=s3.BucketEncryption.KMS,
            encryption_key=key,
            bucket_key_enabled=True,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            enforce_ssl=True,
            minimum_tls_version=1.2,
            versioned=True,
            server_access_logs_bucket=access_logs,
            server_access_logs_prefix=f"{name}/",
            removal_policy=KEPT,
            lifecycle_rules=[
                s3.LifecycleRule(
                    abort_incomplete_multipart_upload_after=cdk.Duration.days(1),
                    noncurrent_version_expiration=cdk.Duration.days(noncurrent_days),
                    expiration=cdk.Duration.days(expire_days) if expire_days else None,
                )
            ],
        )
        if event_bridge:
            self._send_events()
        acknowledge(
            self.bucket,
            "NIST.800.53.R5-S3BucketReplicationEnabled",
            reason="Everything in it can be made again from the source repository; versions guard against mistakes.",
        )

    def _send_events(self) -> None:
        """Send object events to EventBridge; the L2's way brings a custom resource with a role of its own."""
        cfn = self.bucket.node.default_child
        assert isinstance(cfn, s3.CfnBucket)  # noqa: S101 - what an L2 Bucket always holds
        cfn.notification_configuration = s3.CfnBucket.NotificationConfigurationProperty(
            event_bridge_configuration=s3.CfnBucket.EventBridgeConfigurationProperty(event_bridge_enabled=True)
        )

    @staticmethod
    def access_logs(scope: Construct, construct_id: str, *, name: str, sources: str) -> s3.Bucket:
        """The bucket that others write their access logs to: those of this account whose names begin with `sources`.

        S3 delivers access logs only into buckets encrypted with its own key:
        https://docs.aws.amazon.com/AmazonS3/latest/userguide/enable-server-access-logging.html
        """
        bucket = s3.Bucket(
            scope,
            construct_id,
            bucket_name=name,
            encryption=s3.BucketEncryption.S3_MANAGED,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            enforce_ssl=True,
            minimum_tls_version=1.2,
            versioned=True,
            removal_policy=KEPT,
            lifecycle_rules=[
                s3.LifecycleRule(expiration=cdk.Duration.days(365), noncurrent_version_expiration=cdk.Duration.days(1))
            ],
        )
        # Buckets of rooms' stacks know this one by its name, and cannot add to its policy.
        bucket.add_to_resource_policy(
            iam.PolicyStatement(
                principals=[iam.ServicePrincipal("logging.s3.amazonaws.com")],
                actions=["s3:PutObject"],
                resources=[bucket.arn_for_objects("*")],
                conditions={
                    "ArnLike": {"aws:SourceArn": f"arn:{cdk.Aws.PARTITION}:s3:::{sources}*"},
                    "StringEquals": {"aws:SourceAccount": cdk.Stack.of(scope).account},
                },
            )
        )
        acknowledge(
            bucket,
            "NIST.800.53.R5-S3DefaultEncryptionKMS",
            reason="S3 delivers access logs only into buckets encrypted with its own key.",
        )
        acknowledge(
            bucket,
            "NIST.800.53.R5-S3BucketReplicationEnabled",
            reason="Access logs are kept for a year beside what they are about; a copy elsewhere serves nobody.",
        )
        return bucket
