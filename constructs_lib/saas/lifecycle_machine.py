"""The state machine that suspends, brings back, retires, and clears up after a move, and the function behind it."""

from __future__ import annotations

from dataclasses import dataclass

import aws_cdk as cdk
from aws_cdk import Aws
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_stepfunctions as sfn
from aws_cdk import aws_stepfunctions_tasks as tasks
from constructs import Construct

from constructs_lib.common.acknowledge import (
    acknowledge,
    acknowledge_inline_policy,
    acknowledge_key_use,
    acknowledge_wildcards,
)
from constructs_lib.common.encrypted_machine import encrypted_with, use_of_key
from constructs_lib.common.python_function import PythonFunction
from constructs_lib.common.service_role import service_of_this_account
from constructs_lib.common.targets import WorkloadTargets
from constructs_lib.saas.deployment_tables import DeploymentTables
from lambdas.saas.model.names import SaasNames


@dataclass(frozen=True, kw_only=True)
class LifecycleSettings:
    """The configuration: see `lifecycle` in config/toolchain.yaml."""

    grace_hours: int
    archive: str
    on_row_removed: str
    tombstone_days: int


@dataclass(frozen=True, kw_only=True)
class LifecycleMachineProps:
    """What the machine works with; `releases_key` encrypts the releases bucket."""

    names: SaasNames
    targets: WorkloadTargets
    target_policy: str
    tables: DeploymentTables
    releases: s3.IBucket
    releases_key: kms.IKey
    key: kms.IKey
    settings: LifecycleSettings


def lifecycle_machine_arn(names: SaasNames) -> str:
    """ARN of the machine, for those who start it: a name, so that they need not be built after it."""
    return f"arn:{Aws.PARTITION}:states:{Aws.REGION}:{Aws.ACCOUNT_ID}:stateMachine:{names.lifecycle_machine}"


