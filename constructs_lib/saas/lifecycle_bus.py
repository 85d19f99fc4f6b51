"""The bus on which every lifecycle step of a deployment is published with its reason, and who is told of failures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import aws_cdk as cdk
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from lambdas.common.names import Names

PHASE_CHANGED = "Deployment Phase Changed"
ROW_REMOVED = "Deployment Row Removed"
FAILURE_PHASES = ("FAILED", "INVALID")


class LifecycleBus(Construct):
    """`<prefix>-lifecycle` and the topic for failures; rules are put on the bus by those who listen."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        names: Names,
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
        for email in emails:
            self.failures.add_subscription(subscriptions.EmailSubscription(email))
        self._let_services_encrypt(key)
        self._let_alarms_publish()
        self._tell_of_deployments()

    def _let_services_encrypt(self, key: kms.IKey) -> None:
        """EventBridge and CloudWatch alarms publish to the encrypted topic, and the bus itself is encrypted."""
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
        self.failures.add_to_resource_policy(
            iam.PolicyStatement(
                principals=[iam.ServicePrincipal("cloudwatch.amazonaws.com")],
                actions=["sns:Publish"],
                resources=[self.failures.topic_arn],
                conditions={"StringEquals": {"aws:SourceAccount": cdk.Stack.of(self).account}},
            )
        )

    def _tell_of_deployments(self) -> None:
        self.on_bus("Failed", PHASE_CHANGED, {"to": list(FAILURE_PHASES)}).add_target(
            self.told(
                events.RuleTargetInput.from_text(
                    f"Deployment {_detail('id')} ({_detail('type')}, {_detail('account')}, {_detail('region')}) "
                    f"is {_detail('to')}: {_detail('reason')}. {_detail('next_step')} {_detail('execution_url')}"
                )
            )
        )
        self.on_bus("Removed", ROW_REMOVED, None).add_target(
            self.told(
                events.RuleTargetInput.from_text(
                    f"The row of deployment {_detail('id')} was removed without retiring it; "
                    f"nothing was destroyed. {_detail('next_step')}"
                )
            )
        )

    def told(self, message: events.RuleTargetInput) -> events.IRuleTarget:
        """A target that tells people."""
        target: events.IRuleTarget = targets.SnsTopic(
            self.failures, message=message, dead_letter_queue=self._dead_letters
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


def _detail(name: str) -> str:
    return str(events.EventField.from_path(f"$.detail.{name}"))
