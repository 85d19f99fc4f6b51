"""The bus on which every step of a deployment and of a release is published, and the topics that tell people of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch_actions as cloudwatch_actions
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from lambdas.saas.model.names import SaasNames


class LifecycleBus(Construct):
    """`<prefix>-lifecycle`, and two topics for one and the same news: e-mail and chat want other forms of it.

    Rules are put on the bus by those who listen. Which event tells people is decided where it is made: it then has
    `message` and `notification` in its detail, which go to the topics as they are.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        names: SaasNames,
        key: kms.IKey,
        dead_letters: sqs.IQueue,
        emails: Sequence[str],
    ) -> None:
        super().__init__(scope, construct_id)
        self._names = names
        self._dead_letters = dead_letters
        self.bus = events.EventBus(self, "Bus", event_bus_name=names.event_bus, kms_key=key)
        self.failures = sns.Topic(
            self, "Failures", topic_name=f"{names.prefix}-failures", master_key=key, enforce_ssl=True
        )
        self.chat = sns.Topic(self, "Chat", topic_name=f"{names.prefix}-chat", master_key=key, enforce_ssl=True)
        # Amazon Q knows the alarms of CloudWatch, and draws them.
        self.alarm_actions = [cloudwatch_actions.SnsAction(topic) for topic in (self.failures, self.chat)]
        for email in emails:
            self.failures.add_subscription(subscriptions.EmailSubscription(email))
        self._let_services_encrypt(key)
        self._let_alarms_publish()
        self._tell_people()

    def _let_services_encrypt(self, key: kms.IKey) -> None:
        """EventBridge and CloudWatch alarms publish to the encrypted topics, and the bus itself is encrypted."""
        key.add_to_resource_policy(
            iam.PolicyStatement(
                principals=[
                    iam.ServicePrincipal("events.amazonaws.com"),
                    iam.ServicePrincipal("cloudwatch.amazonaws.com"),
                ],
                actions=["kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey"],
                resources=["*"],
                conditions={"StringEquals": {"aws:SourceAccount": cdk.Stack.of(self).account}},
            )
        )

    def _let_alarms_publish(self) -> None:
        """A topic with a policy of its own has lost the default one, which let the account's alarms publish."""
        for topic in (self.failures, self.chat):
            topic.add_to_resource_policy(
                iam.PolicyStatement(
                    principals=[iam.ServicePrincipal("cloudwatch.amazonaws.com")],
                    actions=["sns:Publish"],
                    resources=[topic.topic_arn],
                    conditions={"StringEquals": {"aws:SourceAccount": cdk.Stack.of(self).account}},
                )
            )

    def _tell_people(self) -> None:
        """An input path hands a part of the event on as it is: no value of it can break the message."""
        rule = events.Rule(
            self,
            "People",
            event_bus=self.bus,
            event_pattern=events.EventPattern(
                source=[self._names.prefix], detail={"notification": {"version": ["1.0"]}}
            ),
        )
        rule.add_target(self.told(events.RuleTargetInput.from_event_path("$.detail.message")))
        rule.add_target(self.told_in_chat(events.RuleTargetInput.from_event_path("$.detail.notification")))

    def told(self, message: events.RuleTargetInput) -> events.IRuleTarget:
        """A target that tells people by e-mail."""
        target: events.IRuleTarget = targets.SnsTopic(
            self.failures, message=message, dead_letter_queue=self._dead_letters
        )
        return target

    def told_in_chat(self, notification: events.RuleTargetInput) -> events.IRuleTarget:
        """A target that tells people in chat; what is not a custom notification, Amazon Q drops."""
        target: events.IRuleTarget = targets.SnsTopic(
            self.chat, message=notification, dead_letter_queue=self._dead_letters
        )
        return target

    def on_bus(self, construct_id: str, detail_type: str, detail: Mapping[str, object] | None) -> events.Rule:
        """A rule for our own events."""
        return events.Rule(
            self,
            construct_id,
            event_bus=self.bus,
            event_pattern=events.EventPattern(
                source=[self._names.prefix], detail_type=[detail_type], detail=dict(detail) if detail else None
            ),
        )
