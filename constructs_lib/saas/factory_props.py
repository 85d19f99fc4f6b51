"""What the functions and machines of the factory work with, and what several of them need."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import aws_cdk as cdk
from aws_cdk import Aws
from aws_cdk import aws_codebuild as codebuild
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_lambda_event_sources as sources
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sqs as sqs

from constructs_lib.common.acknowledge import acknowledge
from constructs_lib.common.encrypted_machine import machine_arn
from constructs_lib.common.grants import allow
from constructs_lib.common.python_function import PythonFunction
from constructs_lib.common.targets import WorkloadTargets
from constructs_lib.saas.deployment_tables import DeploymentTables
from constructs_lib.saas.lifecycle_bus import LifecycleBus
from constructs_lib.saas.provisioning_project import start_builds
from lambdas.common.evidence.verdict import VERDICTS
from lambdas.saas.model.names import SaasNames

# A record that could not be handled for this long is given up to the dead letters; the sweep sees its row anyway.
STREAM_MAX_AGE = cdk.Duration.hours(6)


@dataclass(frozen=True, kw_only=True)
class LifecycleSettings:
    """The configuration: see `lifecycle` in config/toolchain.yaml."""

    grace_hours: int
    archive: str
    on_row_removed: str
    max_removed_percent: int
    tombstone_days: int


@dataclass(frozen=True, kw_only=True)
class FactoryProps:
    """The configuration, and what the toolchain shares; the policies are JSON, `releases_key` encrypts `releases`."""

    names: SaasNames
    targets: WorkloadTargets
    target_policy: str
    release_policy: str
    pipeline_timeout_minutes: int
    max_ids_per_build: int
    sweep_interval: cdk.Duration
    lifecycle: LifecycleSettings
    tables: DeploymentTables
    bus: LifecycleBus
    project: codebuild.IProject
    releases: s3.IBucket
    releases_key: kms.IKey
    key: kms.IKey
    dead_letters: sqs.Queue

    def of_the_room(self) -> dict[str, Any]:
        """What every function of the room is made with."""
        return {"names": self.names, "room": "saas", "key": self.key, "alarm_actions": self.bus.alarm_actions}

    @property
    def release_parameter_arn(self) -> str:
        return f"arn:{Aws.PARTITION}:ssm:{Aws.REGION}:{Aws.ACCOUNT_ID}:parameter{self.names.release_parameter}"

    def build_settings(self) -> dict[str, str]:
        """The environment of what starts builds."""
        return {
            "DEPLOYMENTS_TABLE": self.names.deployments_table,
            "STATUS_TABLE": self.names.status_table,
            "PROVISIONING_PROJECT": self.names.provisioning_project,
            "RELEASES_BUCKET": self.releases.bucket_name,
            "RELEASE_PARAMETER": self.names.release_parameter,
            "MAX_IDS_PER_BUILD": str(self.max_ids_per_build),
            "LIFECYCLE_MACHINE": machine_arn(self.names.lifecycle_machine),
        }

    def read_verdicts(self, *folders: str) -> list[iam.PolicyStatement]:
        """What may read what gates have said of releases."""
        patterns = [f"{folder}*" for folder in folders]
        listing = allow(["s3:ListBucket"], self.releases.bucket_arn)
        listing.add_condition("StringLike", {"s3:prefix": patterns if len(patterns) > 1 else patterns[0]})
        return [listing, allow(["s3:GetObject"], *map(self.releases.arn_for_objects, patterns))]

    def read_pins(self) -> list[iam.PolicyStatement]:
        """What may look at the releases that rows pin, with what their gates have said."""
        key = allow(["kms:Decrypt"], self.releases_key.key_arn)
        return [
            allow(["s3:GetObject"], self.releases.arn_for_objects("releases/*")),
            *self.read_verdicts(VERDICTS),
            key,
        ]

    def build_statements(self) -> list[iam.PolicyStatement]:
        """What starts builds may do: a row's release is the builds' source, and other rows go to the lifecycle."""
        return [
            *self.read_pins(),
            start_builds(self.project, releases=self.releases),
            allow(["ssm:GetParameter"], self.release_parameter_arn),
            allow(["states:StartExecution"], machine_arn(self.names.lifecycle_machine)),
        ]

    def read_stream(
        self, function: PythonFunction, table: dynamodb.Table, *, window: cdk.Duration, batch_size: int
    ) -> None:
        """Let a function read a table's stream, and give what it cannot handle to the dead letters."""
        self.dead_letters.grant_send_messages(function.role)
        function.function.add_event_source(
            sources.DynamoEventSource(
                table,
                starting_position=lambda_.StartingPosition.TRIM_HORIZON,
                batch_size=batch_size,
                max_batching_window=window,
                bisect_batch_on_error=True,
                max_record_age=STREAM_MAX_AGE,
                report_batch_item_failures=True,
                on_failure=sources.SqsDlq(self.dead_letters),
            )
        )
        acknowledge(
            function.role,
            "AwsSolutions-IAM5[Resource::*]",
            reason="dynamodb:ListStreams, which the library grants with the reading of a stream, has no resource.",
        )
