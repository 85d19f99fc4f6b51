"""Governance of the lake's environments, in the toolchain's account (decision 27)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as cloudwatch_actions
from constructs import Construct

from constructs_lib.common.imported import Imported
from constructs_lib.lake.governance import Governance, GovernanceProps
from lambdas.lake.model.governance.declared import declared_pii
from lambdas.lake.model.names import ROOM, GovernanceNames
from stacks.foundation import Foundation
from stacks.room import RoomStack

if TYPE_CHECKING:
    from config.models.lake import Section
    from config.models.lake_permissions import LakePermissions


class GovernanceStack(RoomStack):
    """`<prefix>-lake-governance`."""

    def __init__(
        self, scope: Construct, *, foundation: Foundation, section: Section, permissions: LakePermissions
    ) -> None:
        super().__init__(scope, room=ROOM, foundation=foundation, part="governance")
        shared, prefix = Imported(self, "Shared", names=foundation.names), foundation.names.prefix
        declared = declared_pii((one.dataset for one in section.datasets), prefix=prefix)
        governance = Governance(
            self,
            "Governance",
            props=GovernanceProps(
                names=GovernanceNames(prefix=prefix),
                environments={one.name: (one.account, one.region) for one in section.environments},
                crawled={one.name for one in section.environments if one.crawlers},
                permissions=permissions.policy(prefix).with_pii(declared).to_json(),
                findings=foundation.names.reports_bucket(self.account, self.region) if foundation.findings else "",
                key=shared.key,
                access_logs=shared.access_logs,
                bus=shared.bus,
                alarm_actions=[cloudwatch_actions.SnsAction(topic) for topic in shared.topics],
            ),
        )
        machine = governance.machine
        cloudwatch.Dashboard(self, "Dashboard", dashboard_name=self.stack_name).add_widgets(
            cloudwatch.GraphWidget(
                title="Runs of governance",
                left=[machine.metric_succeeded(statistic="Sum"), machine.metric_failed(statistic="Sum")],
            )
        )
