"""The function `pipeline-watch`."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as event_targets
from constructs import Construct

from constructs_lib.common.encrypted_machine import machine_arn
from constructs_lib.common.grants import allow, answer_jobs, grant
from constructs_lib.common.python_function import PythonFunction
from constructs_lib.saas.factory_props import FactoryProps
from constructs_lib.saas.release_machine import release_task_arns
from constructs_lib.saas.tenant_arns import (
    BOUND_BY_NAMES,
    TENANT_PIPELINES,
    shared_build_logs,
    tenant_build_logs,
    tenant_pipelines,
    tenant_projects,
)
from lambdas.common.names import WORKLOAD_ROLE_PATH


class PipelineWatch(PythonFunction):
    """Runs at every change of an execution of a tenant's pipeline, and before each of its stages that deploy."""

    def __init__(self, scope: Construct, construct_id: str, *, props: FactoryProps) -> None:
        names = props.names
        super().__init__(
            scope,
            construct_id,
            **props.of_the_room(),
            job="pipeline_watch",
            description="Writes down what the executions of tenants' pipelines have come to",
            environment={
                "PREFIX": names.prefix,
                "DEPLOYMENTS_TABLE": names.deployments_table,
                "STATUS_TABLE": names.status_table,
                "RELEASES_TABLE": names.releases_table,
                "TOOLCHAIN_ACCOUNT": cdk.Stack.of(scope).account,
                "BOOTSTRAP_QUALIFIER": props.targets.qualifier,
                "LIFECYCLE_MACHINE": machine_arn(names.lifecycle_machine),
            },
            # CloudFormation makes a change set meanwhile.
            minutes=10,
            # For the directory of an assembly of 200,000 files (`lambdas/saas/store/job_assembly.py`).
            memory_mb=512,
            dead_letters=props.dead_letters,
            role_name=names.pipeline_watch_role,
        )
        self._grant(props)
        events.Rule(
            scope,
            "PipelineChanged",
            event_pattern=events.EventPattern(
                source=["aws.codepipeline"],
                detail_type=["CodePipeline Pipeline Execution State Change"],
                detail={"pipeline": [{"wildcard": pipeline} for pipeline in TENANT_PIPELINES]},
            ),
            targets=[event_targets.LambdaFunction(self.function, dead_letter_queue=props.dead_letters)],
        )

    def _grant(self, props: FactoryProps) -> None:
        names, tables = props.names, props.tables
        reads = ("GetPipelineExecution", "ListActionExecutions", "ListPipelineExecutions")
        grant(
            self.role,
            allow(["dynamodb:GetItem", "dynamodb:UpdateItem"], tables.statuses.table_arn),
            allow(["states:StartExecution"], machine_arn(names.lifecycle_machine)),
            allow(["dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:UpdateItem"], tables.releases.table_arn),
            allow(["states:SendTaskFailure", "states:SendTaskSuccess"], *release_task_arns(names)),
            allow([f"codepipeline:{action}" for action in reads], *tenant_pipelines()),
            answer_jobs(),
            allow(["codebuild:BatchGetBuilds"], *tenant_projects(names)),
            allow(["logs:GetLogEvents"], *tenant_build_logs(names, ":*"), shared_build_logs(names)),
            allow(["dynamodb:GetItem"], tables.deployments.table_arn),
            props.targets.assume_statement("lookup"),
            # A stage whose stacks are to be taken over asks first what that would change.
            props.targets.assume_named(f"{WORKLOAD_ROLE_PATH[1:]}{names.adoption_role}"),
            reason=BOUND_BY_NAMES,
        )