class LifecycleMachine(Construct):
    """Step, wait, step: all decisions are the function's.

    An execution waits for stacks and grace periods without anything that runs; it costs the transitions of its steps.
    """

    def __init__(self, scope: Construct, construct_id: str, *, props: LifecycleMachineProps) -> None:
        super().__init__(scope, construct_id)
        self._props = props
        self._stack = cdk.Stack.of(self)
        self.function = self._build_function()
        self._grant_tables_and_releases()
        self._grant_pipelines()
        self._grant_logs()
        self._grant_roles()
        self.machine = self._build_machine()

    def _build_function(self) -> PythonFunction:
        props, names = self._props, self._props.names
        function = PythonFunction(
            self,
            "Step",
            name=names.function("lifecycle"),
            room="saas",
            job="lifecycle",
            description="Takes a deployment one step towards what its row asks for",
            key=props.key,
            environment={
                "PREFIX": names.prefix,
                "TARGET_POLICY": props.target_policy,
                "DEPLOYMENTS_TABLE": names.deployments_table,
                "STATUS_TABLE": names.status_table,
                "RELEASES_BUCKET": props.releases.bucket_name,
                "RELEASE_PARAMETER": names.release_parameter,
                "TOOLCHAIN_ACCOUNT": self._stack.account,
                "BOOTSTRAP_QUALIFIER": props.targets.qualifier,
                "GRACE_HOURS": str(props.settings.grace_hours),
                "TOMBSTONE_DAYS": str(props.settings.tombstone_days),
                "ARCHIVE": props.settings.archive,
                "ON_ROW_REMOVED": props.settings.on_row_removed,
            },
            timeout=cdk.Duration.minutes(5),
        )
        role = function.role.node.default_child
        assert isinstance(role, iam.CfnRole)  # noqa: S101 - what an L2 Role always holds
        role.role_name = names.lifecycle_role
        return function

    def _grant_tables_and_releases(self) -> None:
        props = self._props
        self._let(["dynamodb:GetItem"], props.tables.deployments.table_arn)
        self._let(["dynamodb:GetItem", "dynamodb:Scan", "dynamodb:UpdateItem"], props.tables.statuses.table_arn)
        self._let(["s3:GetObject", "s3:GetObjectVersion"], props.releases.arn_for_objects("releases/*"))
        self._let(["s3:DeleteObject", "s3:PutObject"], props.releases.arn_for_objects("tenants/*"))
        props.releases_key.grant_encrypt_decrypt(self.function.role)
        parameter = f"parameter{props.names.release_parameter}"
        self._let(["ssm:GetParameter"], f"arn:{Aws.PARTITION}:ssm:{Aws.REGION}:{Aws.ACCOUNT_ID}:{parameter}")

    def _grant_pipelines(self) -> None:
        arn = f"arn:{Aws.PARTITION}:codepipeline:{Aws.REGION}:{Aws.ACCOUNT_ID}"
        self._let(
            [
                "codepipeline:GetPipelineState",
                "codepipeline:ListPipelineExecutions",
                "codepipeline:StartPipelineExecution",
                "codepipeline:StopPipelineExecution",
            ],
            f"{arn}:silo-*-pipeline",
            f"{arn}:pool-*-pipeline",
        )
        # Transitions belong to stages.
        self._let(
            ["codepipeline:DisableStageTransition", "codepipeline:EnableStageTransition"],
            f"{arn}:silo-*-pipeline/*",
            f"{arn}:pool-*-pipeline/*",
        )

    def _grant_logs(self) -> None:
        """Logs of tenants' builds are made by CodeBuild: they go with their tenant, and with no stack."""
        group = f"log-group:/aws/codebuild/{self._props.names.prefix}"
        arn = f"arn:{Aws.PARTITION}:logs:{Aws.REGION}:{Aws.ACCOUNT_ID}:{group}"
        self._let(["logs:DeleteLogGroup"], f"{arn}-silo-*", f"{arn}-pool-*")

    def _grant_roles(self) -> None:
        """Stacks are deleted with the role that deployed them, in every account; each session is narrowed to one stack.

        In the toolchain's account too: the deploy role may pass the execution role to CloudFormation, and this function
        has no rights on stacks of its own.
        """
        targets, names = self._props.targets, self._props.names
        home = f"arn:{Aws.PARTITION}:iam::{Aws.ACCOUNT_ID}:role/cdk-{targets.qualifier}-deploy-role-{Aws.ACCOUNT_ID}"
        regions = sorted({self._stack.region, *targets.regions})
        archives = iam.PolicyStatement(
            actions=["sts:AssumeRole"],
            resources=[
                f"arn:{Aws.PARTITION}:iam::{account}:role/{names.archive_role}" for account in targets.accounts or ["*"]
            ],
        )
        if targets.organization_id:
            archives.add_condition("StringEquals", {"aws:ResourceOrgID": targets.organization_id})
        for statement in (targets.assume_statement("deploy"), archives):
            self.function.role.add_to_policy(statement)
            self._acknowledge(statement)
        self._let(["sts:AssumeRole"], *(f"{home}-{region}" for region in regions))

    def _build_machine(self) -> sfn.StateMachine:
        names = self._props.names
        log_group = logs.LogGroup(
            self,
            "Logs",
            # Names of this beginning are covered by one resource policy, whose size is limited.
            # https://docs.aws.amazon.com/step-functions/latest/dg/cw-logs.html
            log_group_name=f"/aws/vendedlogs/states/{names.lifecycle_machine}",
            encryption_key=self._props.key,
            retention=logs.RetentionDays.ONE_YEAR,
            removal_policy=cdk.RemovalPolicy.DESTROY,
        )
        role = iam.Role(
            self,
            "Role",
            assumed_by=service_of_this_account(self, "states.amazonaws.com", source_arn=lifecycle_machine_arn(names)),
        )
        machine = sfn.StateMachine(
            self,
            "Machine",
            state_machine_name=names.lifecycle_machine,
            comment="Takes a deployment to what its row asks for: suspended, back, retired, or cleared up after a move",
            definition_body=sfn.DefinitionBody.from_chainable(self._build_loop()),
            role=role,
            logs=sfn.LogOptions(destination=log_group, level=sfn.LogLevel.ALL),
            tracing_enabled=True,
        )
        cfn = machine.node.default_child
        assert isinstance(cfn, sfn.CfnStateMachine)  # noqa: S101 - what an L2 StateMachine always holds
        cfn.encryption_configuration = encrypted_with(self._props.key)
        role.add_to_policy(use_of_key(self._props.key, machine_arn=lifecycle_machine_arn(names)))
        acknowledge_inline_policy(role)
        acknowledge(
            role,
            "AwsSolutions-IAM5[Resource::*]",
            reason="Deliveries of logs and segments of traces, which the library grants, have no resource.",
        )
        acknowledge(
            role,
            f"AwsSolutions-IAM5[Resource::<{self._logical_id()}.Arn>:*]",
            reason="The versions of the one function, which the library grants with it.",
        )
        return machine

    def _build_loop(self) -> sfn.Chain:
        step = tasks.LambdaInvoke(
            self,
            "One step",
            lambda_function=self.function.function,
            payload=sfn.TaskInput.from_object(
                {
                    "execution": sfn.JsonPath.string_at("$$.Execution.Name"),
                    "started": sfn.JsonPath.string_at("$$.Execution.StartTime"),
                    "state": sfn.JsonPath.object_at("$"),
                }
            ),
            output_path="$.Payload",
            retry_on_service_exceptions=False,
        )
        # A fault of a service may last; a step is safe to repeat. What lasts longer, the sweep starts again.
        step.add_retry(
            errors=[sfn.Errors.ALL],
            interval=cdk.Duration.seconds(5),
            backoff_rate=2,
            max_attempts=6,
            max_delay=cdk.Duration.minutes(2),
        )
        wait = sfn.Wait(self, "Wait", time=sfn.WaitTime.seconds_path("$.seconds"))
        done = sfn.Choice(self, "Done?").when(sfn.Condition.boolean_equals("$.done", True), sfn.Succeed(self, "Done"))
        return step.next(done.otherwise(wait.next(step)))

    def _logical_id(self) -> str:
        function = self.function.function.node.default_child
        assert isinstance(function, cdk.CfnElement)  # noqa: S101 - what an L2 Function always holds
        return str(self._stack.get_logical_id(function))

    def _let(self, actions: list[str], *resources: str) -> None:
        statement = iam.PolicyStatement(actions=actions, resources=list(resources))
        self.function.role.add_to_policy(statement)
        self._acknowledge(statement)

    def _acknowledge(self, statement: iam.PolicyStatement) -> None:
        acknowledge_wildcards(
            self.function.role,
            [statement],
            reason="Tenants come and go without a deployment of the toolchain: names bound what is reached.",
        )
        acknowledge_key_use(self.function.role)
