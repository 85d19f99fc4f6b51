"""The function `import-findings`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import aws_cdk as cdk
from aws_cdk import Aws
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as event_targets
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from constructs_lib.common.grants import allow, grant
from constructs_lib.common.python_function import PythonFunction
from lambdas.common.evidence.kept_report import FOLDER, SUFFIX
from lambdas.common.names import Names

# Security Hub answers three readings of 100 findings a second: this is long enough for some 100,000.
_TIMEOUT = cdk.Duration.minutes(15)
_MEMORY_MB = 1024


@dataclass(frozen=True, kw_only=True)
class FindingsImportProps:
    """What the import works with; the bucket `reports` tells EventBridge of its objects, and `key` encrypts them.

    `dead_letters` is a queue of the same app: to one that is imported, EventBridge could not be admitted.
    """

    names: Names
    reports: s3.IBucket
    key: kms.IKey
    bus: events.IEventBus
    dead_letters: sqs.Queue
    alarm_actions: Sequence[cloudwatch.IAlarmAction]


class FindingsImport(PythonFunction):
    """Runs when a gate's report arrives in the bucket. Costs what Security Hub takes for the findings of a report."""

    def __init__(self, scope: Construct, construct_id: str, *, props: FindingsImportProps) -> None:
        super().__init__(
            scope,
            construct_id,
            names=props.names,
            room="gates",
            job="import_findings",
            description="Imports the findings of gates into Security Hub, and archives those that are gone",
            key=props.key,
            alarm_actions=props.alarm_actions,
            environment={
                "TOOLCHAIN_ACCOUNT": cdk.Stack.of(scope).account,
                "FACTORY": props.names.prefix,
                "LIFECYCLE_BUS": props.names.event_bus,
                "DEAD_LETTER_QUEUE_URL": props.dead_letters.queue_url,
            },
            memory_mb=_MEMORY_MB,
            dead_letters=props.dead_letters,
        )
        cast("lambda_.CfnFunction", self.function.node.default_child).timeout = _TIMEOUT.to_seconds()
        self._grant(props)
        events.Rule(
            self,
            "ReportArrived",
            event_pattern=events.EventPattern(
                source=["aws.s3"],
                detail_type=["Object Created"],
                detail={
                    "bucket": {"name": [props.reports.bucket_name]},
                    "object": {"key": [{"wildcard": f"{FOLDER}*{SUFFIX}"}]},
                },
            ),
            targets=[event_targets.LambdaFunction(self.function, dead_letter_queue=props.dead_letters)],
        )

    def _grant(self, props: FindingsImportProps) -> None:
        hub = f"arn:{Aws.PARTITION}:securityhub:{Aws.REGION}:{Aws.ACCOUNT_ID}"
        grant(
            self.role,
            allow(["s3:GetObject"], props.reports.arn_for_objects(f"{FOLDER}*")),
            allow(["securityhub:GetFindings"], f"{hub}:hub/default"),
            allow(["securityhub:BatchImportFindings"], f"{hub}:product/{Aws.ACCOUNT_ID}/default"),
            allow(["events:PutEvents"], props.bus.event_bus_arn),
            reason="Reports come with every run of a gate: their folder bounds what is read.",
        )
