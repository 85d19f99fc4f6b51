"""A pipeline of a room: source, synth, self-mutation, and stages in workload accounts; on the roles that it shares."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import aws_cdk as cdk
from aws_cdk import aws_codebuild as codebuild
from aws_cdk import aws_codecommit as codecommit
from aws_cdk import aws_codepipeline as codepipeline
from aws_cdk import aws_codepipeline_actions as actions
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import pipelines
from constructs import Construct

from constructs_lib.common.build_commands import BuildCommands
from constructs_lib.common.build_image import BUILD_IMAGE
from constructs_lib.common.clear_stack import clear_step
from constructs_lib.common.cli_projects import cfn_project, publish_assets_with_cli, run_commands
from constructs_lib.common.room_pipeline_roles import RoomRoles
from constructs_lib.common.source import SourceProps


@dataclass(frozen=True, kw_only=True)
class RoomPipelineProps:
    """What a pipeline is made of: its name, its source, and the artifact keys (ARNs) of the Regions that it needs.

    It starts when its source changes, or each time that the pipeline `after` has succeeded. Further sources are laid
    into the folders of the source that `besides` has them by, and start it as well.
    """

    name: str
    roles: RoomRoles
    source: SourceProps
    synth: BuildCommands
    environment: Mapping[str, str]
    artifact_keys: Mapping[str, str]
    cli_version: str
    after: str = ""
    besides: Mapping[str, SourceProps] = field(default_factory=dict)


class RoomPipeline(Construct):
    """The pipeline; stages are added to it, and then it is finished."""

    def __init__(self, scope: Construct, construct_id: str, *, props: RoomPipelineProps) -> None:
        super().__init__(scope, construct_id)
        self._props = props
        self._stack = cdk.Stack.of(self)
        self._roles: dict[str, iam.IRole] = {}
        self._share_roles()
        self.underlying = self._underlying()
        self.pipeline = pipelines.CodePipeline(
            self,
            "Cdk",
            code_pipeline=self.underlying,
            use_pipeline_role_for_actions=True,
            synth=self._synth(),
            cli_version=props.cli_version,
            publish_assets_in_parallel=False,
            code_build_defaults=pipelines.CodeBuildOptions(
                build_environment=codebuild.BuildEnvironment(build_image=BUILD_IMAGE)
            ),
        )

    def deploy(self, stage: cdk.Stage, *, asked: str = "") -> None:
        """Add a stage of stacks in a workload account, which a person approves before, if there is something to ask."""
        role = self._props.roles.role
        before: list[pipelines.Step] = [
            clear_step(stack, role=self._role("assets"), deploy=role("deploy"), execution=role("execution"))
            for stack in stage.node.children
            if isinstance(stack, cdk.Stack)
        ]
        if asked:
            before.append(pipelines.ManualApprovalStep("Approve", comment=asked))
        self.pipeline.add_stage(stage, pre=before)

    def finish(self) -> None:
        """Build the pipeline after its stages were added."""
        props = self._props
        self.pipeline.build_pipeline()
        path = self._stack.node.path
        cfn_project(self.pipeline.synth_project, name=self._project("synth"))
        mutation = cfn_project(self.pipeline.self_mutation_project, name=self._project("self-mutate"))
        run_commands(mutation, 'python3 self_mutate.py "$PIPELINE_STACK"', stack=path)
        publish_assets_with_cli(self.pipeline, stack=path, cli_version=props.cli_version, name=self._project)
        for project in self.node.find_all():
            if isinstance(project, codebuild.CfnProject):
                project.logs_config = codebuild.CfnProject.LogsConfigProperty(
                    cloud_watch_logs=codebuild.CfnProject.CloudWatchLogsConfigProperty(
                        status="ENABLED", group_name=props.roles.log_group, stream_name=project.name
                    )
                )
        self._start()

    def _project(self, job: str) -> str:
        return f"{self._props.name}-{job}"

    def _role(self, purpose: str) -> iam.IRole:
        if purpose not in self._roles:
            name = self._props.roles.role(purpose)
            self._roles[purpose] = iam.Role.from_role_name(self, f"{purpose.title()}Role", name, mutable=False)
        return self._roles[purpose]

    def _share_roles(self) -> None:
        path, role = f"{self.node.path}/Cdk", self._props.roles.role
        iam.Role.customize_roles(
            self,
            prevent_synthesis=True,
            use_precreated_roles={
                f"{path}/UpdatePipeline/SelfMutation/Role": role("mutate"),
                f"{path}/Assets/FileRole": role("assets"),
                f"{path}/Assets/DockerRole": role("assets"),
            },
        )

    def _underlying(self) -> codepipeline.Pipeline:
        stores = {region: self._artifacts(region) for region in self._props.artifact_keys}
        home = stores[self._stack.region]
        return codepipeline.Pipeline(
            self,
            "Pipeline",
            pipeline_name=self._props.name,
            pipeline_type=codepipeline.PipelineType.V2,
            execution_mode=codepipeline.ExecutionMode.QUEUED,
            restart_execution_on_update=True,
            use_pipeline_role_for_actions=True,
            role=self._role("pipeline"),
            # The library takes one or the other: with several Regions, all of their buckets.
            artifact_bucket=home if len(stores) == 1 else None,
            cross_region_replication_buckets=stores if len(stores) > 1 else None,
        )

    def _artifacts(self, region: str) -> s3.IBucket:
        key = kms.Key.from_key_arn(self, f"ArtifactKey-{region}", self._props.artifact_keys[region])
        name = self._props.roles.names.artifacts_bucket(self._stack.account, region)
        return s3.Bucket.from_bucket_attributes(
            self, f"Artifacts-{region}", bucket_name=name, encryption_key=key, region=region
        )

    def _synth(self) -> pipelines.CodeBuildStep:
        props, source = self._props, self._source(self._props.source, "", starts=not self._props.after)
        attribute = "VersionId" if props.source.provider == "s3" else "CommitId"
        return pipelines.CodeBuildStep(
            "Synth",
            input=source,
            additional_inputs={
                folder: self._source(one, _end(folder), starts=True) for folder, one in props.besides.items()
            },
            role=self._role("synth"),
            install_commands=list(props.synth.install),
            commands=list(props.synth.build),
            partial_build_spec=codebuild.BuildSpec.from_object(dict(props.synth.rest)),
            primary_output_directory="cdk.out",
            env={
                **props.environment,
                "ROOM_PIPELINE": props.name,
                "SOURCE_VERSION": source.source_attribute(attribute),
            },
        )

    def _source(self, source: SourceProps, name: str, *, starts: bool) -> pipelines.CodePipelineSource:
        """The action that gets a source; a connection starts the pipeline itself, if it is to."""
        action = name or "Source"
        if source.provider == "s3":
            bucket = s3.Bucket.from_bucket_name(self, f"{name}SourceBucket", self._bucket)
            return pipelines.CodePipelineSource.s3(
                bucket, source.object_key, action_name=action, trigger=actions.S3Trigger.NONE
            )
        if source.provider == "connection":
            return pipelines.CodePipelineSource.connection(
                source.repository,
                source.branch,
                connection_arn=source.connection_arn,
                action_name=action,
                trigger_on_push=starts,
            )
        repository = codecommit.Repository.from_repository_name(self, f"{name}Repository", source.repository)
        return pipelines.CodePipelineSource.code_commit(
            repository, source.branch, action_name=action, trigger=actions.CodeCommitTrigger.NONE
        )

    @property
    def _bucket(self) -> str:
        return self._props.roles.names.source_bucket(self._stack.account, self._stack.region)

    def _start(self) -> None:
        """Start on what is new, or after another pipeline; a connection tells CodePipeline itself."""
        props = self._props
        for folder, source in props.besides.items():
            self._start_on_new(source, _end(folder))
        if props.after:
            self._start_on(
                "",
                f"{props.after} has succeeded",
                events.EventPattern(
                    source=["aws.codepipeline"],
                    detail_type=["CodePipeline Pipeline Execution State Change"],
                    detail={"pipeline": [props.after], "state": ["SUCCEEDED"]},
                ),
            )
        else:
            self._start_on_new(props.source, "")

    def _start_on_new(self, source: SourceProps, name: str) -> None:
        if source.provider == "s3":
            self._start_on(
                name,
                "A new source was uploaded",
                events.EventPattern(
                    source=["aws.s3"],
                    detail_type=["Object Created"],
                    detail={"bucket": {"name": [self._bucket]}, "object": {"key": [source.object_key]}},
                ),
            )
        elif source.provider == "codecommit":
            self._start_on(
                name,
                "The branch has a new commit",
                events.EventPattern(
                    source=["aws.codecommit"],
                    detail_type=["CodeCommit Repository State Change"],
                    resources=[self._stack.format_arn(service="codecommit", resource=source.repository)],
                    detail={
                        "event": ["referenceCreated", "referenceUpdated"],
                        "referenceType": ["branch"],
                        "referenceName": [source.branch],
                    },
                ),
            )

    def _start_on(self, name: str, what: str, pattern: events.EventPattern) -> None:
        # By its name, the role that deploys it may change no other rule of the room.
        events.Rule(
            self,
            f"{name}Start",
            rule_name="-".join(filter(None, (self._props.name, name, "start"))),
            description=what,
            event_pattern=pattern,
            targets=[targets.CodePipeline(self.underlying, event_role=self._role("start"))],
        )


def _end(folder: str) -> str:
    return folder.rpartition("/")[2]
