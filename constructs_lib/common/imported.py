"""The factory's shared resources as the stacks of rooms see them: known by name or parameter, never by an export."""

from __future__ import annotations

from functools import cached_property

import aws_cdk as cdk
from aws_cdk import Aws
from aws_cdk import aws_events as events
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from aws_cdk import aws_ssm as ssm
from constructs import Construct

from lambdas.common.names import Names


class Imported(Construct):
    """What a stack in the toolchain's account and Region may use; each is imported when it is first asked for."""

    def __init__(self, scope: Construct, construct_id: str, *, names: Names) -> None:
        super().__init__(scope, construct_id)
        self._names = names
        self._stack = cdk.Stack.of(self)

    @cached_property
    def key(self) -> kms.IKey:
        """The key for tables, logs, queues and messages."""
        arn = ssm.StringParameter.value_for_string_parameter(self, self._names.data_key_parameter)
        return kms.Key.from_key_arn(self, "Key", arn)

    @cached_property
    def access_logs(self) -> s3.IBucket:
        """The bucket for access logs; it admits those of every bucket whose name begins with the prefix."""
        name = self._names.access_logs_bucket(self._stack.account, self._stack.region)
        cdk.Annotations.of(self._stack).acknowledge_warning(
            "@aws-cdk/aws-s3:accessLogsPolicyNotAdded", "The bucket's own policy admits all buckets of the factory."
        )
        return s3.Bucket.from_bucket_name(self, "AccessLogs", name)

    @cached_property
    def dead_letters(self) -> sqs.IQueue:
        """The queue for what could not be handled."""
        return sqs.Queue.from_queue_arn(self, "DeadLetters", self._arn("sqs", self._names.dead_letter_queue))

    @cached_property
    def bus(self) -> events.IEventBus:
        """The bus on which every room publishes."""
        return events.EventBus.from_event_bus_name(self, "Bus", self._names.event_bus)

    @cached_property
    def topics(self) -> list[sns.ITopic]:
        """The topics by which people are told, by e-mail and in chat: what alarms act on."""
        names = (self._names.failures_topic, self._names.chat_topic)
        return [sns.Topic.from_topic_arn(self, name, self._arn("sns", name)) for name in names]

    def _arn(self, service: str, resource: str) -> str:
        return f"arn:{Aws.PARTITION}:{service}:{self._stack.region}:{self._stack.account}:{resource}"
