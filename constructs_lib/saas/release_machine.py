"""The state machine that takes a release from ring to ring, and the two functions behind it."""

from __future__ import annotations

from collections.abc import Mapping

import aws_cdk as cdk
from aws_cdk import Aws
from aws_cdk import aws_iam as iam
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from constructs_lib.common.encrypted_machine import (
    deliveries,
    encrypted_with,
    machine_arn,
    machine_arns,
    machine_logs,
    machine_role,
)
from constructs_lib.common.grants import allow, grant
from constructs_lib.common.python_function import PythonFunction
from constructs_lib.saas.factory_props import FactoryProps
from constructs_lib.saas.release_states import ReleaseStates
from constructs_lib.saas.tenant_arns import BOUND_BY_NAMES, all_pipelines, tenant_pipelines
from lambdas.common.evidence.verdict import SURVIVALS, VERDICTS
from lambdas.saas.model.names import SaasNames


def release_executions_arn(names: SaasNames) -> str:
    """ARNs of the machine's executions, for those who ask how one ended; map runs' children are none of them."""
    return f"arn:{Aws.PARTITION}:states:{Aws.REGION}:{Aws.ACCOUNT_ID}:execution:{names.release_machine}:*"


def release_task_arns(names: SaasNames) -> list[str]:
    """What a task's token belongs to: the machine, or one of its map runs' children."""
    return machine_arns(names.release_machine)


class ReleaseMachine(Construct):
    """A loop around one decision; each ring is a map run, whose children wait for their pipelines by token.

    Nothing polls and no build waits. The history of an execution grows with the rings, not with the deployments.
    """

    def __init__(self, scope: Construct, construct_id: str, *, props: FactoryProps) -> None:
        super().__init__(scope, construct_id)
        self._props = props
        self.release = self._function(
            "Release",
            "release",
            "Decides what a release does next",
            environment={"RELEASE_PARAMETER": props.names.release_parameter},
            documents={"release_policy": props.release_policy},
            # It plans for the whole fleet: 10,000 rows and statuses.
            memory_mb=1024,
        )
        self.advance = self._function(
            "Advance",
            "release_advance",
            "Moves one deployment to a release, or back",
            environment={"PIPELINE_TIMEOUT_MINUTES": str(props.pipeline_timeout_minutes)},
        )
        self._grant_release()
        self._grant_advance()
        self.machine = self._build_machine()

    def _function(
        self,
        construct_id: str,
        job: str,
        description: str,
        *,
        environment: Mapping[str, str],
        documents: Mapping[str, str] | None = None,
        memory_mb: int = 256,
    ) -> PythonFunction:
        props, names = self._props, self._props.names
        return PythonFunction(
            self,
            construct_id,
            **props.of_the_room(),
            job=job,
            description=description,
            environment={
                "DEPLOYMENTS_TABLE": names.deployments_table,
                "STATUS_TABLE": names.status_table,
                "RELEASES_TABLE": names.releases_table,
                "RELEASES_BUCKET": props.releases.bucket_name,
                **environment,
            },
            documents={"target_policy": props.target_policy, **(documents or {})},
            memory_mb=memory_mb,
        )

    def _grant_release(self) -> None:
        props, tables, role = self._props, self._props.tables, self.release.role
        items = ["dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem"]
        grant(
            role,
            allow(["dynamodb:Scan"], tables.deployments.table_arn, tables.statuses.table_arn),
            allow(items, tables.releases.table_arn),
            allow(["codepipeline:ListPipelines"], all_pipelines()),
            allow(["s3:GetObjectVersion"], props.releases.arn_for_objects("releases/*")),
            *props.read_verdicts(VERDICTS, SURVIVALS),
            allow(["s3:PutObject"], props.releases.arn_for_objects("runs/*")),
            allow(["ssm:PutParameter"], props.release_parameter_arn),
            allow(["states:SendTaskFailure"], *release_task_arns(props.names)),
            reason=BOUND_BY_NAMES,
        )
        props.releases_key.grant_encrypt_decrypt(role)
        grant(
            role,
            allow(["cloudwatch:DescribeAlarms"], "*"),
            reason="cloudwatch:DescribeAlarms of composite alarms has no resource; it only reads states.",
        )
        grant(
            role,
            allow(["servicequotas:GetServiceQuota"], "*"),
            reason="Quotas belong to the account: IAM knows no resource for this action, which only reads.",
        )

    def _grant_advance(self) -> None:
        props, tables, role = self._props, self._props.tables, self.advance.role
        items = ["dynamodb:ConditionCheckItem", "dynamodb:GetItem", "dynamodb:UpdateItem"]
        grant(
            role,
            allow(["dynamodb:GetItem"], tables.deployments.table_arn),
            allow(["dynamodb:GetItem", "dynamodb:UpdateItem"], tables.statuses.table_arn),
            allow(items, tables.releases.table_arn),
            allow(["s3:GetObject", "s3:GetObjectVersion"], props.releases.arn_for_objects("releases/*")),
            *props.read_verdicts(VERDICTS),
            allow(["s3:PutObject"], props.releases.arn_for_objects("tenants/*")),
            allow(["codepipeline:StartPipelineExecution"], *tenant_pipelines()),
            allow(["states:SendTaskFailure", "states:SendTaskSuccess"], *release_task_arns(props.names)),
            reason=BOUND_BY_NAMES,
        )
        props.releases_key.grant_encrypt_decrypt(role)

    def _build_machine(self) -> sfn.CfnStateMachine:
        props, names = self._props, self._props.names
        role = self._machine_role()
        log_group = machine_logs(self, machine=names.release_machine, key=props.key)
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
        role = machine_role(self, machine=names.release_machine, key=props.key, map_runs=True)
        execution = f"arn:{Aws.PARTITION}:states:{Aws.REGION}:{Aws.ACCOUNT_ID}:execution:{names.release_machine}"
        grant(
            role,
            allow(["lambda:InvokeFunction"], self.release.function.function_arn),
            allow(["lambda:InvokeFunction"], self.advance.function.function_arn),
            allow(["s3:GetObject"], props.releases.arn_for_objects("runs/*")),
            # A map run starts its children as executions of the machine itself.
            allow(["states:StartExecution"], machine_arn(names.release_machine)),
            allow(["states:DescribeExecution", "states:StopExecution"], f"{execution}/*", f"{execution}:*"),
            reason=BOUND_BY_NAMES,
        )
        role.add_to_policy(deliveries())
        props.releases_key.grant_decrypt(role)
        return role
