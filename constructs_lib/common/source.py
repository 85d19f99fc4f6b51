"""Where the source comes from: CodeCommit, a connection (GitHub, GitLab, Bitbucket) or S3."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import aws_cdk as cdk
from aws_cdk import Aws, pipelines
from aws_cdk import aws_codecommit as codecommit
from aws_cdk import aws_codepipeline as codepipeline
from aws_cdk import aws_codepipeline_actions as actions
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from constructs_lib.common.acknowledge import acknowledge_inline_policy, acknowledge_wildcards
from constructs_lib.common.grants import allow, use_connection
from constructs_lib.common.private_bucket import PrivateBucket
from constructs_lib.common.service_role import service_of_this_account
from lambdas.common.names import Names

# https://docs.aws.amazon.com/codepipeline/latest/userguide/how-to-custom-role.html
_READ_COMMITS = ("CancelUploadArchive", "GetBranch", "GetCommit", "GetUploadArchiveStatus", "UploadArchive")


@dataclass(frozen=True, kw_only=True)
class SourceProps:
    """The provider and what it needs; of the other fields only those of the provider are read."""

    provider: Literal["codecommit", "connection", "s3"]
    object_key: str = ""
    repository: str = ""
    branch: str = ""
    connection_arn: str = ""


class PipelineSource(Construct):
    """The CI/CD pipeline's source; `source` goes into the pipeline and `version` is its resolved revision."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        names: Names,
        props: SourceProps,
        key: kms.IKey,
        access_logs: s3.IBucket,
        pipeline_role: iam.Role,
    ) -> None:
        super().__init__(scope, construct_id)
        self._names = names
        self._props = props
        self._role = pipeline_role
        self.bucket: s3.Bucket | None = None
        if props.provider == "s3":
            self.source = self._from_s3(key, access_logs)
            self.version = self.source.source_attribute("VersionId")
        else:
            self.source = self._from_codecommit() if props.provider == "codecommit" else self._from_connection()
            self.version = self.source.source_attribute("CommitId")

    def _from_s3(self, key: kms.IKey, access_logs: s3.IBucket) -> pipelines.CodePipelineSource:
        stack = cdk.Stack.of(self)
        self.bucket = PrivateBucket(
            self,
            "Bucket",
            name=self._names.source_bucket(stack.account, stack.region),
            key=key,
            access_logs=access_logs,
            noncurrent_days=90,
            event_bridge=True,
        ).bucket
        acknowledge_wildcards(
            self._role,
            self.bucket.grant_read(self._role).principal_statements,
            reason="Reads the source, in the bucket that holds nothing else.",
        )
        return pipelines.CodePipelineSource.s3(
            self.bucket, self._props.object_key, action_name="Source", trigger=actions.S3Trigger.NONE
        )

    def _from_codecommit(self) -> pipelines.CodePipelineSource:
        repository = codecommit.Repository.from_repository_name(self, "Repository", self._props.repository)
        return pipelines.CodePipelineSource.code_commit(
            repository, self._props.branch, action_name="Source", event_role=self._event_role()
        )

    def _from_connection(self) -> pipelines.CodePipelineSource:
        # The library grants the older of the service's two names only.
        self._role.add_to_policy(use_connection(self._props.connection_arn))
        return pipelines.CodePipelineSource.connection(
            self._props.repository,
            self._props.branch,
            connection_arn=self._props.connection_arn,
            action_name="Source",
        )

    def _event_role(self) -> iam.Role:
        """The role with which EventBridge starts the pipeline; the library's own would trust rules of any account."""
        stack = cdk.Stack.of(self)
        rules = f"arn:{Aws.PARTITION}:events:{stack.region}:{stack.account}:rule/*"
        role = iam.Role(
            self, "EventRole", assumed_by=service_of_this_account(self, "events.amazonaws.com", source_arn=rules)
        )
        acknowledge_inline_policy(role)
        return role

    def start_on_upload(self, pipeline: codepipeline.Pipeline) -> None:
        """Start the pipeline when a new source is uploaded; the other providers tell CodePipeline themselves."""
        if self.bucket is None:
            return
        events.Rule(
            self,
            "Uploaded",
            description="A new source was uploaded",
            event_pattern=events.EventPattern(
                source=["aws.s3"],
                detail_type=["Object Created"],
                detail={"bucket": {"name": [self.bucket.bucket_name]}, "object": {"key": [self._props.object_key]}},
            ),
            targets=[targets.CodePipeline(pipeline, event_role=self._event_role())],
        )


def reading_source(
    props: SourceProps, *, names: Names, account: str, region: str, key_arn: str
) -> list[iam.PolicyStatement]:
    """What the role of a pipeline needs that reads the factory's source at a branch or object key of its own.

    `key_arn` is of the key that the bucket of uploaded sources is encrypted with.
    """
    if props.provider == "connection":
        return [use_connection(props.connection_arn)]
    if props.provider == "codecommit":
        repository = f"arn:{Aws.PARTITION}:codecommit:{region}:{account}:{props.repository}"
        return [allow([f"codecommit:{one}" for one in _READ_COMMITS], repository)]
    bucket = f"arn:{Aws.PARTITION}:s3:::{names.source_bucket(account, region)}"
    return [
        allow(["s3:GetObject", "s3:GetObjectVersion"], f"{bucket}/{props.object_key}"),
        allow(["s3:GetBucketLocation", "s3:GetBucketVersioning"], bucket),
        allow(["kms:Decrypt", "kms:DescribeKey"], key_arn),
    ]
