"""The functions of the main job: onboarding, the sweep, the pipelines' watch, and the publisher of lifecycle events."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import aws_cdk as cdk
from aws_cdk import Aws
from aws_cdk import aws_codebuild as codebuild
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as event_targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_lambda_event_sources as sources
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from constructs_lib.common.acknowledge import acknowledge, acknowledge_wildcards
from constructs_lib.common.python_function import PythonFunction
from constructs_lib.common.targets import WorkloadTargets
from constructs_lib.saas.deployment_tables import DeploymentTables
from constructs_lib.saas.lifecycle_bus import LifecycleBus
from constructs_lib.saas.lifecycle_machine import lifecycle_machine_arn
from constructs_lib.saas.release_machine import release_executions_arn, release_machine_arn, release_task_arns
from lambdas.common.metrics import NAMESPACE
from lambdas.saas.model.names import SaasNames

# A record that could not be handled for this long is given up to the dead letters; the sweep sees its row anyway.
STREAM_MAX_AGE = cdk.Duration.hours(6)

# Rows that come close together share a build: the batch is as large as a stream's can be, and waits a second to fill.
# https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-params.html
ROWS_BATCH_SIZE = 1000
ROWS_WINDOW_SECONDS = 1


@dataclass(frozen=True, kw_only=True)
class ReconcilerProps:
    """What the functions work with."""

    names: SaasNames
    targets: WorkloadTargets
    target_policy: str
    tables: DeploymentTables
    bus: LifecycleBus
    project: codebuild.IProject
    releases_bucket: str
    key: kms.IKey
    dead_letters: sqs.Queue
    max_ids_per_build: int
    sweep_interval: cdk.Duration
    on_row_removed: str


class Reconciler(Construct):
    """Four functions, each with a role of its own that may do what its code calls and nothing more."""

    def __init__(self, scope: Construct, construct_id: str, *, props: ReconcilerProps) -> None:
        super().__init__(scope, construct_id)
        self._props = props
        self._stack = cdk.Stack.of(self)
        self.onboard = self._build_onboard()
        self.pipeline_watch = self._build_pipeline_watch()
        self.sweep = self._build_sweep()
        self.lifecycle_publish = self._build_lifecycle_publish()

    def _function(
        self, construct_id: str, job: str, description: str, environment: Mapping[str, str], *, asynchronous: bool
    ) -> PythonFunction:
        props = self._props
        return PythonFunction(
            self,
            construct_id,
            name=props.names.function(job.replace("_", "-")),
            room="saas",
            job=job,
            description=description,
            key=props.key,
            environment=environment,
            timeout=cdk.Duration.minutes(5),
            dead_letters=props.dead_letters if asynchronous else None,
        )

    def _build_settings(self) -> dict[str, str]:
        props = self._props
        return {
            "TARGET_POLICY": props.target_policy,
            "STATUS_TABLE": props.names.status_table,
            "PROVISIONING_PROJECT": props.names.provisioning_project,
            "RELEASES_BUCKET": props.releases_bucket,
            "RELEASE_PARAMETER": props.names.release_parameter,
            "MAX_IDS_PER_BUILD": str(props.max_ids_per_build),
            "LIFECYCLE_MACHINE": lifecycle_machine_arn(props.names),
        }

    def _build_onboard(self) -> PythonFunction:
        props = self._props
        function = self._function(
            "Onboard",
            "onboard",
            "Takes in what happens to the rows of the deployments table",
            {
                **self._build_settings(),
                "DEPLOYMENTS_TABLE": props.names.deployments_table,
                "ON_ROW_REMOVED": props.on_row_removed,
                "DEAD_LETTER_QUEUE_URL": props.dead_letters.queue_url,
            },
            asynchronous=False,
        )
        self._let_start_builds(function.role)
        self._let(function.role, ["dynamodb:GetItem"], props.tables.deployments.table_arn)
        self._let(
            function.role,
            ["dynamodb:DeleteItem", "dynamodb:GetItem", "dynamodb:UpdateItem"],
            props.tables.statuses.table_arn,
        )
        props.dead_letters.grant_send_messages(function.role)
        self._read_stream(
            function,
            props.tables.deployments,
            window=cdk.Duration.seconds(ROWS_WINDOW_SECONDS),
            batch_size=ROWS_BATCH_SIZE,
        )
        return function

    def _build_sweep(self) -> PythonFunction:
        props = self._props
        function = self._function(
            "Sweep",
            "sweep",
            "Compares desired with observed and picks up what was lost",
            {
                **self._build_settings(),
                "DEPLOYMENTS_TABLE": props.names.deployments_table,
                "PIPELINE_WATCH_FUNCTION": props.names.function("pipeline-watch"),
                "FACTORY": props.names.prefix,
                "RELEASES_TABLE": props.names.releases_table,
                "RELEASE_MACHINE": release_machine_arn(props.names),
                "ON_ROW_REMOVED": props.on_row_removed,
            },
            asynchronous=True,
        )
        self._let_start_builds(function.role)
        self._let(function.role, ["codebuild:BatchGetBuilds"], props.project.project_arn)
        self._let(function.role, ["dynamodb:Scan"], props.tables.deployments.table_arn)
        self._let(
            function.role,
            ["dynamodb:DeleteItem", "dynamodb:Scan", "dynamodb:UpdateItem"],
            props.tables.statuses.table_arn,
        )
        self._let(function.role, ["lambda:InvokeFunction"], self.pipeline_watch.function.function_arn)
        single_items = ["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem"]
        self._let(function.role, single_items, props.tables.releases.table_arn)
        self._let(function.role, ["states:DescribeExecution"], release_executions_arn(props.names))
        self._let(function.role, ["states:StartExecution"], release_machine_arn(props.names))
        self._let_measure(function.role)
        target = event_targets.LambdaFunction(function.function, dead_letter_queue=props.dead_letters)
        events.Rule(self, "Schedule", schedule=events.Schedule.rate(props.sweep_interval), targets=[target])
        props.bus.on_bus("Released", "Release Completed", None).add_target(target)
        return function

    def _build_pipeline_watch(self) -> PythonFunction:
        props = self._props
        function = self._function(
            "PipelineWatch",
            "pipeline_watch",
            "Writes down what the executions of tenants' pipelines have come to",
            {
                "STATUS_TABLE": props.names.status_table,
                "RELEASES_TABLE": props.names.releases_table,
                "TOOLCHAIN_ACCOUNT": self._stack.account,
                "BOOTSTRAP_QUALIFIER": props.targets.qualifier,
                "LIFECYCLE_MACHINE": lifecycle_machine_arn(props.names),
            },
            asynchronous=True,
        )
        self._let(function.role, ["dynamodb:GetItem", "dynamodb:UpdateItem"], props.tables.statuses.table_arn)
        self._let(function.role, ["states:StartExecution"], lifecycle_machine_arn(props.names))
        self._let(
            function.role,
            ["dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:UpdateItem"],
            props.tables.releases.table_arn,
        )
        self._let(function.role, ["states:SendTaskSuccess"], *release_task_arns(props.names))
        pipeline = f"arn:{Aws.PARTITION}:codepipeline:{self._stack.region}:{self._stack.account}"
        self._let(
            function.role,
            [
                "codepipeline:GetPipelineExecution",
                "codepipeline:ListActionExecutions",
                "codepipeline:ListPipelineExecutions",
            ],
            f"{pipeline}:silo-*-pipeline",
            f"{pipeline}:pool-*-pipeline",
        )
        project = (
            f"arn:{Aws.PARTITION}:codebuild:{self._stack.region}:{self._stack.account}:project/{props.names.prefix}"
        )
        self._let(function.role, ["codebuild:BatchGetBuilds"], f"{project}-silo-*", f"{project}-pool-*")
        group = (
            f"arn:{Aws.PARTITION}:logs:{self._stack.region}:{self._stack.account}"
            f":log-group:/aws/codebuild/{props.names.prefix}"
        )
        self._let(function.role, ["logs:GetLogEvents"], f"{group}-silo-*:*", f"{group}-pool-*:*")
        lookup = props.targets.assume_statement("lookup")
        function.role.add_to_policy(lookup)
        _acknowledge_tenants(function.role, lookup)
        events.Rule(
            self,
            "PipelineChanged",
            event_pattern=events.EventPattern(
                source=["aws.codepipeline"],
                detail_type=["CodePipeline Pipeline Execution State Change"],
                detail={"pipeline": [{"wildcard": "silo-*-pipeline"}, {"wildcard": "pool-*-pipeline"}]},
            ),
            targets=[event_targets.LambdaFunction(function.function, dead_letter_queue=props.dead_letters)],
        )
        return function

    def _build_lifecycle_publish(self) -> PythonFunction:
        props = self._props
        function = self._function(
            "LifecyclePublish",
            "lifecycle_publish",
            "Publishes the steps of deployments and releases that the tables record",
            {
                "RELEASES_TABLE": props.names.releases_table,
                "LIFECYCLE_BUS": props.names.event_bus,
                "EVENT_SOURCE": props.names.prefix,
                "ON_ROW_REMOVED": props.on_row_removed,
                "DEAD_LETTER_QUEUE_URL": props.dead_letters.queue_url,
            },
            asynchronous=False,
        )
        self._let(function.role, ["events:PutEvents"], props.bus.bus.event_bus_arn)
        props.dead_letters.grant_send_messages(function.role)
        self._let(function.role, ["dynamodb:GetItem"], props.tables.releases.table_arn)
        for table in (props.tables.statuses, props.tables.releases):
            self._read_stream(function, table, window=cdk.Duration.seconds(0), batch_size=100)
        return function

    def _read_stream(
        self, function: PythonFunction, table: dynamodb.Table, *, window: cdk.Duration, batch_size: int
    ) -> None:
        function.function.add_event_source(
            sources.DynamoEventSource(
                table,
                starting_position=lambda_.StartingPosition.TRIM_HORIZON,
                batch_size=batch_size,
                max_batching_window=window,
                bisect_batch_on_error=True,
                max_record_age=STREAM_MAX_AGE,
                report_batch_item_failures=True,
                on_failure=sources.SqsDlq(self._props.dead_letters),
            )
        )
        acknowledge(
            function.role,
            "AwsSolutions-IAM5[Resource::*]",
            reason="dynamodb:ListStreams, which the library grants with the reading of a stream, has no resource.",
        )

    def _let_start_builds(self, role: iam.Role) -> None:
        names = self._props.names
        self._let(role, ["codebuild:StartBuild"], self._props.project.project_arn)
        parameter = (
            f"arn:{Aws.PARTITION}:ssm:{self._stack.region}:{self._stack.account}:parameter{names.release_parameter}"
        )
        self._let(role, ["ssm:GetParameter"], parameter)
        self._let(role, ["states:StartExecution"], lifecycle_machine_arn(names))

    def _let_measure(self, role: iam.Role) -> None:
        role.add_to_policy(
            iam.PolicyStatement(
                actions=["cloudwatch:PutMetricData"],
                resources=["*"],
                conditions={"StringEquals": {"cloudwatch:namespace": NAMESPACE}},
            )
        )
        acknowledge(
            role,
            "AwsSolutions-IAM5[Resource::*]",
            reason="cloudwatch:PutMetricData has no resource; the namespace is the bound.",
        )

    def _let(self, role: iam.Role, actions: list[str], *resources: str) -> None:
        statement = iam.PolicyStatement(actions=actions, resources=list(resources))
        role.add_to_policy(statement)
        _acknowledge_tenants(role, statement)


def _acknowledge_tenants(role: iam.Role, statement: iam.PolicyStatement) -> None:
    acknowledge_wildcards(
        role,
        [statement],
        reason="Tenants come and go without a deployment of the toolchain: names bound what is reached.",
    )
