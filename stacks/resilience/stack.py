"""The stack of the room: experiments with tenants, and what people look at."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as cloudwatch_actions
from constructs import Construct

from constructs_lib.common.imported import Imported
from constructs_lib.resilience.chaos import Chaos, ChaosProps
from lambdas.resilience.model.names import ROOM, ResilienceNames
from stacks.foundation import Foundation
from stacks.room import RoomStack

if TYPE_CHECKING:
    from config.models.resilience import Section


class ResilienceStack(RoomStack):
    """`<prefix>-resilience`."""

    def __init__(self, scope: Construct, *, foundation: Foundation, section: Section) -> None:
        super().__init__(scope, room=ROOM, foundation=foundation)
        shared = Imported(self, "Shared", names=foundation.names)
        chaos = Chaos(
            self,
            "Chaos",
            props=ChaosProps(
                names=ResilienceNames(prefix=foundation.names.prefix),
                targets=foundation.targets,
                chaos=section.chaos().to_json(),
                pipeline_timeout_minutes=foundation.pipeline_timeout_minutes,
                tenants_arn=foundation.tenants_arn,
                key=shared.key,
                bus=shared.bus,
                alarm_actions=[cloudwatch_actions.SnsAction(topic) for topic in shared.topics],
            ),
        )
        function = chaos.trigger.function
        told = "\n".join(f"* {name}: {plan.does}" for name, plan in section.chaos().rings.items())
        cloudwatch.Dashboard(self, "Dashboard", dashboard_name=self.stack_name).add_widgets(
            cloudwatch.TextWidget(markdown=f"# Experiments\n{told}", width=12),
            cloudwatch.GraphWidget(
                title="fis-trigger", left=[function.metric_invocations(), chaos.trigger.errors], width=12
            ),
        )
