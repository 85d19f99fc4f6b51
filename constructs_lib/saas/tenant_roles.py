"""The roles that every tenant's pipeline shares."""

from __future__ import annotations

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import Aws
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3
from constructs import Construct

from constructs_lib.common.acknowledge import acknowledge_inline_policy, acknowledge_wildcards
from constructs_lib.common.artifact_store import ArtifactStore, artifact_reads, artifacts_abroad
from constructs_lib.common.grants import allow, grant, own_role
from constructs_lib.common.service_role import service_of_this_account
from constructs_lib.common.targets import WorkloadTargets
from constructs_lib.saas.asset_publisher import assets_project_arn
from constructs_lib.saas.tenant_arns import (
    TENANT_ARTIFACTS,
    shared_build_logs,
    tenant_build_logs,
    tenant_pipeline_stacks,
    tenant_pipelines,
    tenant_projects,
)
from lambdas.saas.model.names import SaasNames

_SHARED = "One role serves all tenants: names of pipelines, projects and artifacts bound what it reaches."


class TenantRoles(Construct):
    """Roles of the tenants' pipelines and of their synth, self-mutation and asset publishing.

    They reach projects and pipelines by name only.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        names: SaasNames,
        targets: WorkloadTargets,
        key: kms.IKey,
        releases: s3.IBucket,
        artifacts: ArtifactStore,
        invoked: Sequence[str] = (),
    ) -> None:
        super().__init__(scope, construct_id)
        self._names = names
        self.build_logs = logs.LogGroup(
            self,
            "BuildLogs",
            log_group_name=names.tenant_builds_log_group,
            encryption_key=key,
            retention=logs.RetentionDays.ONE_YEAR,
            removal_policy=cdk.RemovalPolicy.DESTROY,
        )
        self._stack = cdk.Stack.of(self)
        self.pipeline = self._role(
            "Pipeline", names.tenant_pipeline_role, "codepipeline.amazonaws.com", tenant_pipelines()
        )
        projects = tenant_projects(names)
        self.synth = self._role("Synth", names.tenant_synth_role, "codebuild.amazonaws.com", projects)
        self.self_mutation = self._role("SelfMutation", names.self_mutation_role, "codebuild.amazonaws.com", projects)
        # Pipelines of before have projects of their own, and a rollback brings them back.
        self.asset_publishing = self._role(
            "AssetPublishing",
            names.asset_publishing_role,
            "codebuild.amazonaws.com",
            [*projects, assets_project_arn(names)],
        )
        self._let_look()
        self._grant_pipeline(targets, releases, artifacts.read_write(*TENANT_ARTIFACTS))
        if invoked:
            grant(self.pipeline, allow(["lambda:InvokeFunction"], *invoked), reason=_SHARED)
        self._grant_builds(targets, artifacts)

    def _role(self, construct_id: str, name: str, service: str, sources: Sequence[str]) -> iam.Role:
        principals = [service_of_this_account(self, service, source_arn=source) for source in sources]
        role = iam.Role(self, construct_id, role_name=name, assumed_by=iam.CompositePrincipal(*principals))
        acknowledge_inline_policy(role)
        return role

    def _let_look(self) -> None:
        """Workload accounts know who publishes alone; the function that looks for assets there goes through that role.

        An account as principal, and the role as a condition: one that is made anew is still the same.
        """
        who = iam.AccountRootPrincipal().with_conditions(
            {"ArnEquals": {"aws:PrincipalArn": own_role(self._names.assets_role)}}
        )
        policy = self.asset_publishing.assume_role_policy
        assert policy  # noqa: S101 - what a role that is made here always has
        policy.add_statements(iam.PolicyStatement(actions=["sts:AssumeRole"], principals=[who]))

    def _grant_pipeline(
        self, targets: WorkloadTargets, releases: s3.IBucket, home_artifacts: Sequence[iam.PolicyStatement]
    ) -> None:
        reads = releases.grant_read(self.pipeline, "tenants/*")
        acknowledge_wildcards(
            self.pipeline,
            reads.principal_statements,
            reason="Reads the releases of tenants: each pipeline names its own object, and the role is shared by all.",
        )
        abroad = [region for region in targets.regions if region != self._stack.region]
        builds = ["codebuild:BatchGetBuilds", "codebuild:StartBuild", "codebuild:StopBuild"]
        grant(
            self.pipeline,
            *home_artifacts,
            *(one for region in abroad for one in self._abroad(region)),
            allow(builds, *tenant_projects(self._names)),
            allow(["s3:GetBucketVersioning"], releases.bucket_arn),
            targets.assume_statement("deploy"),
            reason=_SHARED,
        )

    def _abroad(self, region: str) -> list[iam.PolicyStatement]:
        return artifacts_abroad(self._names, self._stack.account, region, *TENANT_ARTIFACTS)

    def _grant_builds(self, targets: WorkloadTargets, artifacts: ArtifactStore) -> None:
        grant(self.synth, *artifacts.read_write(*TENANT_ARTIFACTS), _build_logs(self._names), reason=_SHARED)
        for role in (self.self_mutation, self.asset_publishing):  # they leave no artifact
            reads = artifact_reads(artifacts.bucket, *TENANT_ARTIFACTS)
            grant(role, *reads, _build_logs(self._names), reason=_SHARED)
        parameter = f"arn:{Aws.PARTITION}:ssm:*:{self._stack.account}:parameter{self._names.artifacts_key_parameter}"
        grant(self.synth, allow(["ssm:GetParameter"], parameter), reason=_SHARED)
        # A self-mutation that finds nothing to change installs nothing to change it with.
        compare = allow(["cloudformation:DescribeStacks", "cloudformation:GetTemplate"], *tenant_pipeline_stacks())
        deploy = allow(["sts:AssumeRole"], own_role(self._names.tenant_deploy_role))
        grant(self.self_mutation, deploy, compare, reason=_SHARED)
        grant(
            self.asset_publishing,
            # Before it publishes, the CLI looks at the bootstrap stack there, with the role that would deploy.
            targets.assume_statement("deploy"),
            targets.assume_statement("file-publishing"),
            targets.assume_statement("image-publishing"),
            reason=_SHARED,
        )


def _build_logs(names: SaasNames) -> iam.PolicyStatement:
    """Into the shared group, and into their own as long as a tenant's pipeline is of an earlier release."""
    actions = ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"]
    return allow(actions, *tenant_build_logs(names), shared_build_logs(names))
