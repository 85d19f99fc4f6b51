"""The toolchain: everything that the factory itself consists of, in its own account and Region."""

from __future__ import annotations

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import Aws
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_ssm as ssm
from constructs import Construct

from config.models import Configuration
from config.policy import release_policy, target_policy
from constructs_lib.common.artifact_store import ArtifactStore, store_abroad
from constructs_lib.common.chat import ChatChannel, ChatChannels
from constructs_lib.common.cicd_pipeline import CicdPipeline
from constructs_lib.common.encrypted import dead_letter_queue
from constructs_lib.common.encrypted_machine import log_delivery, machine_arn
from constructs_lib.common.grants import allow, grant, own_role
from constructs_lib.common.private_bucket import PrivateBucket
from constructs_lib.common.removal import KEPT
from constructs_lib.common.source import SourceProps
from constructs_lib.common.targets import WorkloadTargets
from constructs_lib.saas.asset_publisher import AssetProject, AssetPublisher
from constructs_lib.saas.deployment_tables import DeploymentTables
from constructs_lib.saas.factory_props import FactoryProps, LifecycleSettings
from constructs_lib.saas.lifecycle_bus import LifecycleBus
from constructs_lib.saas.lifecycle_machine import LifecycleMachine
from constructs_lib.saas.observability import Observability
from constructs_lib.saas.provisioning_project import ProvisioningProject
from constructs_lib.saas.reconciler import Reconciler
from constructs_lib.saas.release_machine import ReleaseMachine, release_executions_arn
from constructs_lib.saas.task_runner import TaskRunner
from constructs_lib.saas.tenant_arns import (
    TENANT_ARTIFACTS,
    tenant_pipeline_stacks,
    tenant_pipelines,
    tenant_projects,
    tenant_support_stacks,
)
from constructs_lib.saas.tenant_deployment import TenantDeployment
from constructs_lib.saas.tenant_roles import TenantRoles
from constructs_lib.saas.tenants_query import TenantsQuery
from lambdas.common.names import FACTORY_PARAMETER, WORKLOAD_ROLE_PATH
from lambdas.saas.model.names import SaasNames
from stacks.buildspecs import commands_of, with_reports
from stacks.cicd import assets_arn, invoked_functions, reporting_rooms, tasks_arn, watch_arn
from stacks.foundation import Foundation
from stacks.versions import cdk_cli

_READ_STACKS = (
    "cloudformation:DescribeStackEvents",
    "cloudformation:DescribeStacks",
    "cloudformation:ListStackResources",
)
_RUN_PIPELINES = (
    "codepipeline:GetPipeline",
    "codepipeline:ListPipelineExecutions",
    "codepipeline:StartPipelineExecution",
)


