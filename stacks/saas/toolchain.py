"""The toolchain: everything that the factory itself consists of, in its own account and Region."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import aws_cdk as cdk
from aws_cdk import Aws
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_ssm as ssm
from constructs import Construct

from constructs_lib.common.artifact_store import ArtifactStore, store_abroad
from constructs_lib.common.bootstrap import bootstrap_statements
from constructs_lib.common.chat import ChatChannel, ChatChannels
from constructs_lib.common.cicd_pipeline import CicdPipeline
from constructs_lib.common.encrypted_machine import log_delivery
from constructs_lib.common.encrypted_queue import dead_letter_queue
from constructs_lib.common.grants import allow, grant
from constructs_lib.common.private_bucket import PrivateBucket
from constructs_lib.common.source import SourceProps
from constructs_lib.common.targets import WorkloadTargets
from constructs_lib.saas.deployment_tables import DeploymentTables
from constructs_lib.saas.lifecycle_bus import LifecycleBus
from constructs_lib.saas.lifecycle_machine import LifecycleMachine, LifecycleMachineProps, LifecycleSettings
from constructs_lib.saas.observability import Observability
from constructs_lib.saas.provisioning_project import ProvisioningProject
from constructs_lib.saas.quota_access import let_read_quotas
from constructs_lib.saas.reconciler import Reconciler
from constructs_lib.saas.reconciler_props import ReconcilerProps
from constructs_lib.saas.release_machine import (
    ReleaseMachine,
    ReleaseMachineProps,
    release_executions_arn,
    release_machine_arn,
)
from constructs_lib.saas.tenant_arns import tenant_pipeline_stacks, tenant_pipelines, tenant_support_stacks
from constructs_lib.saas.tenant_roles import TenantRoles
from constructs_lib.saas.tenants_query import TenantsQuery
from lambdas.common.names import FACTORY_PARAMETER
from lambdas.saas.model.names import SaasNames
from stacks.buildspecs import commands_of
from stacks.versions import cdk_cli

_RUN_PIPELINES = (
    "codepipeline:GetPipeline",
    "codepipeline:ListPipelineExecutions",
    "codepipeline:StartPipelineExecution",
)


@dataclass(frozen=True, kw_only=True)
class ToolchainProps:
    """The configuration, as the toolchain needs it; `target_policy` is the JSON form of a `TargetPolicy`.

    `rooms_regions` are the Regions that CI/CD deploys rooms to, `invoked` the functions that tenants' pipelines invoke
    for them.
    """

    names: SaasNames
    targets: WorkloadTargets
    target_policy: str
    source: SourceProps
    emails: Sequence[str]
    chat: Sequence[ChatChannel]
    max_ids_per_build: int
    sweep_minutes: int
    release_policy: str
    pipeline_timeout_minutes: int
    lifecycle: LifecycleSettings
    rooms_regions: Sequence[str]
    invoked: Sequence[str]


class ToolchainStack(cdk.Stack):
    """`<prefix>-toolchain`."""

    def __init__(self, scope: Construct, *, env: cdk.Environment, props: ToolchainProps) -> None:
        super().__init__(scope, props.names.toolchain_stack, stack_name=props.names.toolchain_stack, env=env)
        self._props = props
        names = props.names
        # Of one name in every factory: CloudFormation refuses a second one here. What a failed creation would leave
        # behind (keys, buckets, tables) comes after it.
        only = ssm.StringParameter(
            self,
            "Factory",
            parameter_name=FACTORY_PARAMETER,
            string_value=names.prefix,
            description="Prefix of the one Granary factory of this account and Region",
        )
        self.key = kms.Key(
            self,
            "Key",
            alias=f"alias/{names.prefix}-data",
            description="Tables, logs, queues and messages of the factory",
            enable_key_rotation=True,
            removal_policy=cdk.RemovalPolicy.RETAIN,
        )
        self.key.node.add_dependency(only)
        self._let_logs_encrypt()
        self.key.add_to_resource_policy(log_delivery())
        ssm.StringParameter(self, "KeyArn", parameter_name=names.data_key_parameter, string_value=self.key.key_arn)
        for_rooms = self.region in props.rooms_regions
        self.artifacts = ArtifactStore(self, "Artifacts", names=names, targets=props.targets, for_rooms=for_rooms)
        self.artifacts.node.add_dependency(only)
        self.releases = PrivateBucket(
            self,
            "Releases",
            name=names.releases_bucket(self.account, self.region),
            key=self.artifacts.key,
            access_logs=self.artifacts.access_logs,
            noncurrent_days=365,
        ).bucket
        self.dead_letters = dead_letter_queue(self, "DeadLetters", name=names.dead_letter_queue, key=self.key)
        self.tables = DeploymentTables(self, "Tables", names=names, key=self.key)
        self.lifecycle = LifecycleBus(
            self, "Lifecycle", names=names, key=self.key, dead_letters=self.dead_letters, emails=props.emails
        )
        ChatChannels(self, "Chat", names=names, topic=self.lifecycle.chat, channels=props.chat)
        self.tenant_roles = TenantRoles(
            self,
            "TenantRoles",
            names=names,
            targets=props.targets,
            releases=self.releases,
            home_artifacts=self.artifacts.read_write(),
            invoked=props.invoked,
        )
        self.provisioning = self._build_provisioning()
        self.lifecycle_machine = self._build_lifecycle_machine()
        self.release_machine = self._build_release_machine()
        self.reconciler = self._build_reconciler()
        self.tenants_query = TenantsQuery(
            self,
            "Tenants",
            names=names,
            statuses=self.tables.statuses,
            key=self.key,
            alarm_actions=self.lifecycle.alarm_actions,
        )
        self.cicd = self._build_cicd()
        self.observability = Observability(
            self,
            "Observability",
            names=names,
            reconciler=self.reconciler,
            functions=[
                *self.reconciler.functions,
                self.release_machine.release,
                self.release_machine.advance,
                self.lifecycle_machine.function,
                self.tenants_query.query,
            ],
            project=self.provisioning.project,
            cicd=self.cicd.underlying,
            dead_letters=self.dead_letters,
            lifecycle=self.lifecycle,
            sweep_interval=cdk.Duration.minutes(props.sweep_minutes),
        )

    def _let_logs_encrypt(self) -> None:
        """CloudWatch Logs encrypts this account's log groups: https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html."""
        self.key.add_to_resource_policy(
            iam.PolicyStatement(
                principals=[iam.ServicePrincipal(f"logs.{self.region}.{Aws.URL_SUFFIX}")],
                actions=["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*"],
                resources=["*"],
                conditions={
                    "ArnLike": {
                        "kms:EncryptionContext:aws:logs:arn": (
                            f"arn:{Aws.PARTITION}:logs:{self.region}:{self.account}:log-group:*"
                        )
                    }
                },
            )
        )

    def _build_provisioning(self) -> ProvisioningProject:
        names, targets = self._props.names, self._props.targets
        provisioning = ProvisioningProject(self, "Provisioning", names=names, key=self.key, releases=self.releases)
        self.artifacts.key.grant_encrypt_decrypt(provisioning.role)
        self.key.grant_encrypt_decrypt(provisioning.role)
        grant(
            provisioning.role,
            allow(["dynamodb:GetItem"], self.tables.deployments.table_arn),
            allow(["dynamodb:DeleteItem", "dynamodb:GetItem", "dynamodb:UpdateItem"], self.tables.statuses.table_arn),
            allow(["s3:PutObject"], self.releases.arn_for_objects("tenants/*")),
            allow(["cloudformation:DescribeStackEvents", "cloudformation:DescribeStacks"], *tenant_pipeline_stacks()),
            allow(_RUN_PIPELINES, *tenant_pipelines()),
            allow(["cloudformation:DescribeStacks"], *tenant_support_stacks()),
            allow(
                ["ssm:GetParameter"],
                f"arn:{Aws.PARTITION}:ssm:*:{self.account}:parameter{names.artifacts_key_parameter}",
            ),
            *bootstrap_statements(targets.qualifier, self),
            targets.assume_statement("lookup"),
            reason="Provisions tenants that do not exist yet: the names that theirs will bear are the bound.",
        )
        let_read_quotas(provisioning.role)
        return provisioning

    def _build_release_machine(self) -> ReleaseMachine:
        props = self._props
        return ReleaseMachine(
            self,
            "ReleaseMachine",
            props=ReleaseMachineProps(
                names=props.names,
                policy=props.release_policy,
                target_policy=props.target_policy,
                pipeline_timeout_minutes=props.pipeline_timeout_minutes,
                tables=self.tables,
                releases=self.releases,
                releases_key=self.artifacts.key,
                key=self.key,
                alarm_actions=self.lifecycle.alarm_actions,
            ),
        )

    def _build_lifecycle_machine(self) -> LifecycleMachine:
        props = self._props
        return LifecycleMachine(
            self,
            "LifecycleMachine",
            props=LifecycleMachineProps(
                names=props.names,
                targets=props.targets,
                target_policy=props.target_policy,
                tables=self.tables,
                releases=self.releases,
                releases_key=self.artifacts.key,
                key=self.key,
                alarm_actions=self.lifecycle.alarm_actions,
                settings=props.lifecycle,
            ),
        )

    def _build_reconciler(self) -> Reconciler:
        props = self._props
        return Reconciler(
            self,
            "Reconciler",
            props=ReconcilerProps(
                names=props.names,
                targets=props.targets,
                target_policy=props.target_policy,
                tables=self.tables,
                bus=self.lifecycle,
                project=self.provisioning.project,
                releases_bucket=self.releases.bucket_name,
                key=self.key,
                dead_letters=self.dead_letters,
                max_ids_per_build=props.max_ids_per_build,
                sweep_interval=cdk.Duration.minutes(props.sweep_minutes),
                on_row_removed=props.lifecycle.on_row_removed,
            ),
        )

    def _build_cicd(self) -> CicdPipeline:
        props, names = self._props, self._props.names
        cicd = CicdPipeline(
            self,
            "Cicd",
            names=names,
            source=props.source,
            artifacts=self.artifacts.bucket,
            artifact_statements=self.artifacts.read_write(),
            key=self.key,
            access_logs=self.artifacts.access_logs,
            qualifier=props.targets.qualifier,
            regions=props.targets.regions,
            cli_version=cdk_cli(),
            synth=commands_of("saas", "ci"),
            publish=commands_of("saas", "publish_release"),
            publish_environment={
                "RELEASES_BUCKET": self.releases.bucket_name,
                "RELEASE_MACHINE": release_machine_arn(names),
            },
            stores_abroad={
                region: store_abroad(self, names=names, account=self.account, region=region)
                for region in props.rooms_regions
                if region != self.region
            },
        )
        grant(
            cicd.publish_role,
            allow(["s3:GetObject", "s3:PutObject"], self.releases.arn_for_objects("releases/*")),
            # Without it S3 answers 403 instead of 404 for an object that is not there yet.
            allow(["s3:ListBucket"], self.releases.bucket_arn),
            allow(["states:StartExecution"], release_machine_arn(names)),
            allow(["states:DescribeExecution"], release_executions_arn(names)),
            reason="Releases, each under its own digest, below one prefix; runs have names.",
        )
        return cicd
