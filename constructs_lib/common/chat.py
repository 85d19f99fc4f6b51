"""Chat channels in which people are told: Slack or Microsoft Teams, through Amazon Q Developer in chat applications."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import aws_cdk as cdk
from aws_cdk import Aws
from aws_cdk import aws_chatbot as chatbot
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sns as sns
from constructs import Construct

from constructs_lib.common.acknowledge import acknowledge
from constructs_lib.common.service_role import service_of_this_account
from lambdas.common.names import Names

# What Amazon Q asks for to draw an alarm's graph; none of these knows a resource.
_GRAPH_ACTIONS = (
    "cloudwatch:GetMetricData",
    "cloudwatch:GetMetricStatistics",
    "cloudwatch:GetMetricWidgetImage",
    "cloudwatch:ListMetrics",
)


@dataclass(frozen=True, kw_only=True)
class ChatChannel:
    """One channel; `workspace_id` is Slack's, `team_id` and `tenant_id` are those of Teams."""

    provider: str
    name: str
    channel_id: str
    workspace_id: str = ""
    team_id: str = ""
    tenant_id: str = ""


class ChatChannels(Construct):
    """Channels that hear what is published to a topic; free of charge.

    The workspace or team must have been authorized once, by hand, in the console of Amazon Q Developer. Members of a
    channel act as `role`, and never beyond the guardrail: without one that AWS names, it would be AdministratorAccess.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        names: Names,
        topic: sns.ITopic,
        channels: Sequence[ChatChannel],
    ) -> None:
        super().__init__(scope, construct_id)
        self._names = names
        self._topic = topic
        if not channels:
            return
        self._guardrail = self._build_guardrail()
        self._role = self._build_role()
        for channel in channels:
            self._add(channel)

    def _build_guardrail(self) -> iam.ManagedPolicy:
        stack = cdk.Stack.of(self)
        alarms = f"arn:{Aws.PARTITION}:cloudwatch:{stack.region}:{stack.account}:alarm:{self._names.prefix}-*"
        policy = iam.ManagedPolicy(
            self,
            "Guardrail",
            description="The most that members of a chat channel may do: look at the factory's metrics and alarms",
            statements=[
                iam.PolicyStatement(actions=list(_GRAPH_ACTIONS), resources=["*"]),
                iam.PolicyStatement(actions=["cloudwatch:DescribeAlarms"], resources=[alarms]),
            ],
        )
        acknowledge(
            policy,
            "AwsSolutions-IAM5[Resource::*]",
            reason="CloudWatch's metrics have no resource; the actions only read.",
        )
        acknowledge(
            policy,
            f"AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:cloudwatch:{stack.region}:{stack.account}"
            f":alarm:{self._names.prefix}-*]",
            reason="The factory's alarms, whose names begin with its own; reading only.",
        )
        return policy

    def _build_role(self) -> iam.Role:
        arn = f"arn:{Aws.PARTITION}:chatbot::{cdk.Stack.of(self).account}:chat-configuration/*"
        return iam.Role(
            self,
            "Role",
            description="Members of the factory's chat channels",
            assumed_by=service_of_this_account(self, "chatbot.amazonaws.com", source_arn=arn),
            managed_policies=[self._guardrail],
        )

    def _add(self, channel: ChatChannel) -> None:
        common: dict[str, Any] = {
            "configuration_name": f"{self._names.prefix}-{channel.name}",
            "iam_role_arn": self._role.role_arn,
            "guardrail_policies": [self._guardrail.managed_policy_arn],
            "sns_topic_arns": [self._topic.topic_arn],
            "logging_level": "ERROR",
            "user_role_required": False,
        }
        if channel.provider == "slack":
            chatbot.CfnSlackChannelConfiguration(
                self,
                f"Slack-{channel.name}",
                slack_workspace_id=channel.workspace_id,
                slack_channel_id=channel.channel_id,
                **common,
            )
        else:
            chatbot.CfnMicrosoftTeamsChannelConfiguration(
                self,
                f"Teams-{channel.name}",
                team_id=channel.team_id,
                teams_tenant_id=channel.tenant_id,
                teams_channel_id=channel.channel_id,
                **common,
            )
