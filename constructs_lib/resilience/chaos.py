"""The function that tenants' pipelines invoke to experiment, its table, and what ends experiments besides."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import aws_cdk as cdk
from aws_cdk import Aws
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as event_targets
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from constructs_lib.common.alarms import alarm_above
from constructs_lib.common.encrypted import dead_letter_queue
from constructs_lib.common.grants import allow, grant
from constructs_lib.common.kept_table import kept_table
from constructs_lib.common.left_verdicts import leave_verdicts
from constructs_lib.common.python_function import PythonFunction
from constructs_lib.common.targets import WorkloadTargets
from lambdas.common.evidence.verdict import SURVIVALS
from lambdas.common.names import WORKLOAD_ROLE_PATH
from lambdas.resilience.model.names import ROOM, ResilienceNames
from lambdas.resilience.model.tenant import INDEX

_PERIOD = cdk.Duration.minutes(5)
# What of an execution ends what it has begun.
_ENDS = ("CANCELED", "FAILED", "STOPPED", "STOPPING", "SUPERSEDED")


@dataclass(frozen=True, kw_only=True)
class ChaosProps:
    """What experiments work with: `chaos` is the configuration as the function takes it (JSON)."""

    names: ResilienceNames
    targets: WorkloadTargets
    chaos: str
    pipeline_timeout_minutes: int
    tenants_arn: str
    key: kms.IKey
    bus: events.IEventBus
    alarm_actions: Sequence[cloudwatch.IAlarmAction]


class Chaos(Construct):
    """One function for all tenants. Costs what its calls and its table cost, and FIS for each minute of an action."""

    def __init__(self, scope: Construct, construct_id: str, *, props: ChaosProps) -> None:
        super().__init__(scope, construct_id)
        self._props, stack = props, cdk.Stack.of(self)
        self.dead_letters = self._dead_letters()
        releases = props.names.releases_bucket(stack.account, stack.region)
        self.trigger = PythonFunction(
            self,
            "Trigger",
            names=props.names,
            room=ROOM,
            job="fis_trigger",
            description="Experiments with tenants that a release has deployed, and judges whether they survive",
            key=props.key,
            alarm_actions=props.alarm_actions,
            environment={
                "PREFIX": props.names.prefix,
                "RELEASES_BUCKET": releases,
                "PIPELINE_TIMEOUT_MINUTES": str(props.pipeline_timeout_minutes),
            },
            documents={"chaos": props.chaos},
            # CodePipeline and the rules invoke it asynchronously; Lambda has two more tries before it gives up.
            dead_letters=self.dead_letters,
            role_name=props.names.runner_role,
        )
        self._grant(self._table(), f"arn:{Aws.PARTITION}:s3:::{releases}")
        self._start()

    def _table(self) -> dynamodb.Table:
        table = kept_table(self, "Attempts", name=self._props.names.attempts_table, key=self._props.key)
        # Of what nothing holds it has no entry.
        table.add_global_secondary_index(
            index_name=INDEX,
            partition_key=dynamodb.Attribute(name=INDEX, type=dynamodb.AttributeType.STRING),
            projection_type=dynamodb.ProjectionType.KEYS_ONLY,
        )
        return table

    def _dead_letters(self) -> sqs.Queue:
        """Its own: an imported queue cannot be made to admit the rules."""
        name = f"{self._props.names.room_stack(ROOM)}-dead-letters"
        queue = dead_letter_queue(self, "DeadLetters", name=name, key=self._props.key)
        waiting = queue.metric_approximate_number_of_messages_visible(period=_PERIOD, statistic="Maximum")
        alarm_above(self, "Undelivered", waiting, limit=0, actions=self._props.alarm_actions)
        return queue

    def _grant(self, table: dynamodb.ITable, releases: str) -> None:
        props = self._props
        run = f"{WORKLOAD_ROLE_PATH[1:]}{props.names.room_role(ROOM, 'run')}"
        grant(
            self.trigger.role,
            allow(["dynamodb:GetItem", "dynamodb:PutItem"], table.table_arn),
            allow(["dynamodb:Query"], f"{table.table_arn}/index/{INDEX}"),
            allow(["lambda:InvokeFunction"], props.tenants_arn),
            # Results of jobs have no resource.
            allow(["codepipeline:PutJobFailureResult", "codepipeline:PutJobSuccessResult"], "*"),
            allow(["s3:GetObject"], f"{releases}/releases/*"),
            leave_verdicts(f"{releases}/{SURVIVALS}*"),
            allow(["events:PutEvents"], props.bus.event_bus_arn),
            props.targets.assume_named(run),
            reason="Releases and their verdicts come with every commit, and accounts are the organization's own.",
        )

    def _start(self) -> None:
        target = event_targets.LambdaFunction(self.trigger.function, dead_letter_queue=self.dead_letters)
        events.Rule(
            self,
            "ExecutionEnds",
            event_pattern=events.EventPattern(
                source=["aws.codepipeline"],
                detail_type=["CodePipeline Pipeline Execution State Change"],
                detail={"state": list(_ENDS)},
            ),
            targets=[target],
        )
        events.Rule(self, "Sweep", schedule=events.Schedule.rate(_PERIOD), targets=[target])
