"""A Region's half of the failover control plane: it works with nothing of the other Region."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import aws_cdk as cdk
from aws_cdk import Aws
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as cloudwatch_actions
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as event_targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from constructs_lib.common.alarms import alarm_above
from constructs_lib.common.encrypted import dead_letter_queue
from constructs_lib.common.grants import allow, grant, own_role
from constructs_lib.common.python_function import PythonFunction
from constructs_lib.resilience.failover_api import FailoverApi
from constructs_lib.resilience.failover_dashboard import failover_dashboard
from lambdas.common.metrics import FACTORY
from lambdas.resilience.model.failover.catalogue import Catalogue, Group, Mode
from lambdas.resilience.model.failover.names import (
    DISAGREEMENTS_METRIC,
    GROUP_DIMENSION,
    JOB,
    NAMESPACE,
    OUT_DIMENSION,
    SWITCH_METRIC,
    FailoverNames,
)
from lambdas.resilience.model.names import ROOM

_MEMORY_MB = 1024
_MINUTE = cdk.Duration.minutes(1)


@dataclass(frozen=True, kw_only=True)
class FailoverProps:
    """What a Region is given: `region` is its name, `key` its own, `schedules` when drills begin, by group."""

    names: FailoverNames
    region: str
    key: kms.IKey
    catalogue: Catalogue
    emails: Sequence[str]
    schedules: Mapping[str, str]

    @property
    def other(self) -> str:
        return self.catalogue.other(self.region)


class FailoverRegion(Construct):
    """Function and API, bus and topic, the alarms behind the switches, and what people look at."""

    def __init__(self, scope: Construct, construct_id: str, *, props: FailoverProps) -> None:
        super().__init__(scope, construct_id)
        self._props, names = props, props.names
        self.topic = self._topic()
        self.actions = [cloudwatch_actions.SnsAction(self.topic)]
        self.dead_letters = dead_letter_queue(self, "DeadLetters", name=f"{names.failover}-dead-letters", key=props.key)
        self.bus = events.EventBus(self, "Bus", event_bus_name=names.failover, kms_key=props.key)
        self.function = self._function()
        self._grant()
        FailoverApi(self, "Api", names=names, function=self.function.function, key=props.key)
        self._schedule()
        for group in props.catalogue.groups:
            if group.mode is Mode.SWITCH:
                self._switch(group)
            found = self._metric(group, DISAGREEMENTS_METRIC, "Maximum")
            alarm_above(self, f"Disagreements-{group.name}", found, limit=0, actions=self.actions)
            failover_dashboard(self, group, names=names, catalogue=props.catalogue, region=props.region)
        waiting = self.dead_letters.metric_approximate_number_of_messages_visible(statistic="Maximum")
        alarm_above(self, "Undelivered", waiting, limit=0, actions=self.actions)

    def _topic(self) -> sns.Topic:
        """Who is told, also while the other Region is down."""
        topic = sns.Topic(
            self, "Topic", topic_name=self._props.names.failover, master_key=self._props.key, enforce_ssl=True
        )
        for email in self._props.emails:
            topic.add_subscription(subscriptions.EmailSubscription(email))
        topic.add_to_resource_policy(
            iam.PolicyStatement(
                principals=[iam.ServicePrincipal("cloudwatch.amazonaws.com")],
                actions=["sns:Publish"],
                resources=[topic.topic_arn],
                conditions={"StringEquals": {"aws:SourceAccount": cdk.Stack.of(self).account}},
            )
        )
        return topic

    def _function(self) -> PythonFunction:
        names, region = self._props.names, self._props.region
        made = PythonFunction(
            self,
            "Function",
            names=names,
            room=ROOM,
            job=JOB,
            description="Fails groups of applications over between two Regions",
            key=self._props.key,
            alarm_actions=self.actions,
            environment={"FACTORY": names.prefix, "ROLE_ARN": own_role(names.role(region))},
            documents={"catalogue": self._props.catalogue.to_json()},
            memory_mb=_MEMORY_MB,
            dead_letters=self.dead_letters,
            role_name=names.role(region),
        )
        made.function.configure_async_invoke(retry_attempts=0)
        # A drill is a session of the role itself. Its ARN cannot be the principal of a role that is not there yet.
        assert made.role.assume_role_policy  # noqa: S101 - a role that is made here has one
        itself = own_role(names.role(region))
        made.role.assume_role_policy.add_statements(
            iam.PolicyStatement(
                principals=[iam.AccountRootPrincipal()],
                actions=["sts:AssumeRole"],
                conditions={"ArnEquals": {"aws:PrincipalArn": itself}},
            )
        )
        return made

    def _grant(self) -> None:
        props, names = self._props, self._props.names
        place = f"{Aws.REGION}:{Aws.ACCOUNT_ID}"
        publish = allow(["cloudwatch:PutMetricData"], "*")
        publish.add_condition("StringEquals", {"cloudwatch:namespace": NAMESPACE})
        say = allow(["events:PutEvents"], self.bus.event_bus_arn)
        say.add_condition("StringEquals", {"events:source": names.prefix})
        statements = [
            allow(
                ["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query"],
                f"arn:{Aws.PARTITION}:dynamodb:{place}:table/{names.failover}",
            ),
            self._may_forget(f"arn:{Aws.PARTITION}:dynamodb:{place}:table/{names.failover}"),
            allow(["cloudwatch:DescribeAlarms", "cloudwatch:GetMetricStatistics"], "*"),
            publish,
            say,
            allow(["sts:AssumeRole"], own_role(names.role(props.region))),
        ]
        if revisions := sorted({one.revision for one in props.catalogue.groups if one.revision}):
            parameters = [f"arn:{Aws.PARTITION}:ssm:{place}:parameter{one}" for one in revisions]
            statements.append(allow(["ssm:GetParameter"], *parameters))
        grant(
            self.function.role,
            *statements,
            *self._route53(),
            *self._databases(place),
            reason="Metrics, alarms and changes of records have no resource that could bound them, or no name.",
        )

    def _may_forget(self, table: str) -> iam.PolicyStatement:
        """Only applications are ever deleted: no request, and no line of the history."""
        statement = allow(["dynamodb:DeleteItem"], table)
        statement.add_condition("ForAllValues:StringLike", {"dynamodb:LeadingKeys": ["applications/*"]})
        statement.add_condition("Null", {"dynamodb:LeadingKeys": "false"})
        return statement

    def _route53(self) -> list[iam.PolicyStatement]:
        """Writing weighted records of the zones, and looking; never deleting one."""
        catalogue = self._props.catalogue
        zones = {one.zone for one in catalogue.applications} | {one.zone for one in catalogue.tenants}
        zones |= {it.zone for one in catalogue.groups for it in one.databases if it.zone}
        if not zones:
            return []
        arns = [f"arn:{Aws.PARTITION}:route53:::hostedzone/{zone}" for zone in sorted(zones)]
        change = allow(["route53:ChangeResourceRecordSets"], *arns)
        change.add_condition(
            "ForAllValues:StringEquals",
            {
                "route53:ChangeResourceRecordSetsActions": ["UPSERT"],
                "route53:ChangeResourceRecordSetsRecordTypes": ["A", "CNAME"],
            },
        )
        return [
            change,
            allow(["route53:ListResourceRecordSets"], *arns),
            allow(["route53:GetChange"], f"arn:{Aws.PARTITION}:route53:::change/*"),
        ]

    def _databases(self, place: str) -> list[iam.PolicyStatement]:
        databases = [it for one in self._props.catalogue.groups for it in one.databases]
        rds, account = f"arn:{Aws.PARTITION}:rds:{place}", Aws.ACCOUNT_ID
        statements = []
        if clusters := sorted({it.global_cluster for it in databases if it.global_cluster}):
            them = [f"arn:{Aws.PARTITION}:rds::{account}:global-cluster:{one}" for one in clusters]
            # Their members are clusters with names of their own, in both Regions.
            members = f"arn:{Aws.PARTITION}:rds:*:{account}:cluster:*"
            statements.append(
                allow(
                    ["rds:DescribeGlobalClusters", "rds:FailoverGlobalCluster", "rds:SwitchoverGlobalCluster"],
                    *them,
                    members,
                )
            )
            statements.append(allow(["rds:DescribeDBClusters"], f"{rds}:cluster:*"))
        if restores := [it.restores[self._props.region] for it in databases if self._props.region in it.restores]:
            instances = [f"{rds}:db:{one.instance}" for one in restores]
            groups = [f"{rds}:subgrp:{one.subnet_group}" for one in restores]
            # A restoration takes the parameter and option groups of what was backed up.
            further = [f"{rds}:auto-backup:*", f"{rds}:og:*", f"{rds}:pg:*"]
            statements.append(allow(["rds:DescribeDBInstances"], *instances))
            statements.append(allow(["rds:RestoreDBInstanceToPointInTime"], *instances, *groups, *further))
        return statements

    def _schedule(self) -> None:
        props = self._props
        self._rule("Minute", events.Schedule.rate(_MINUTE), {}, name=props.names.minute_rule)
        for name, when in props.schedules.items():
            # By the Region that it leads to: the other one is denied.
            if props.catalogue.group(name).primary != props.region:
                given = {"drill": name, "id": events.EventField.event_id}
                self._rule(f"Drill-{name}", events.Schedule.expression(when), given)
        told = event_targets.SnsTopic(
            self.topic,
            message=events.RuleTargetInput.from_event_path("$.detail.message"),
            dead_letter_queue=self.dead_letters,
        )
        pattern = events.EventPattern(source=[props.names.prefix])
        events.Rule(self, "People", event_bus=self.bus, event_pattern=pattern, targets=[told])

    def _rule(
        self, construct_id: str, schedule: events.Schedule, given: Mapping[str, str], name: str | None = None
    ) -> None:
        target = event_targets.LambdaFunction(
            self.function.function,
            event=events.RuleTargetInput.from_object(dict(given)),
            dead_letter_queue=self.dead_letters,
            # The next minute's run does the same: nor does Lambda try again (`_function`).
            retry_attempts=0,
        )
        events.Rule(self, construct_id, rule_name=name, schedule=schedule, targets=[target])

    def _switch(self, group: Group) -> None:
        """The alarm that is the state of the other Region's health check; one without data stays as it is.

        Route 53 copies its settings when the health check is made or updated, and no later: it reads the metric itself.
        Whoever changes one here changes the alarm's name too, so that the health check is updated with it.
        https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/health-checks-creating-deleting.html
        """
        props, out = self._props, self._props.other
        alarm = self._metric(group, SWITCH_METRIC, "Maximum", {OUT_DIMENSION: out}, _MINUTE).create_alarm(
            self,
            f"Out-{group.name}",
            alarm_name=props.names.alarm(group.name, out),
            alarm_description=f"ALARM takes {out} out of DNS for group {group.name}",
            threshold=1,
            evaluation_periods=1,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
            treat_missing_data=cloudwatch.TreatMissingData.IGNORE,
        )
        alarm.add_alarm_action(*self.actions)
        alarm.add_ok_action(*self.actions)

    def _metric(
        self,
        group: Group,
        name: str,
        statistic: str,
        more: Mapping[str, str] | None = None,
        period: cdk.Duration | None = None,
    ) -> cloudwatch.Metric:
        dimensions = {FACTORY: self._props.names.prefix, GROUP_DIMENSION: group.name, **(more or {})}
        return cloudwatch.Metric(
            namespace=NAMESPACE,
            metric_name=name,
            dimensions_map=dimensions,
            statistic=statistic,
            period=period or cdk.Duration.minutes(5),
        )
