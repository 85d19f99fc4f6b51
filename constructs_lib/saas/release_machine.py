"""The state machine that takes a release from ring to ring, and the two functions behind it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import aws_cdk as cdk
from aws_cdk import Aws
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from constructs_lib.common.acknowledge import acknowledge, acknowledge_inline_policy, acknowledge_wildcards
from constructs_lib.common.encrypted_machine import encrypted_with, use_of_key
from constructs_lib.common.python_function import PythonFunction
from constructs_lib.common.service_role import service_of_this_account
from constructs_lib.saas.deployment_tables import DeploymentTables
from constructs_lib.saas.release_states import ReleaseStates
from lambdas.saas.model.names import SaasNames


@dataclass(frozen=True, kw_only=True)
class ReleaseMachineProps:
    """What the machine works with; `policy` and `target_policy` are JSON, `releases_key` encrypts the releases."""

    names: SaasNames
    policy: str
    target_policy: str
    pipeline_timeout_minutes: int
    tables: DeploymentTables
    releases: s3.IBucket
    releases_key: kms.IKey
    key: kms.IKey


def release_machine_arn(names: SaasNames) -> str:
    """ARN of the machine, for those who start it: a name, so that they need not be built after it."""
    return f"arn:{Aws.PARTITION}:states:{Aws.REGION}:{Aws.ACCOUNT_ID}:stateMachine:{names.release_machine}"


def release_executions_arn(names: SaasNames) -> str:
    """ARNs of the machine's executions, for those who ask how one ended; map runs' children are none of them."""
    return f"arn:{Aws.PARTITION}:states:{Aws.REGION}:{Aws.ACCOUNT_ID}:execution:{names.release_machine}:*"


def release_task_arns(names: SaasNames) -> list[str]:
    """What a task's token belongs to: the machine, or one of its map runs' children."""
    return [release_machine_arn(names), f"{release_machine_arn(names)}/*"]


class ReleaseMachine(Construct):
    """A loop around one decision; each ring is a map run, whose children wait for their pipelines by token.

    Nothing polls and no build waits. The history of an execution grows with the rings, not with the deployments.
    """

    def __init__(self, scope: Construct, construct_id: str, *, props: ReleaseMachineProps) -> None:
        super().__init__(scope, construct_id)
        self._props = props
        self.release = self._function("Release", "release", "Decides what a release does next", self._settings())
        self.advance = self._function(
            "Advance",
            "release_advance",
            "Moves one deployment to a release, or back",
            {**self._settings(), "PIPELINE_TIMEOUT_MINUTES": str(props.pipeline_timeout_minutes)},
        )
        self._grant_release()
        self._grant_advance()
        self.machine = self._build_machine()

    def _settings(self) -> dict[str, str]:
        names = self._props.names
        return {
            "TARGET_POLICY": self._props.target_policy,
            "DEPLOYMENTS_TABLE": names.deployments_table,
            "STATUS_TABLE": names.status_table,
            "RELEASES_TABLE": names.releases_table,
            "RELEASES_BUCKET": self._props.releases.bucket_name,
        }

    def _function(self, construct_id: str, job: str, description: str, environment: dict[str, str]) -> PythonFunction:
        props = self._props
        own = {"RELEASE_POLICY": props.policy, "RELEASE_PARAMETER": props.names.release_parameter}
        return PythonFunction(
            self,
            construct_id,
            name=props.names.function(job.replace("_", "-")),
            room="saas",
            job=job,
            description=description,
            key=props.key,
            environment={**environment, **(own if job == "release" else {})},
            timeout=cdk.Duration.minutes(5),
            # It plans for the whole fleet: 10,000 rows and statuses.
            memory_mb=1024 if job == "release" else 256,
        )

    def _grant_release(self) -> None:
        props, role = self._props, self.release.role
        tables = props.tables
        self._let(role, ["dynamodb:Scan"], tables.deployments.table_arn, tables.statuses.table_arn)
        self._let(
            role,
            ["dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem"],
            tables.releases.table_arn,
        )
        self._let(role, ["s3:PutObject"], props.releases.arn_for_objects("runs/*"))
        props.releases_key.grant_encrypt_decrypt(role)
        parameter = f"parameter{props.names.release_parameter}"
        self._let(role, ["ssm:PutParameter"], f"arn:{Aws.PARTITION}:ssm:{Aws.REGION}:{Aws.ACCOUNT_ID}:{parameter}")
        self._let(role, ["states:SendTaskFailure"], *release_task_arns(props.names))
        role.add_to_policy(iam.PolicyStatement(actions=["cloudwatch:DescribeAlarms"], resources=["*"]))
        acknowledge(
            role,
            "AwsSolutions-IAM5[Resource::*]",
            reason="cloudwatch:DescribeAlarms of composite alarms has no resource; it only reads states.",
        )

    def _grant_advance(self) -> None:
        props, role = self._props, self.advance.role
        tables = props.tables
        self._let(role, ["dynamodb:GetItem"], tables.deployments.table_arn)
        self._let(role, ["dynamodb:GetItem", "dynamodb:UpdateItem"], tables.statuses.table_arn)
        self._let(
            role,
            ["dynamodb:ConditionCheckItem", "dynamodb:GetItem", "dynamodb:UpdateItem"],
            tables.releases.table_arn,
        )
        self._let(role, ["s3:GetObject", "s3:GetObjectVersion"], props.releases.arn_for_objects("releases/*"))
        self._let(role, ["s3:PutObject"], props.releases.arn_for_objects("tenants/*"))
        props.releases_key.grant_encrypt_decrypt(role)
        pipeline = f"arn:{Aws.PARTITION}:codepipeline:{Aws.REGION}:{Aws.ACCOUNT_ID}"
        self._let(
            role,
            ["codepipeline:StartPipelineExecution"],
            f"{pipeline}:silo-*-pipeline",
            f"{pipeline}:pool-*-pipeline",
        )
        self._let(role, ["states:SendTaskFailure", "states:SendTaskSuccess"], *release_task_arns(props.names))

    def _build_machine(self) -> sfn.CfnStateMachine:
        props, names = self._props, self._props.names
        role = self._machine_role()
        log_group = logs.LogGroup(
            self,
            "Logs",
            # Names of this beginning are covered by one resource policy, whose size is limited.
            # https://docs.aws.amazon.com/step-functions/latest/dg/cw-logs.html
            log_group_name=f"/aws/vendedlogs/states/{names.release_machine}",
            encryption_key=props.key,
            retention=logs.RetentionDays.ONE_YEAR,
            removal_policy=cdk.RemovalPolicy.DESTROY,
        )
        states = ReleaseStates(
            release=self.release.function.function_arn,
            advance=self.advance.function.function_arn,
            bucket=props.releases.bucket_name,
            pipeline_timeout_seconds=props.pipeline_timeout_minutes * 60,
        )
        machine = sfn.CfnStateMachine(
            self,
            "Machine",
            state_machine_name=names.release_machine,
            state_machine_type="STANDARD",
            role_arn=role.role_arn,
            definition_string=cdk.Stack.of(self).to_json_string(states.definition()),
            # Without execution data: it holds the tokens that answer for a pipeline or a person.
            logging_configuration=sfn.CfnStateMachine.LoggingConfigurationProperty(
                level="ALL",
                include_execution_data=False,
                destinations=[
                    sfn.CfnStateMachine.LogDestinationProperty(
                        cloud_watch_logs_log_group=sfn.CfnStateMachine.CloudWatchLogsLogGroupProperty(
                            log_group_arn=log_group.log_group_arn
                        )
                    )
                ],
            ),
            encryption_configuration=encrypted_with(props.key),
            tracing_configuration=sfn.CfnStateMachine.TracingConfigurationProperty(enabled=True),
        )
        machine.node.add_dependency(role)
        return machine

    def _machine_role(self) -> iam.Role:
        props, names = self._props, self._props.names
        machine = release_machine_arn(names)
        role = iam.Role(
            self, "Role", assumed_by=service_of_this_account(self, "states.amazonaws.com", source_arn=f"{machine}*")
        )
        execution = f"arn:{Aws.PARTITION}:states:{Aws.REGION}:{Aws.ACCOUNT_ID}:execution:{names.release_machine}"
        self._let(role, ["lambda:InvokeFunction"], self.release.function.function_arn)
        self._let(role, ["lambda:InvokeFunction"], self.advance.function.function_arn)
        self._let(role, ["s3:GetObject"], props.releases.arn_for_objects("runs/*"))
        props.releases_key.grant_decrypt(role)
        role.add_to_policy(use_of_key(props.key, machine_arn=machine))
        # A map run starts its children as executions of the machine itself.
        self._let(role, ["states:StartExecution"], machine)
        self._let(role, ["states:DescribeExecution", "states:StopExecution"], f"{execution}/*", f"{execution}:*")
        role.add_to_policy(
            iam.PolicyStatement(
                actions=[
                    "logs:CreateLogDelivery",
                    "logs:DeleteLogDelivery",
                    "logs:DescribeLogGroups",
                    "logs:DescribeResourcePolicies",
                    "logs:GetLogDelivery",
                    "logs:ListLogDeliveries",
                    "logs:PutResourcePolicy",
                    "logs:UpdateLogDelivery",
                    "xray:GetSamplingRules",
                    "xray:GetSamplingTargets",
                    "xray:PutTelemetryRecords",
                    "xray:PutTraceSegments",
                ],
                resources=["*"],
            )
        )
        acknowledge_inline_policy(role)
        acknowledge(
            role,
            "AwsSolutions-IAM5[Resource::*]",
            reason="Deliveries of logs and segments of traces have no resource.",
        )
        return role

    def _let(self, role: iam.Role, actions: list[str], *resources: Any) -> None:
        statement = iam.PolicyStatement(actions=actions, resources=list(resources))
        role.add_to_policy(statement)
        acknowledge_wildcards(
            role,
            [statement],
            reason="Tenants come and go without a deployment of the toolchain: names bound what is reached.",
        )
