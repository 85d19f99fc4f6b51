"""The function `sweep`."""

from __future__ import annotations

from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as event_targets
from aws_cdk import aws_iam as iam
from constructs import Construct

from constructs_lib.common.acknowledge import acknowledge
from constructs_lib.common.encrypted_machine import machine_arn
from constructs_lib.common.grants import allow, grant
from constructs_lib.common.python_function import PythonFunction
from constructs_lib.saas.factory_props import FactoryProps
from constructs_lib.saas.release_machine import release_executions_arn
from constructs_lib.saas.tenant_arns import BOUND_BY_NAMES, all_pipelines
from lambdas.common.metrics import NAMESPACE


class Sweep(PythonFunction):
    """Runs at an interval, and when a release is through; has the pipelines' `watch` look at what was lost."""

    def __init__(self, scope: Construct, construct_id: str, *, props: FactoryProps, watch: PythonFunction) -> None:
        names = props.names
        super().__init__(
            scope,
            construct_id,
            **props.of_the_room(),
            job="sweep",
            description="Compares desired with observed and picks up what was lost",
            environment={
                **props.build_settings(),
                "PIPELINE_WATCH_FUNCTION": names.function("pipeline-watch"),
                "FACTORY": names.prefix,
                "ON_ROW_REMOVED": props.lifecycle.on_row_removed,
                "MAX_REMOVED_PERCENT": str(props.lifecycle.max_removed_percent),
                "RELEASES_TABLE": names.releases_table,
                "RELEASE_MACHINE": machine_arn(names.release_machine),
            },
            documents={"target_policy": props.target_policy},
            dead_letters=props.dead_letters,
        )
        tables = props.tables
        grant(
            self.role,
            *props.build_statements(),
            allow(["codebuild:BatchGetBuilds"], props.project.project_arn),
            allow(["dynamodb:Scan"], tables.deployments.table_arn),
            allow(["dynamodb:DeleteItem", "dynamodb:Scan", "dynamodb:UpdateItem"], tables.statuses.table_arn),
            allow(["lambda:InvokeFunction"], watch.function.function_arn),
            allow(["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem"], tables.releases.table_arn),
            allow(["codepipeline:ListPipelines"], all_pipelines()),
            allow(["states:DescribeExecution"], release_executions_arn(names)),
            allow(["states:StartExecution"], machine_arn(names.release_machine)),
            reason=BOUND_BY_NAMES,
        )
        self._let_measure()
        target = event_targets.LambdaFunction(self.function, dead_letter_queue=props.dead_letters)
        events.Rule(scope, "Schedule", schedule=events.Schedule.rate(props.sweep_interval), targets=[target])
        props.bus.on_bus("Released", "Release Completed", None).add_target(target)

    def _let_measure(self) -> None:
        self.role.add_to_policy(
            iam.PolicyStatement(
                actions=["cloudwatch:PutMetricData"],
                resources=["*"],
                conditions={"StringEquals": {"cloudwatch:namespace": NAMESPACE}},
            )
        )
        acknowledge(
            self.role,
            "AwsSolutions-IAM5[Resource::*]",
            reason="cloudwatch:PutMetricData has no resource; the namespace is the bound.",
        )
