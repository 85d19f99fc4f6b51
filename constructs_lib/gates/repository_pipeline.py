"""The pipeline that follows a repository behind a connection: CodeConnections says nothing to EventBridge."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import aws_cdk as cdk
from aws_cdk import Aws
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_codebuild as codebuild
from aws_cdk import aws_codepipeline as codepipeline
from aws_cdk import aws_codepipeline_actions as actions
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_s3_assets as assets
from constructs import Construct

from constructs_lib.common.acknowledge import acknowledge_inline_policy
from constructs_lib.common.artifact_store import artifacts_abroad
from constructs_lib.common.grants import allow, grant, use_connection
from constructs_lib.common.service_role import service_of_this_account
from lambdas.common.names import Names

# What the build knows the clone by: CODEBUILD_SRC_DIR_repository.
CLONE = "repository"
# https://docs.aws.amazon.com/codepipeline/latest/userguide/syntax-glob.html: one * would stop at a slash.
_GLOB = str.maketrans({"*": "**", "{": "\\{", "}": "\\}"})
_READ_CODE = ["s3:GetObject", "s3:GetObjectTagging", "s3:GetObjectVersion"]
_READ_BUCKET = ["s3:GetBucketAcl", "s3:GetBucketLocation", "s3:GetBucketVersioning", "s3:ListBucket"]
_BUILDS = ["codebuild:BatchGetBuilds", "codebuild:StartBuild", "codebuild:StopBuild"]


@dataclass(frozen=True, kw_only=True)
class RepositoryPipelineProps:
    """What a pipeline works with: `code` is what runs, `variables` are by which the build knows commit and branch.

    `repository` is owner/name on the connection's provider; in `branches` a * stands for any letters.
    """

    names: Names
    name: str
    repository: str
    connection_arn: str
    branches: Sequence[str]
    code: assets.Asset
    artifacts: s3.IBucket
    project: codebuild.Project
    variables: Sequence[str]


class RepositoryPipeline(Construct):
    """Each push of a branch that matches is an execution of its own, with a full clone of that commit.

    Executions are parallel, so that none is superseded: each commit has its verdict. `failures` is the metric of those
    that failed, also of those that came to no build.
    """

    def __init__(self, scope: Construct, construct_id: str, *, props: RepositoryPipelineProps) -> None:
        super().__init__(scope, construct_id)
        clone, code = codepipeline.Artifact(CLONE), codepipeline.Artifact("code")
        pushed = _pushed(props, clone)
        codepipeline.Pipeline(
            self,
            "Resource",
            pipeline_name=props.name,
            pipeline_type=codepipeline.PipelineType.V2,
            execution_mode=codepipeline.ExecutionMode.PARALLEL,
            # The library would add more: all artifacts of the factory.
            role=self._role(props).without_policy_updates(),
            use_pipeline_role_for_actions=True,
            artifact_bucket=props.artifacts,
            stages=[
                codepipeline.StageProps(stage_name="Source", actions=[pushed, _code(props, code)]),
                codepipeline.StageProps(stage_name="Scan", actions=[_scan(props, pushed, code, clone)]),
            ],
            triggers=[_trigger(pushed, props.branches)],
        )
        self.failures = cloudwatch.Metric(
            namespace="AWS/CodePipeline",
            metric_name="FailedPipelineExecutions",
            dimensions_map={"PipelineName": props.name},
            period=cdk.Duration.minutes(5),
            statistic="Sum",
        )

    def _role(self, props: RepositoryPipelineProps) -> iam.Role:
        stack, names = cdk.Stack.of(self), props.names
        here = f"arn:{Aws.PARTITION}:codepipeline:{stack.region}:{stack.account}:{props.name}"
        role = iam.Role(
            self, "Role", assumed_by=service_of_this_account(self, "codepipeline.amazonaws.com", source_arn=here)
        )
        acknowledge_inline_policy(role)
        code = props.code.bucket
        grant(
            role,
            use_connection(props.connection_arn),
            allow(_READ_CODE, code.arn_for_objects(props.code.s3_object_key)),
            allow(_READ_BUCKET, code.bucket_arn),
            allow(_BUILDS, props.project.project_arn),
            *artifacts_abroad(names, stack.account, stack.region, names.room_artifacts_prefix("gates")),
            reason="Artifacts of this room's pipelines, below a prefix that no other has.",
        )
        return role


def _pushed(props: RepositoryPipelineProps, clone: codepipeline.Artifact) -> actions.CodeStarConnectionsSourceAction:
    owner, _, name = props.repository.rpartition("/")
    return actions.CodeStarConnectionsSourceAction(
        action_name="Repository",
        connection_arn=props.connection_arn,
        owner=owner,
        repo=name,
        # Only of an execution that is started by hand.
        branch=next((one for one in props.branches if "*" not in one), "main"),
        code_build_clone_output=True,
        output=clone,
    )


def _code(props: RepositoryPipelineProps, code: codepipeline.Artifact) -> actions.S3SourceAction:
    return actions.S3SourceAction(
        action_name="Code",
        bucket=props.code.bucket,
        bucket_key=props.code.s3_object_key,
        trigger=actions.S3Trigger.NONE,
        output=code,
    )


def _scan(
    props: RepositoryPipelineProps,
    pushed: actions.CodeStarConnectionsSourceAction,
    code: codepipeline.Artifact,
    clone: codepipeline.Artifact,
) -> actions.CodeBuildAction:
    told = zip(props.variables, (pushed.variables.commit_id, pushed.variables.branch_name), strict=True)
    return actions.CodeBuildAction(
        action_name="Scan",
        project=props.project,
        input=code,
        extra_inputs=[clone],
        environment_variables={name: codebuild.BuildEnvironmentVariable(value=value) for name, value in told},
    )


def _trigger(pushed: actions.CodeStarConnectionsSourceAction, branches: Sequence[str]) -> codepipeline.TriggerProps:
    patterns = codepipeline.GitPushFilter(branches_includes=[one.translate(_GLOB) for one in branches])
    return codepipeline.TriggerProps(
        provider_type=codepipeline.ProviderType.CODE_STAR_SOURCE_CONNECTION,
        git_configuration=codepipeline.GitConfiguration(source_action=pushed, push_filter=[patterns]),
    )
