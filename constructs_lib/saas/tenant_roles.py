"""The roles that every tenant's pipeline shares."""

from __future__ import annotations

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import Aws
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from constructs import Construct

from constructs_lib.common.acknowledge import acknowledge_inline_policy, acknowledge_wildcards
from constructs_lib.common.artifact_store import artifacts_abroad
from constructs_lib.common.bootstrap import bootstrap_statements
from constructs_lib.common.service_role import service_of_this_account
from constructs_lib.common.targets import WorkloadTargets
from lambdas.saas.model.names import DEPLOYMENT_TYPES, SaasNames


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
        releases: s3.IBucket,
        home_artifacts: Sequence[iam.PolicyStatement],
        invoked: Sequence[str] = (),
    ) -> None:
        super().__init__(scope, construct_id)
        self._names = names
        self._stack = cdk.Stack.of(self)
        self.pipeline = self._role(
            "Pipeline", names.tenant_pipeline_role, "codepipeline.amazonaws.com", self._pipelines()
        )
        self.synth = self._role("Synth", names.tenant_synth_role, "codebuild.amazonaws.com", self._projects())
        self.self_mutation = self._role(
            "SelfMutation", names.self_mutation_role, "codebuild.amazonaws.com", self._projects()
        )
        self.asset_publishing = self._role(
            "AssetPublishing", names.asset_publishing_role, "codebuild.amazonaws.com", self._projects()
        )
        self._grant_pipeline(targets, releases, home_artifacts)
        if invoked:
            _add(self.pipeline, [iam.PolicyStatement(actions=["lambda:InvokeFunction"], resources=list(invoked))])
        for role in (self.synth, self.self_mutation, self.asset_publishing):
            _add(role, [*home_artifacts, self._build_logs()])
        self._grant_parameters()
        _add(self.self_mutation, [*bootstrap_statements(targets.qualifier, self._stack), self._compare_stacks()])
        _add(
            self.asset_publishing,
            [
                # Before it publishes, the CLI looks at the bootstrap stack there, with the role that would deploy.
                targets.assume_statement("deploy"),
                targets.assume_statement("file-publishing"),
                targets.assume_statement("image-publishing"),
            ],
        )

    def _pipelines(self) -> list[str]:
        arn = f"arn:{Aws.PARTITION}:codepipeline:{self._stack.region}:{self._stack.account}"
        return [f"{arn}:silo-*-pipeline", f"{arn}:pool-*-pipeline"]

    def _projects(self) -> list[str]:
        arn = f"arn:{Aws.PARTITION}:codebuild:{self._stack.region}:{self._stack.account}:project/{self._names.prefix}"
        return [f"{arn}-silo-*", f"{arn}-pool-*"]

    def _role(self, construct_id: str, name: str, service: str, sources: Sequence[str]) -> iam.Role:
        principals = [service_of_this_account(self, service, source_arn=source) for source in sources]
        role = iam.Role(self, construct_id, role_name=name, assumed_by=iam.CompositePrincipal(*principals))
        acknowledge_inline_policy(role)
        return role

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
        _add(
            self.pipeline,
            [
                *home_artifacts,
                *(
                    statement
                    for region in abroad
                    for statement in artifacts_abroad(self._names, self._stack.account, region)
                ),
                iam.PolicyStatement(
                    actions=["codebuild:BatchGetBuilds", "codebuild:StartBuild", "codebuild:StopBuild"],
                    resources=self._projects(),
                ),
                iam.PolicyStatement(actions=["s3:GetBucketVersioning"], resources=[releases.bucket_arn]),
                targets.assume_statement("deploy"),
            ],
        )

    def _compare_stacks(self) -> iam.PolicyStatement:
        """A self-mutation that finds nothing to change installs nothing to change it with."""
        arn = f"arn:{Aws.PARTITION}:cloudformation:{self._stack.region}:{self._stack.account}:stack"
        return iam.PolicyStatement(
            actions=["cloudformation:DescribeStacks", "cloudformation:GetTemplate"],
            resources=[f"{arn}/{kind}-*-pipeline/*" for kind in DEPLOYMENT_TYPES],
        )

    def _build_logs(self) -> iam.PolicyStatement:
        group = (
            f"arn:{Aws.PARTITION}:logs:{self._stack.region}:{self._stack.account}"
            f":log-group:/aws/codebuild/{self._names.prefix}"
        )
        return iam.PolicyStatement(
            actions=["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"],
            resources=[f"{group}-silo-*", f"{group}-pool-*"],
        )

    def _grant_parameters(self) -> None:
        parameter = self._names.artifacts_key_parameter
        _add(
            self.synth,
            [
                iam.PolicyStatement(
                    actions=["ssm:GetParameter"],
                    resources=[f"arn:{Aws.PARTITION}:ssm:*:{self._stack.account}:parameter{parameter}"],
                )
            ],
        )


def _add(role: iam.Role, statements: Sequence[iam.PolicyStatement]) -> None:
    for statement in statements:
        role.add_to_policy(statement)
    acknowledge_wildcards(
        role,
        statements,
        reason="One role serves all tenants: names of pipelines, projects and artifacts bound what it reaches.",
    )
