"""The queue in which S3 tells of new raw objects."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import Aws
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from constructs_lib.common.encrypted import dead_letter_queue

# Six times the time-out of the function that reads it:
# https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
_INVISIBLE = cdk.Duration.minutes(30)
_TRIES = 5


class Arrivals(Construct):
    """The queue, with its dead letters. `told_by` has the bucket tell it of what is created."""

    def __init__(self, scope: Construct, construct_id: str, *, name: str, key: kms.IKey) -> None:
        super().__init__(scope, construct_id)
        self.dead_letters = dead_letter_queue(self, "DeadLetters", name=f"{name}-dead-letters", key=key)
        self.queue = sqs.Queue(
            self,
            "Queue",
            queue_name=name,
            encryption=sqs.QueueEncryption.KMS,
            encryption_master_key=key,
            enforce_ssl=True,
            visibility_timeout=_INVISIBLE,
            retention_period=cdk.Duration.days(14),
            dead_letter_queue=sqs.DeadLetterQueue(queue=self.dead_letters, max_receive_count=_TRIES),
        )

    def told_by(self, bucket: s3.Bucket, name: str) -> None:
        """Admit a bucket, and have it tell; the library's way brings a custom resource with a role of its own."""
        source = f"arn:{Aws.PARTITION}:s3:::{name}"
        self.queue.add_to_resource_policy(
            iam.PolicyStatement(
                principals=[iam.ServicePrincipal("s3.amazonaws.com")],
                actions=["sqs:SendMessage"],
                resources=[self.queue.queue_arn],
                conditions={
                    "ArnEquals": {"aws:SourceArn": source},
                    "StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID},
                },
            )
        )
        cfn = bucket.node.default_child
        assert isinstance(cfn, s3.CfnBucket)  # noqa: S101 - what an L2 Bucket always holds
        cfn.notification_configuration = s3.CfnBucket.NotificationConfigurationProperty(
            queue_configurations=[
                s3.CfnBucket.QueueConfigurationProperty(event="s3:ObjectCreated:*", queue=self.queue.queue_arn)
            ]
        )
        # S3 sends a test as soon as it is configured.
        bucket.node.add_dependency(self.queue)
