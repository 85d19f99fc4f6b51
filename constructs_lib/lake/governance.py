"""Governance of the lake's environments: plans, functions and state machine, and what starts them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

import aws_cdk as cdk
from aws_cdk import Aws
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as event_targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sqs as sqs
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from constructs_lib.common.acknowledge import acknowledge, acknowledge_inline_policy
from constructs_lib.common.alarms import alarm_above
from constructs_lib.common.encrypted import dead_letter_queue
from constructs_lib.common.encrypted_machine import encrypt, machine_logs, machine_role
from constructs_lib.common.grants import allow, grant
from constructs_lib.common.kept_table import kept_table
from constructs_lib.common.private_bucket import PrivateBucket
from constructs_lib.common.python_function import PythonFunction
from constructs_lib.common.service_role import service_of_this_account
from constructs_lib.lake.crawlers import ENDED, SOURCE
from constructs_lib.lake.governance_states import NEWS, GovernanceStates
from lambdas.common.evidence.kept_report import FOLDER
from lambdas.common.names import WORKLOAD_ROLE_PATH
from lambdas.lake.model.governance.drift import TARGET
from lambdas.lake.model.names import ROOM, GovernanceNames, LakeNames

# An outside orchestrator puts it on the bus, with {"environment": NAME} as its detail.
CHANGED = "Lake Changed"
_INTERVAL = cdk.Duration.hours(1)
_MONTHLY = events.Schedule.cron(minute="0", hour="6", day="1")
_PERIOD = cdk.Duration.minutes(5)
# As long as Lambda lets a function run; the lease of a run outlasts it.
_TIMEOUT = cdk.Duration.minutes(15)
# 10,000 tables and the grants of 20 personas on them.
_MEMORY_MB = 1024
_REASON = "Plans come with every run: their folder bounds what is read and written."


@dataclass(frozen=True, kw_only=True)
class GovernanceProps:
    """What governance works with: `environments` are account and Region by name, `permissions` is the file, as JSON.

    `crawled` are the environments with crawlers of ours, and `findings` is the bucket where reports of findings are
    read, if they are.
    """

    names: GovernanceNames
    environments: Mapping[str, tuple[str, str]]
    crawled: Collection[str]
    permissions: str
    findings: str
    key: kms.IKey
    access_logs: s3.IBucket
    bus: events.IEventBus
    alarm_actions: Sequence[cloudwatch.IAlarmAction]


class Governance(Construct):
    """Runs every hour for each environment, when an event says that its lake has changed, and by hand."""

    def __init__(self, scope: Construct, construct_id: str, *, props: GovernanceProps) -> None:
        super().__init__(scope, construct_id)
        self._props, names, stack = props, props.names, cdk.Stack.of(self)
        self._bucket_name = names.plans_bucket(stack.account, stack.region)
        self.plans = PrivateBucket(
            self,
            "Plans",
            name=self._bucket_name,
            key=props.key,
            access_logs=props.access_logs,
            noncurrent_days=30,
        ).bucket
        self._written_once()
        self.table = kept_table(self, "Table", name=names.governance, key=props.key)
        self.discover = self._function("discover", "Looks at the catalog of a lake, and plans its permissions", props)
        self.apply = self._function("apply", "Applies a plan to the catalog of a lake", props)
        self._grant(self.discover, "catalog-read")
        if props.findings:
            folder = f"arn:{Aws.PARTITION}:s3:::{props.findings}/{FOLDER}{TARGET}/*"
            grant(self.discover.role, allow(["s3:PutObject"], folder), reason=_REASON)
        self._grant(self.apply, "catalog-read", "catalog-admin")
        self.tell = self._function("tell", "Writes what people are told of the permissions of a lake")
        self.machine = self._machine()
        failed = self.machine.metric_failed(period=_PERIOD, statistic="Sum")
        alarm_above(self, "Failed", failed, limit=0, actions=props.alarm_actions)
        self._start()

    def _written_once(self) -> None:
        """What was reported and signed, nobody writes anew: https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes-enforce.html."""
        self.plans.add_to_resource_policy(
            iam.PolicyStatement(
                effect=iam.Effect.DENY,
                principals=[iam.AnyPrincipal()],
                actions=["s3:PutObject"],
                resources=[self.plans.arn_for_objects("plans/*/reports/*")],
                conditions={"Null": {"s3:if-none-match": "true"}},
            )
        )

    def _function(self, job: str, description: str, governing: GovernanceProps | None = None) -> PythonFunction:
        """A function; one that governs has the rules, and a role whose name the lake's accounts trust."""
        props, names = self._props, self._props.names
        made = PythonFunction(
            self,
            job.title(),
            names=names,
            room=ROOM,
            job=job,
            description=description,
            key=self._props.key,
            alarm_actions=self._props.alarm_actions,
            environment={
                "PLANS_BUCKET": self._bucket_name,
                **({"GOVERNANCE_TABLE": names.governance} if governing else {}),
                **({"REPORTS_BUCKET": props.findings} if job == "discover" and props.findings else {}),
            },
            documents={"permissions": governing.permissions} if governing else {},
            memory_mb=_MEMORY_MB if governing else 256,
            role_name=names.room_role(ROOM, job) if governing else None,
        )
        if governing:
            cast("lambda_.CfnFunction", made.function.node.default_child).timeout = _TIMEOUT.to_seconds()
        return made

    def _grant(self, function: PythonFunction, *purposes: str) -> None:
        names = self._props.names
        accounts = sorted({account for account, _ in self._props.environments.values()})
        roles = [
            f"arn:{Aws.PARTITION}:iam::{account}:role{WORKLOAD_ROLE_PATH}{names.room_role(ROOM, purpose)}"
            for account in accounts
            for purpose in purposes
        ]
        grant(
            function.role,
            allow(["sts:AssumeRole"], *roles),
            allow(["dynamodb:GetItem", "dynamodb:UpdateItem"], self.table.table_arn),
            allow(["s3:GetObject", "s3:PutObject"], self.plans.arn_for_objects("plans/*")),
            # Without it S3 answers 403 instead of 404 for a plan that is not there.
            allow(["s3:ListBucket"], self.plans.bucket_arn),
            reason=_REASON,
        )

    def _machine(self) -> sfn.StateMachine:
        props, name = self._props, self._props.names.governance
        functions = {one: getattr(self, one).function.function_arn for one in ("discover", "apply", "tell")}
        states = GovernanceStates(**functions, bus=props.bus.event_bus_name, source=props.names.prefix)
        role = machine_role(self, machine=name, key=props.key)
        say = allow(["events:PutEvents"], props.bus.event_bus_arn)
        say.add_condition("StringEquals", {"events:detail-type": NEWS, "events:source": props.names.prefix})
        grant(role, allow(["lambda:InvokeFunction"], *functions.values()), say, reason="It names no wildcard.")
        machine = sfn.StateMachine(
            self,
            "Machine",
            state_machine_name=name,
            definition_body=sfn.DefinitionBody.from_string(cdk.Stack.of(self).to_json_string(states.definition())),
            role=role,
            logs=sfn.LogOptions(destination=machine_logs(self, machine=name, key=props.key), level=sfn.LogLevel.ALL),
            tracing_enabled=True,
        )
        encrypt(machine, props.key)
        return machine

    def _start(self) -> None:
        """By the clock, and by an event; each environment at its own rules."""
        props, stack = self._props, cdk.Stack.of(self)
        queue = self._dead_letters()
        # Rules have names of their own: of a long one, CloudFormation would leave out what the role is bounded by.
        begin = f"{props.names.governance}-"
        rules = f"arn:{Aws.PARTITION}:events:{stack.region}:{stack.account}:rule/*{begin}*"
        role = iam.Role(
            self, "EventRole", assumed_by=service_of_this_account(self, "events.amazonaws.com", source_arn=rules)
        )
        acknowledge_inline_policy(role)
        reported: set[tuple[str, str]] = set()
        for name, (account, region) in props.environments.items():
            target = self._target(role, queue, {"account": account, "region": region})
            events.Rule(
                self,
                f"Hourly-{name}",
                rule_name=f"{begin}{name}-hourly",
                schedule=events.Schedule.rate(_INTERVAL),
                targets=[target],
            )
            events.Rule(
                self,
                f"Changed-{name}",
                rule_name=f"{begin}{name}-changed",
                event_bus=props.bus,
                event_pattern=events.EventPattern(detail_type=[CHANGED], detail={"environment": [name]}),
                targets=[target],
            )
            if (account, region) not in reported:
                report = {"account": account, "region": region, "report": "last"}
                monthly = self._target(role, queue, report)
                events.Rule(
                    self, f"Monthly-{name}", rule_name=f"{begin}{name}-monthly", schedule=_MONTHLY, targets=[monthly]
                )
            reported.add((account, region))
            if name in props.crawled:
                crawlers = LakeNames(prefix=props.names.prefix, environment=name).crawler("")
                events.Rule(
                    self,
                    f"Crawled-{name}",
                    rule_name=f"{begin}{name}-crawled",
                    event_bus=props.bus,
                    event_pattern=events.EventPattern(
                        account=[account],
                        source=[SOURCE],
                        detail_type=[ENDED],
                        detail={"crawlerName": [{"prefix": crawlers}], "state": ["Succeeded"]},
                    ),
                    targets=[target],
                )
        if props.crawled:
            self._admit_crawlers()

    def _target(self, role: iam.IRole, queue: sqs.IQueue, given: Mapping[str, str]) -> event_targets.SfnStateMachine:
        put = events.RuleTargetInput.from_object(given)
        return event_targets.SfnStateMachine(self.machine, role=role, input=put, dead_letter_queue=queue)

    def _admit_crawlers(self) -> None:
        """The one rule of each lake that tells of crawlers, by its role, and nothing else that somebody there says."""
        props = self._props
        told = {name: props.environments[name][0] for name in sorted(props.crawled)}
        roles = [
            f"arn:{Aws.PARTITION}:iam::{account}:role{WORKLOAD_ROLE_PATH}{ROOM}/"
            + LakeNames(prefix=props.names.prefix, environment=name).crawled
            for name, account in told.items()
        ]
        events.CfnEventBusPolicy(
            self,
            "Crawlers",
            event_bus_name=props.bus.event_bus_name,
            statement_id=f"{props.names.governance}-crawlers",
            statement={
                "Sid": f"{props.names.governance}-crawlers",
                "Effect": "Allow",
                "Principal": {"AWS": [f"arn:{Aws.PARTITION}:iam::{one}:root" for one in sorted({*told.values()})]},
                "Action": "events:PutEvents",
                "Resource": props.bus.event_bus_arn,
                "Condition": {
                    "ArnEquals": {"aws:PrincipalArn": roles},
                    "StringEquals": {"events:source": SOURCE, "events:detail-type": ENDED},
                },
            },
        )

    def _dead_letters(self) -> sqs.Queue:
        """Events that could start nothing; an imported queue cannot be made to admit the rules."""
        name = f"{self._props.names.governance}-dead-letters"
        queue = dead_letter_queue(self, "DeadLetters", name=name, key=self._props.key)
        acknowledge(queue, "AwsSolutions-SQS3", reason="It is the dead-letter queue, of rules of EventBridge.")
        waiting = queue.metric_approximate_number_of_messages_visible(period=_PERIOD, statistic="Maximum")
        alarm_above(self, "Undelivered", waiting, limit=0, actions=self._props.alarm_actions)
        return queue
