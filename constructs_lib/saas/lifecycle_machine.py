"""The state machine that suspends, brings back, retires, and clears up after a move, and the function behind it."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_stepfunctions as sfn
from aws_cdk import aws_stepfunctions_tasks as tasks
from constructs import Construct

from constructs_lib.common.acknowledge import acknowledge
from constructs_lib.common.encrypted_machine import encrypt, machine_logs, machine_role
from constructs_lib.common.grants import allow, grant, own_role
from constructs_lib.common.python_function import PythonFunction
from constructs_lib.saas.factory_props import FactoryProps
from constructs_lib.saas.provisioning_project import start_builds
from constructs_lib.saas.tenant_arns import BOUND_BY_NAMES, tenant_build_logs, tenant_pipelines
from lambdas.common.evidence.verdict import VERDICTS


class LifecycleMachine(Construct):
    """Step, wait, step: all decisions are the function's.

    An execution waits for stacks and grace periods without anything that runs; it costs the transitions of its steps.
    """

    def __init__(self, scope: Construct, construct_id: str, *, props: FactoryProps) -> None:
        super().__init__(scope, construct_id)
        self._props = props
        self._stack = cdk.Stack.of(self)
        self.function = self._build_function()
        self._grant_tables_and_releases()
        self._grant_what_tenants_have()
        self._grant_roles()
        self.machine = self._build_machine()

    def _build_function(self) -> PythonFunction:
        props, names = self._props, self._props.names
        return PythonFunction(
            self,
            "Step",
            **props.of_the_room(),
            job="lifecycle",
            description="Takes a deployment one step towards what its row asks for",
            environment={
                "PREFIX": names.prefix,
                "DEPLOYMENTS_TABLE": names.deployments_table,
                "STATUS_TABLE": names.status_table,
                "PROVISIONING_PROJECT": names.provisioning_project,
                "RELEASES_BUCKET": props.releases.bucket_name,
                "RELEASE_PARAMETER": names.release_parameter,
                "TOOLCHAIN_ACCOUNT": self._stack.account,
                "BOOTSTRAP_QUALIFIER": props.targets.qualifier,
                "GRACE_HOURS": str(props.lifecycle.grace_hours),
                "TOMBSTONE_DAYS": str(props.lifecycle.tombstone_days),
                "ARCHIVE": props.lifecycle.archive,
                "ON_ROW_REMOVED": props.lifecycle.on_row_removed,
            },
            documents={"target_policy": props.target_policy},
            role_name=names.lifecycle_role,
        )

    def _grant_tables_and_releases(self) -> None:
        props = self._props
        grant(
            self.function.role,
            allow(["dynamodb:GetItem"], props.tables.deployments.table_arn),
            allow(["dynamodb:GetItem", "dynamodb:Scan", "dynamodb:UpdateItem"], props.tables.statuses.table_arn),
            # What was put again while it was retired is built without waiting for the sweep.
            start_builds(props.project, releases=props.releases),
            allow(["s3:GetObject", "s3:GetObjectVersion"], props.releases.arn_for_objects("releases/*")),
            allow(["s3:DeleteObject", "s3:PutObject"], props.releases.arn_for_objects("tenants/*")),
            allow(["ssm:GetParameter"], props.release_parameter_arn),
            *props.read_verdicts(VERDICTS),
            reason=BOUND_BY_NAMES,
        )
        props.releases_key.grant_encrypt_decrypt(self.function.role)

    def _grant_what_tenants_have(self) -> None:
        actions = ("GetPipelineState", "ListPipelineExecutions", "StartPipelineExecution", "StopPipelineExecution")
        transitions = ["codepipeline:DisableStageTransition", "codepipeline:EnableStageTransition"]
        grant(
            self.function.role,
            allow([f"codepipeline:{action}" for action in actions], *tenant_pipelines()),
            # Transitions belong to stages.
            allow(transitions, *tenant_pipelines("/*")),
            # Logs of tenants' builds are made by CodeBuild: they go with their tenant, and with no stack.
            allow(["logs:DeleteLogGroup"], *tenant_build_logs(self._props.names)),
            reason=BOUND_BY_NAMES,
        )

    def _grant_roles(self) -> None:
        """Stacks are deleted with the role that deploys them, in every account; each session is narrowed to one stack.

        In the toolchain's account too: this function has no rights on stacks of its own.
        """
        targets, names = self._props.targets, self._props.names
        grant(
            self.function.role,
            targets.assume_statement("deploy"),
            targets.assume_named(names.archive_role),
            allow(["sts:AssumeRole"], own_role(names.tenant_deploy_role)),
            reason=BOUND_BY_NAMES,
        )

    def _build_machine(self) -> sfn.StateMachine:
        names = self._props.names
        log_group = machine_logs(self, machine=names.lifecycle_machine, key=self._props.key)
        role = machine_role(self, machine=names.lifecycle_machine, key=self._props.key)
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
        encrypt(machine, self._props.key)
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
