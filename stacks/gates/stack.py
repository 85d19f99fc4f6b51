"""The stack of the room: where reports are kept, and what people look at."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as cloudwatch_actions
from constructs import Construct

from constructs_lib.common.encrypted import dead_letter_queue
from constructs_lib.common.imported import Imported
from constructs_lib.common.private_bucket import PrivateBucket
from constructs_lib.gates.findings_import import FindingsImport, FindingsImportProps
from stacks.foundation import Foundation
from stacks.room import RoomStack

if TYPE_CHECKING:
    from config.models.gates import Section

_REPORT_DAYS = 400


class GatesStack(RoomStack):
    """`<prefix>-gates`."""

    def __init__(self, scope: Construct, *, foundation: Foundation, section: Section) -> None:
        super().__init__(scope, room="gates", foundation=foundation)
        shared = Imported(self, "Shared", names=foundation.names)
        self.reports = PrivateBucket(
            self,
            "Reports",
            name=foundation.names.reports_bucket(self.account, self.region),
            key=shared.key,
            access_logs=shared.access_logs,
            noncurrent_days=30,
            expire_days=_REPORT_DAYS,
            event_bridge=True,
        ).bucket
        if section.security_hub:
            self._import_findings(foundation, shared)
        dashboard = cloudwatch.Dashboard(self, "Dashboard", dashboard_name=foundation.names.room_stack("gates"))
        told = "\n".join(f"* {gate.name}: {gate.scanner}, fails at {gate.fail_at}" for gate in section.gates)
        dashboard.add_widgets(cloudwatch.TextWidget(markdown=f"# Gates\n{told}", width=12))

    def _import_findings(self, foundation: Foundation, shared: Imported) -> None:
        room = foundation.names.room_stack("gates")
        FindingsImport(
            self,
            "FindingsImport",
            props=FindingsImportProps(
                names=foundation.names,
                reports=self.reports,
                key=shared.key,
                bus=shared.bus,
                # Its own: an imported queue cannot be made to admit the rule.
                dead_letters=dead_letter_queue(self, "DeadLetters", name=f"{room}-dead-letters", key=shared.key),
                alarm_actions=[cloudwatch_actions.SnsAction(topic) for topic in shared.topics],
            ),
        )
