"""The factory's own pipeline: source, synth with the test run, self-mutation, and the release that comes after."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import aws_cdk as cdk
from aws_cdk import Aws, pipelines
from aws_cdk import aws_codebuild as codebuild
from aws_cdk import aws_codepipeline as codepipeline
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3
from constructs import Construct

from constructs_lib.common.acknowledge import (
    acknowledge_actions,
    acknowledge_inline_policy,
    acknowledge_key_use,
)
from constructs_lib.common.bootstrap import bootstrap_statements
from constructs_lib.common.build_commands import BuildCommands
from constructs_lib.common.build_image import BUILD_IMAGE
from constructs_lib.common.grants import grant
from constructs_lib.common.service_role import service_of_this_account
from constructs_lib.common.source import PipelineSource, SourceProps
from lambdas.common.names import Names

_SELF_MUTATE = "self-mutate"
_ARTIFACTS = "Artifacts, in the bucket that holds nothing else, and the pipeline's own builds."


class CicdPipeline(Construct):
    """`<prefix>-cicd`: what passes here is published as the current release.

    Stages of later parts are added to `pipeline` before `finish`.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        names: Names,
        source: SourceProps,
        artifacts: s3.IBucket,
        artifact_statements: Sequence[iam.PolicyStatement],
        key: kms.IKey,
        access_logs: s3.IBucket,
        qualifier: str,
        regions: Sequence[str],
        cli_version: str,
        synth: BuildCommands,
        publish: BuildCommands,
        publish_environment: Mapping[str, str],
    ) -> None:
        super().__init__(scope, construct_id)
        self._names = names
        self._key = key
        self._artifact_statements = list(artifact_statements)
        self._qualifier = qualifier
        self._regions = regions
        self.role = self._pipeline_role()
        self.source = PipelineSource(
            self, "Source", names=names, props=source, key=key, access_logs=access_logs, pipeline_role=self.role
        )
        self.underlying = codepipeline.Pipeline(
            self,
            "Pipeline",
            pipeline_name=names.cicd_pipeline,
            pipeline_type=codepipeline.PipelineType.V2,
            execution_mode=codepipeline.ExecutionMode.QUEUED,
            restart_execution_on_update=True,
            use_pipeline_role_for_actions=True,
            role=self.role,
            artifact_bucket=artifacts,
        )
        self.synth_role = self._build_role("SynthRole", "synth")
        self_mutate = f"{names.cicd_pipeline}-{_SELF_MUTATE}"
        self.self_mutation_role = self._build_role("SelfMutationRole", _SELF_MUTATE, name=self_mutate)
        self.pipeline = pipelines.CodePipeline(
            self,
            "Cdk",
            code_pipeline=self.underlying,
            use_pipeline_role_for_actions=True,
            synth=self._step("Synth", synth, role=self.synth_role, output="cdk.out"),
            cli_version=cli_version,
            publish_assets_in_parallel=False,
            self_mutation_code_build_defaults=pipelines.CodeBuildOptions(
                logging=self._logs("SelfMutationLogs", _SELF_MUTATE, self.self_mutation_role)
            ),
            code_build_defaults=pipelines.CodeBuildOptions(
                build_environment=codebuild.BuildEnvironment(build_image=BUILD_IMAGE)
            ),
        )
        self.publish_role = self._build_role("PublishRole", "publish")
        self.publish = self._step(
            "Publish",
            publish,
            role=self.publish_role,
            environment={**publish_environment, "SOURCE_VERSION": self.source.version},
        )
        self._share_self_mutation_role()

    def finish(self) -> None:
        """Add the release stage and build the pipeline; nothing can be added to it afterwards."""
        self.pipeline.add_wave("Release", post=[self.publish])
        self.pipeline.build_pipeline()
        self.source.start_on_upload(self.underlying)
        project = self.pipeline.self_mutation_project
        project.node.add_dependency(self.self_mutation_role)
        cfn = project.node.default_child
        assert isinstance(cfn, codebuild.CfnProject)  # noqa: S101 - what an L2 Project always holds
        cfn.name = f"{self._names.cicd_pipeline}-{_SELF_MUTATE}"

    def _pipeline_role(self) -> iam.Role:
        stack = cdk.Stack.of(self)
        arn = f"arn:{Aws.PARTITION}:codepipeline:{stack.region}:{stack.account}:{self._names.cicd_pipeline}"
        role = iam.Role(
            self, "PipelineRole", assumed_by=service_of_this_account(self, "codepipeline.amazonaws.com", source_arn=arn)
        )
        builds = iam.PolicyStatement(
            actions=["codebuild:BatchGetBuilds", "codebuild:StartBuild", "codebuild:StopBuild"],
            resources=[self._project_arn("*")],
        )
        grant(role, *self._artifact_statements, builds, reason=_ARTIFACTS)
        acknowledge_inline_policy(role)
        acknowledge_key_use(role)
        acknowledge_actions(
            role,
            "s3:Abort*",
            "s3:DeleteObject*",
            "s3:GetBucket*",
            "s3:GetObject*",
            "s3:List*",
            reason="What the library grants a pipeline on its artifact bucket, and on no other.",
        )
        return role

    def _project_arn(self, job: str) -> str:
        stack = cdk.Stack.of(self)
        project = f"project/{self._names.cicd_pipeline}-{job}"
        return f"arn:{Aws.PARTITION}:codebuild:{stack.region}:{stack.account}:{project}"

    def _build_role(self, construct_id: str, job: str, *, name: str | None = None) -> iam.Role:
        role = iam.Role(
            self,
            construct_id,
            role_name=name,
            assumed_by=service_of_this_account(self, "codebuild.amazonaws.com", source_arn=self._project_arn(job)),
        )
        grant(role, *self._artifact_statements, reason=_ARTIFACTS)
        acknowledge_inline_policy(role)
        return role

    def _logs(self, construct_id: str, job: str, role: iam.Role) -> codebuild.LoggingOptions:
        group = logs.LogGroup(
            self,
            construct_id,
            log_group_name=f"/aws/codebuild/{self._names.cicd_pipeline}-{job}",
            encryption_key=self._key,
            retention=logs.RetentionDays.ONE_YEAR,
            removal_policy=cdk.RemovalPolicy.DESTROY,
        )
        group.grant_write(role)
        return codebuild.LoggingOptions(cloud_watch=codebuild.CloudWatchLoggingOptions(log_group=group))

    def _step(
        self,
        name: str,
        commands: BuildCommands,
        *,
        role: iam.Role,
        environment: Mapping[str, str] | None = None,
        output: str | None = None,
    ) -> pipelines.CodeBuildStep:
        return pipelines.CodeBuildStep(
            name,
            project_name=f"{self._names.cicd_pipeline}-{name.lower()}",
            input=self.source.source,
            # The library would add more: deleting artifacts, and log groups and report groups that the build has not.
            role=role.without_policy_updates(),
            logging=self._logs(f"{name}Logs", name.lower(), role),
            build_environment=codebuild.BuildEnvironment(compute_type=codebuild.ComputeType.MEDIUM),
            install_commands=list(commands.install),
            commands=list(commands.build),
            partial_build_spec=codebuild.BuildSpec.from_object(dict(commands.rest)),
            primary_output_directory=output,
            env=environment,
        )

    def _share_self_mutation_role(self) -> None:
        """Replace CDK's role, which may assume any bootstrap role of the account by tag, by one that names them."""
        name = f"{self._names.cicd_pipeline}-{_SELF_MUTATE}"
        statements = bootstrap_statements(self._qualifier, cdk.Stack.of(self), regions=self._regions)
        grant(self.self_mutation_role, *statements, reason=_ARTIFACTS)
        iam.Role.customize_roles(
            self.pipeline,
            use_precreated_roles={
                f"{self.pipeline.node.path}/UpdatePipeline/SelfMutation/Role": name,
                f"{self.pipeline.node.path}/Assets/FileRole": name,
            },
        )
