"""The stack of the room: where reports are kept, and what people look at."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as cloudwatch_actions
from aws_cdk import aws_s3_assets as assets
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from constructs_lib.common.acknowledge import acknowledge
from constructs_lib.common.alarms import alarm_above
from constructs_lib.common.encrypted import dead_letter_queue
from constructs_lib.common.imported import Imported
from constructs_lib.common.private_bucket import PrivateBucket
from constructs_lib.gates.findings_import import FindingsImport, FindingsImportProps
from constructs_lib.gates.repository_scan import RepositoryScan, RepositoryScanProps
from lambdas.gates.model.gate import EXPORTED
from stacks.buildspecs import fixed_entry, room_commands
from stacks.foundation import Foundation
from stacks.room import RoomStack

if TYPE_CHECKING:
    from config.models.gates import Section

_REPORT_DAYS = 400
_JOB = ("gates", "repository_gates")
_ROOT = Path(__file__).parents[2]
# What builds of repositories run: the gates, and what configures them; whatever else changes leaves them as they are.
_EXCLUDED = [
    "/*",
    *(f"!/{name}" for name in ("buildspecs", "component", "config", "constructs_lib", "lambdas", "requirements.txt")),
    "/buildspecs/saas",
    # The component's settings, which the configuration has, are written with saas's model.
    "/lambdas/saas/*",
    "!/lambdas/saas/__init__.py",
    "!/lambdas/saas/model",
    "__pycache__",
]


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
        if section.security_hub or section.repositories:
            self._receiving(foundation, shared, section)
        dashboard = cloudwatch.Dashboard(self, "Dashboard", dashboard_name=foundation.names.room_stack("gates"))
        told = "\n".join(f"* {gate.name}: {gate.scanner}, fails at {gate.fail_at}" for gate in section.gates)
        dashboard.add_widgets(cloudwatch.TextWidget(markdown=f"# Gates\n{told}", width=12))

    def _receiving(self, foundation: Foundation, shared: Imported, section: Section) -> None:
        """What events start, and where those go that could start nothing."""
        room = foundation.names.room_stack("gates")
        # Its own: an imported queue cannot be made to admit the rules.
        queue = dead_letter_queue(self, "DeadLetters", name=f"{room}-dead-letters", key=shared.key)
        acknowledge(queue, "AwsSolutions-SQS3", reason="It is the dead-letter queue, of rules of EventBridge.")
        actions = [cloudwatch_actions.SnsAction(topic) for topic in shared.topics]
        if section.security_hub:
            props = FindingsImportProps(
                names=foundation.names,
                reports=self.reports,
                key=shared.key,
                bus=shared.bus,
                dead_letters=queue,
                alarm_actions=actions,
            )
            FindingsImport(self, "FindingsImport", props=props)
        if not section.repositories:
            return
        alarm_above(self, "Undelivered", _waiting(queue), limit=0, actions=actions)
        code = assets.Asset(self, "Code", path=str(_ROOT), exclude=_EXCLUDED, ignore_mode=cdk.IgnoreMode.GIT)
        for one in section.repositories:
            secrets = {str(gate.options["secret"]) for gate in section.gates_of(one) if "secret" in gate.options}
            scan = RepositoryScanProps(
                names=foundation.names,
                name=one.name,
                repository=one.source.repository,
                connection_arn=one.connection_arn,
                branches=one.branches,
                secrets=sorted(secrets),
                code=code,
                commands=replace(room_commands(*_JOB, EXPORTED), build=[fixed_entry(*_JOB)]),
                reports=self.reports,
                key=shared.key,
                bus=shared.bus,
                dead_letters=queue,
                alarm_actions=actions,
            )
            RepositoryScan(self, f"Repository-{one.name}", props=scan)


def _waiting(queue: sqs.Queue) -> cloudwatch.Metric:
    return queue.metric_approximate_number_of_messages_visible(period=cdk.Duration.minutes(5), statistic="Maximum")
