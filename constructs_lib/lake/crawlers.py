"""Crawlers of an environment: the tables that others' jobs write, by domain, and what follows when one has ended."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import aws_cdk as cdk
from aws_cdk import Aws
from aws_cdk import aws_cloudwatch_actions as cloudwatch_actions
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_glue as glue
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from constructs import Construct

from constructs_lib.common.acknowledge import acknowledge, acknowledge_inline_policy
from constructs_lib.common.alarms import alarm_above
from constructs_lib.common.encrypted import dead_letter_queue
from constructs_lib.common.grants import allow, grant
from constructs_lib.common.removal import KEPT
from constructs_lib.common.service_role import service_of_this_account
from lambdas.lake.model.names import DOMAINS, LakeNames, Zone

SOURCE, ENDED = "aws.glue", "Glue Crawler State Change"
_TELLS = (
    *("BatchCreatePartition", "BatchGetPartition", "CreatePartition", "CreateTable", "GetDatabase", "GetPartition"),
    *("GetPartitions", "GetTable", "GetTables", "UpdatePartition", "UpdateTable"),
)
# Else Glue makes one table of folders whose files are alike. The bucket is level 1, and domains/<name>/ are two more.
# https://docs.aws.amazon.com/glue/latest/dg/crawler-table-level.html
_GROUPING = json.dumps({"Version": 1.0, "Grouping": {"TableLevelConfiguration": 4}})
_REASON = "Tables and files come with the data: the domain's own database and folder bound them."


@dataclass(frozen=True, kw_only=True)
class Crawled:
    """A domain: others write its tables below its folder of the zone's bucket; without `schedule` they start it."""

    domain: str
    zone: Zone
    schedule: str = ""


@dataclass(frozen=True, kw_only=True)
class CrawlersProps:
    """The domains, and what their crawlers work with; `bus` is the ARN of the factory's."""

    names: LakeNames
    domains: Sequence[Crawled]
    buckets: Mapping[Zone, str]
    keys: Mapping[Zone, kms.IKey]
    security_configuration: str
    topic: sns.ITopic
    bus: str


class Crawlers(Construct):
    """A database and a crawler a domain. One that has ended tells the factory; one that has failed tells people."""

    def __init__(self, scope: Construct, construct_id: str, *, props: CrawlersProps) -> None:
        super().__init__(scope, construct_id)
        self._props = props
        for one in props.domains:
            self._crawler(one)
        names = props.names
        queue = dead_letter_queue(self, "DeadLetters", name=f"{names.crawled}-dead-letters", key=props.keys[Zone.DATA])
        acknowledge(queue, "AwsSolutions-SQS3", reason="It is the dead-letter queue, of rules of EventBridge.")
        waiting = queue.metric_approximate_number_of_messages_visible(
            period=cdk.Duration.minutes(5), statistic="Maximum"
        )
        alarm_above(self, "Undelivered", waiting, limit=0, actions=[cloudwatch_actions.SnsAction(props.topic)])
        bus = events.EventBus.from_event_bus_arn(self, "Bus", props.bus)
        told = targets.EventBus(bus, role=self._telling(), dead_letter_queue=queue)
        self._rule("Ended", names.crawled, "Succeeded", told)
        crawler = events.EventField.from_path("$.detail.crawlerName")
        text = f"The crawler {crawler} FAILED: `aws glue get-crawler --name {crawler}` says why, as LastCrawl"
        message = events.RuleTargetInput.from_text(text)
        failed = targets.SnsTopic(props.topic, message=message, dead_letter_queue=queue)
        self._rule("Failed", names.part("crawl-failed"), "Failed", failed)

    def _crawler(self, one: Crawled) -> None:
        names, name = self._props.names, self._props.names.crawler(one.domain)
        place, database = f"{self._props.buckets[one.zone]}/{DOMAINS}{one.domain}/", names.domain_database(one.domain)
        catalog = cdk.Stack.of(self).account
        made = glue.CfnDatabase(
            self,
            f"Database-{one.domain}",
            catalog_id=catalog,
            database_input=glue.CfnDatabase.DatabaseInputProperty(name=database, location_uri=f"s3://{place}"),
        )
        made.apply_removal_policy(KEPT)  # others' tables are in it
        # Rules of permissions name it: it makes tables.
        role = iam.Role(
            self,
            f"Role-{one.domain}",
            role_name=name,
            assumed_by=service_of_this_account(self, "glue.amazonaws.com"),
        )
        self._grant(role, one, place, database)
        crawler = glue.CfnCrawler(
            self,
            f"Crawler-{one.domain}",
            name=name,
            description=f"Tells the catalog of the tables of {one.domain}",
            role=role.role_arn,
            database_name=database,
            targets=glue.CfnCrawler.TargetsProperty(
                s3_targets=[glue.CfnCrawler.S3TargetProperty(path=f"s3://{place}")]
            ),
            configuration=_GROUPING,
            crawler_security_configuration=self._props.security_configuration,
            schedule=glue.CfnCrawler.ScheduleProperty(schedule_expression=one.schedule) if one.schedule else None,
            # A table whose files are gone stays, with what is granted on it, until somebody drops it.
            schema_change_policy=glue.CfnCrawler.SchemaChangePolicyProperty(
                update_behavior="UPDATE_IN_DATABASE", delete_behavior="LOG"
            ),
        )
        crawler.node.add_dependency(role, made)

    def _grant(self, role: iam.Role, one: Crawled, place: str, database: str) -> None:
        bucket, _, folder = place.partition("/")
        listing = allow(["s3:ListBucket"], f"arn:{Aws.PARTITION}:s3:::{bucket}")
        listing.add_condition("StringLike", {"s3:prefix": f"{folder}*"})
        arn = f"arn:{Aws.PARTITION}:glue:{Aws.REGION}:{Aws.ACCOUNT_ID}"
        logs = f"arn:{Aws.PARTITION}:logs:{Aws.REGION}:{Aws.ACCOUNT_ID}:log-group:/aws-glue/crawlers*"
        grant(
            role,
            listing,
            allow(["s3:GetObject"], f"arn:{Aws.PARTITION}:s3:::{place}*"),
            allow(["s3:GetBucketLocation"], f"arn:{Aws.PARTITION}:s3:::{bucket}"),
            allow(
                [f"glue:{one}" for one in _TELLS],
                f"{arn}:catalog",
                f"{arn}:database/{database}",
                f"{arn}:table/{database}/*",
            ),
            allow(["glue:GetSecurityConfiguration"], "*"),
            allow(["logs:AssociateKmsKey", "logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"], logs),
            allow(["kms:Decrypt"], self._props.keys[one.zone].key_arn),
            reason=_REASON,
        )
        acknowledge_inline_policy(role)

    def _rule(self, construct_id: str, name: str, state: str, target: events.IRuleTarget) -> None:
        crawlers = self._props.names.crawler("")
        detail = {"crawlerName": [{"prefix": crawlers}], "state": [state]}
        pattern = events.EventPattern(source=[SOURCE], detail_type=[ENDED], detail=detail)
        events.Rule(self, construct_id, rule_name=name, event_pattern=pattern, targets=[target])

    def _telling(self) -> iam.Role:
        """By its name, and for events of Glue's alone, the factory's bus admits it."""
        name = self._props.names.crawled
        rule = f"arn:{Aws.PARTITION}:events:{Aws.REGION}:{Aws.ACCOUNT_ID}:rule/{name}"
        trusted = service_of_this_account(self, "events.amazonaws.com", source_arn=rule)
        role = iam.Role(self, "EventRole", role_name=name, assumed_by=trusted)
        acknowledge_inline_policy(role)
        return role