class ToolchainStack(cdk.Stack):
    """`<prefix>-toolchain`; `rooms_regions` are the Regions that CI/CD deploys rooms to."""

    def __init__(
        self, scope: Construct, *, configuration: Configuration, foundation: Foundation, rooms_regions: Sequence[str]
    ) -> None:
        toolchain, targets = configuration.toolchain, foundation.targets
        names = SaasNames(prefix=toolchain.prefix)
        super().__init__(scope, names.toolchain_stack, stack_name=names.toolchain_stack, env=foundation.env)
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
            removal_policy=KEPT,
        )
        self.key.node.add_dependency(only)
        self._let_logs_encrypt()
        self.key.add_to_resource_policy(log_delivery())
        ssm.StringParameter(self, "KeyArn", parameter_name=names.data_key_parameter, string_value=self.key.key_arn)
        for_rooms = toolchain.bootstrap_qualifier if self.region in rooms_regions else ""
        self.artifacts = ArtifactStore(
            self, "Artifacts", names=names, targets=targets, prefixes=TENANT_ARTIFACTS, for_rooms=for_rooms
        )
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
        notifications = toolchain.notifications
        self.lifecycle = LifecycleBus(
            self, "Lifecycle", names=names, key=self.key, dead_letters=self.dead_letters, emails=notifications.emails
        )
        channels = [ChatChannel(**channel.model_dump()) for channel in notifications.chat]
        ChatChannels(self, "Chat", names=names, topic=self.lifecycle.chat, channels=channels)
        self.tenant_roles = TenantRoles(
            self,
            "TenantRoles",
            names=names,
            targets=targets,
            key=self.key,
            releases=self.releases,
            artifacts=self.artifacts,
            invoked=[
                *invoked_functions(foundation),
                tasks_arn(foundation),
                watch_arn(foundation),
                assets_arn(foundation),
            ],
        )
        self.provisioning = self._build_provisioning(names, targets)
        props = FactoryProps(
            names=names,
            targets=targets,
            target_policy=target_policy(configuration).to_json(),
            release_policy=release_policy(configuration).to_json(),
            pipeline_timeout_minutes=toolchain.releases.pipeline_timeout_minutes,
            max_ids_per_build=toolchain.provisioning.max_ids_per_build,
            sweep_interval=cdk.Duration.minutes(toolchain.provisioning.sweep_minutes),
            lifecycle=LifecycleSettings(**toolchain.lifecycle.model_dump()),
            tables=self.tables,
            bus=self.lifecycle,
            project=self.provisioning.project,
            releases=self.releases,
            releases_key=self.artifacts.key,
            key=self.key,
            dead_letters=self.dead_letters,
        )
        self.lifecycle_machine = LifecycleMachine(self, "LifecycleMachine", props=props)
        deployers = (self.tenant_roles.self_mutation, self.provisioning.role, self.lifecycle_machine.function.role)
        self.tenant_deployment = TenantDeployment(
            self,
            "TenantDeployment",
            names=names,
            qualifier=toolchain.bootstrap_qualifier,
            deployers=[role.role_arn for role in deployers],
        )
        self.release_machine = ReleaseMachine(self, "ReleaseMachine", props=props)
        self.reconciler = Reconciler(self, "Reconciler", props=props)
        self.tenants_query = TenantsQuery(Construct(self, "Tenants"), "Query", props=props)
        self.task_runner = TaskRunner(Construct(self, "Tasks"), "Runner", props=props)
        self.asset_publisher = self._build_assets(props)
        self.cicd = self._build_cicd(names, targets.regions, configuration, rooms_regions)
        self.observability = Observability(
            self,
            "Observability",
            props=props,
            reconciler=self.reconciler,
            functions=[
                *self.reconciler.functions,
                self.release_machine.release,
                self.release_machine.advance,
                self.lifecycle_machine.function,
                self.tenants_query,
                self.task_runner,
                self.asset_publisher,
            ],
            cicd=self.cicd.underlying,
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

    def _build_provisioning(self, names: SaasNames, targets: WorkloadTargets) -> ProvisioningProject:
        provisioning = ProvisioningProject(self, "Provisioning", names=names, key=self.key, releases=self.releases)
        self.artifacts.key.grant_encrypt_decrypt(provisioning.role)
        self.key.grant_encrypt_decrypt(provisioning.role)
        grant(
            provisioning.role,
            allow(["dynamodb:GetItem"], self.tables.deployments.table_arn),
            allow(["dynamodb:DeleteItem", "dynamodb:GetItem", "dynamodb:UpdateItem"], self.tables.statuses.table_arn),
            allow(["s3:PutObject"], self.releases.arn_for_objects("tenants/*")),
            allow(_READ_STACKS, *tenant_pipeline_stacks()),
            allow(["codebuild:BatchGetProjects"], *tenant_projects(names)),
            allow(_RUN_PIPELINES, *tenant_pipelines()),
            allow(["cloudformation:DescribeStacks"], *tenant_support_stacks()),
            allow(
                ["ssm:GetParameter"],
                f"arn:{Aws.PARTITION}:ssm:*:{self.account}:parameter{names.artifacts_key_parameter}",
            ),
            allow(["sts:AssumeRole"], own_role(names.tenant_deploy_role)),
            targets.assume_statement("lookup"),
            targets.assume_named(f"{WORKLOAD_ROLE_PATH[1:]}{names.adoption_role}"),
            reason="Provisions tenants that do not exist yet: the names that theirs will bear are the bound.",
        )
        provisioning.let_read_quotas()
        return provisioning

    def _build_assets(self, props: FactoryProps) -> AssetPublisher:
        scope = Construct(self, "Assets")
        AssetProject(
            scope,
            "Builds",
            names=props.names,
            role=self.tenant_roles.asset_publishing,
            artifacts=self.artifacts.bucket,
            key=self.artifacts.key,
            builds_log_group=self.tenant_roles.build_logs,
            minutes=props.pipeline_timeout_minutes,
        )
        return AssetPublisher(scope, "Publisher", props=props, artifacts=self.artifacts.bucket)

    def _build_cicd(
        self, names: SaasNames, regions: Sequence[str], configuration: Configuration, rooms_regions: Sequence[str]
    ) -> CicdPipeline:
        toolchain = configuration.toolchain
        cicd = CicdPipeline(
            self,
            "Cicd",
            names=names,
            source=SourceProps(**toolchain.source.model_dump()),
            artifacts=self.artifacts.bucket,
            artifact_statements=self.artifacts.read_write(names.cicd_artifacts_prefix),
            key=self.key,
            access_logs=self.artifacts.access_logs,
            qualifier=toolchain.bootstrap_qualifier,
            regions=regions,
            cli_version=cdk_cli(),
            synth=with_reports(commands_of("saas", "ci"), reporting_rooms(configuration)),
            publish=commands_of("saas", "publish_release"),
            publish_environment={
                "RELEASES_BUCKET": self.releases.bucket_name,
                "RELEASE_MACHINE": machine_arn(names.release_machine),
            },
            stores_abroad={
                region: store_abroad(self, names=names, account=self.account, region=region)
                for region in rooms_regions
                if region != self.region
            },
        )
        grant(
            cicd.publish_role,
            allow(["s3:GetObject", "s3:PutObject"], self.releases.arn_for_objects("releases/*")),
            # Without it S3 answers 403 instead of 404 for an object that is not there yet.
            allow(["s3:ListBucket"], self.releases.bucket_arn),
            allow(["states:StartExecution"], machine_arn(names.release_machine)),
            allow(["states:DescribeExecution"], release_executions_arn(names)),
            reason="Releases, each under its own digest, below one prefix; runs have names.",
        )
        return cicd
