"""The lake's ETL: audit table, trigger, jobs, state machine and notices of one environment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import aws_cdk as cdk
from aws_cdk import Aws
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as cloudwatch_actions
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3_assets as assets
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from constructs_lib.common.alarms import alarm_above
from constructs_lib.common.encrypted import dead_letter_queue
from constructs_lib.common.grants import allow, grant
from constructs_lib.common.kept_table import kept_table
from constructs_lib.common.python_function import PythonFunction
from constructs_lib.lake.etl_machine import EtlMachine
from constructs_lib.lake.job import JobProps, SparkJob
from lambdas.lake.model.names import ROOM, TEMPORARY, LakeNames, Zone
from lambdas.lake.model.objects import Folder, write_folders

_BATCH = 10
_LATE_SECONDS = 1_200
# Each reads a version of an object from its zone, and writes the next.
JOBS = (
    ("raw_to_conformed", Zone.RAW, Zone.CONFORMED),
    ("conformed_to_purpose_built", Zone.CONFORMED, Zone.PURPOSE_BUILT),
)
_REASON = "Objects, partitions and tables come with the data: the environment's own names bound them."


@dataclass(frozen=True, kw_only=True)
class EtlProps:
    """What the ETL works with: keys and buckets (names) by zone, and what its jobs are made of.

    `scripts` has the asset of each job's script, `code` is the digest of all that jobs run.
    """

    names: LakeNames
    keys: Mapping[Zone, kms.IKey]
    buckets: Mapping[Zone, str]
    folders: Sequence[Folder]
    scripts: Mapping[str, assets.Asset]
    packages: assets.Asset
    definitions: assets.Asset
    code: str
    connection: str
    security_configuration: str
    at_once: int
    workers: int
    minutes: int


class Etl(Construct):
    """Takes each version of a raw object to the purpose-built zone, once."""

    def __init__(self, scope: Construct, construct_id: str, *, props: EtlProps) -> None:
        super().__init__(scope, construct_id)
        self._props, names, key = props, props.names, props.keys[Zone.DATA]
        self._key = key
        self.topic = sns.Topic(self, "Notices", topic_name=names.notices_topic, master_key=key, enforce_ssl=True)
        self._actions = [cloudwatch_actions.SnsAction(self.topic)]
        self.jobs = [self._job(job, read, written) for job, read, written in JOBS]
        unclosed = dead_letter_queue(self, "Unclosed", name=names.part("unclosed"), key=key)
        self.audit = self._function(
            "audit",
            "Writes how runs of the ETL ended, and says what people are told",
            {
                "AUDIT_TABLE": names.audit_table,
                "DATABASE": names.database(Zone.CONFORMED),
                "NOTICES_TOPIC": self.topic.topic_arn,
            },
            dead_letters=unclosed,
        )
        grant(
            self.audit.role,
            allow(["dynamodb:GetItem", "dynamodb:UpdateItem"], table_arn(names)),
            allow(["glue:GetPartition"], *self._catalog(Zone.CONFORMED)),
            allow(["sns:Publish"], self.topic.topic_arn),
            reason=_REASON,
        )
        self.machine = EtlMachine(
            self,
            "Etl",
            name=names.machine,
            jobs=self.jobs,
            audit=self.audit.function,
            topic=self.topic,
            key=key,
            alarm_actions=self._actions,
        )
        self.machine.close_stopped(dead_letters=unclosed)
        self.trigger = self._trigger()
        # It cannot be deleted, nor rolled back then: what may fail comes before it.
        self.table = kept_table(self, "AuditTable", name=names.audit_table, key=key)
        self.table.node.add_dependency(self.machine, self.audit, *self.jobs)
        self._look_at(names)

    def _look_at(self, names: LakeNames) -> None:
        """What people look at: runs, how many failed, and what waits."""
        self._mapping.node.add_dependency(self.table)  # nothing arrives before there is a table
        queues = [
            _of_queue(name, "ApproximateNumberOfMessagesVisible")
            for name in (names.arrivals_queue, f"{names.arrivals_queue}-dead-letters", names.part("unclosed"))
        ]
        # A message that could not be taken in comes again after half an hour, and is a dead letter after five times.
        late = _of_queue(names.arrivals_queue, "ApproximateAgeOfOldestMessage")
        alarm_above(self, "Late", late, limit=_LATE_SECONDS, actions=self._actions)
        alarm_above(self, "Undelivered", queues[1], limit=0, actions=self._actions)
        alarm_above(self, "StillOpen", queues[2], limit=0, actions=self._actions)
        dashboard = cloudwatch.Dashboard(self, "Dashboard", dashboard_name=names.part("etl"))
        machine = self.machine.machine
        dashboard.add_widgets(
            cloudwatch.GraphWidget(
                title="Runs", left=[machine.metric_started(), machine.metric_succeeded(), machine.metric_failed()]
            ),
            cloudwatch.GraphWidget(title="Minutes of a run", left=[machine.metric_time()]),
            cloudwatch.GraphWidget(title="Waiting, and undelivered", left=queues),
        )

    def _function(
        self, job: str, description: str, environment: Mapping[str, str], *, dead_letters: sqs.IQueue | None = None
    ) -> PythonFunction:
        return PythonFunction(
            self,
            job.title(),
            names=self._props.names,
            room=ROOM,
            job=job,
            description=description,
            key=self._key,
            alarm_actions=self._actions,
            environment=environment,
            documents={"folders": write_folders(self._props.folders)},
            dead_letters=dead_letters,
            # Whoever writes down who may read the catalog has to name it.
            role_name=self._props.names.room_function(ROOM, job),
        )

    def _trigger(self) -> PythonFunction:
        names, machine = self._props.names, self.machine.machine
        trigger = self._function(
            "trigger",
            "Claims each version of a raw object, and starts its run",
            {
                "AUDIT_TABLE": names.audit_table,
                "MACHINE": machine.state_machine_arn,
                "NOTICES_TOPIC": self.topic.topic_arn,
            },
        )
        queue = f"arn:{Aws.PARTITION}:sqs:{Aws.REGION}:{Aws.ACCOUNT_ID}:{names.arrivals_queue}"
        grant(
            trigger.role,
            allow(["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem"], table_arn(names)),
            allow(["states:StartExecution"], machine.state_machine_arn),
            allow(["sns:Publish"], self.topic.topic_arn),
            allow(
                ["sqs:ChangeMessageVisibility", "sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"],
                queue,
            ),
            reason=_REASON,
        )
        mapping = lambda_.CfnEventSourceMapping(
            self,
            "ArrivalsMapping",
            event_source_arn=queue,
            function_name=trigger.function.function_name,
            batch_size=_BATCH,
            function_response_types=["ReportBatchItemFailures"],
        )
        mapping.node.add_dependency(trigger.role)
        self._mapping = mapping
        return trigger

    def _job(self, job: str, read: Zone, written: Zone) -> SparkJob:
        props, names = self._props, self._props.names
        data = props.buckets[Zone.DATA]
        temporary = f"{data}/{TEMPORARY}"
        made = SparkJob(
            self,
            job.replace("_", " ").capitalize(),
            props=JobProps(
                name=names.part(job.replace("_", "-")),
                description=f"Takes one object from {read} to {written}",
                script=props.scripts[job],
                packages=props.packages,
                connection=props.connection,
                security_configuration=props.security_configuration,
                key=self._key,
                at_once=props.at_once,
                workers=props.workers,
                minutes=props.minutes,
                arguments={
                    "definitions": props.definitions.s3_object_url,
                    "source": props.buckets[read],
                    "zone": props.buckets[written],
                    "temporary": f"s3://{temporary}",
                    "database": names.database(written),
                    "conformed_database": names.database(Zone.CONFORMED),
                    "code": props.code,
                },
            ),
        )
        source, target = props.buckets[read], props.buckets[written]
        grant(
            made.role,
            allow(["s3:GetObject"], props.definitions.bucket.arn_for_objects(props.definitions.s3_object_key)),
            allow(["s3:GetObject", "s3:GetObjectVersion"], _objects(source)),
            allow(["s3:DeleteObject", "s3:GetObject", "s3:PutObject"], _objects(target), f"{_bucket(temporary)}*"),
            allow(["s3:GetBucketLocation", "s3:ListBucket"], _bucket(source), _bucket(target), _bucket(data)),
            allow(
                ["glue:GetDatabase", "glue:GetPartition", "glue:GetTable"],
                *self._catalog(read),
                *self._catalog(written),
            ),
            allow(
                ["glue:CreatePartition", "glue:CreateTable", "glue:UpdatePartition", "glue:UpdateTable"],
                *self._catalog(written),
            ),
            reason=_REASON,
        )
        for zone in (read, written):
            props.keys[zone].grant_encrypt_decrypt(made.role)
        return made

    def _catalog(self, zone: Zone) -> list[str]:
        database = self._props.names.database(Zone.CONFORMED if zone is Zone.RAW else zone)
        glue = f"arn:{Aws.PARTITION}:glue:{Aws.REGION}:{Aws.ACCOUNT_ID}"
        return [f"{glue}:catalog", f"{glue}:database/{database}", f"{glue}:table/{database}/*"]


def _of_queue(name: str, metric: str) -> cloudwatch.Metric:
    return cloudwatch.Metric(
        namespace="AWS/SQS",
        metric_name=metric,
        dimensions_map={"QueueName": name},
        period=cdk.Duration.minutes(5),
        statistic="Maximum",
    )


def _bucket(name: str) -> str:
    return f"arn:{Aws.PARTITION}:s3:::{name}"


def _objects(place: str) -> str:
    return f"{_bucket(place)}/*"


def table_arn(names: LakeNames) -> str:
    """ARN of the audit table, for those that are made before it."""
    return f"arn:{Aws.PARTITION}:dynamodb:{Aws.REGION}:{Aws.ACCOUNT_ID}:table/{names.audit_table}"
