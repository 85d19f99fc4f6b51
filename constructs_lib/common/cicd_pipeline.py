"""The factory's own pipeline: source, synth with the test run, self-mutation, and the release that comes after."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import aws_cdk as cdk
from aws_cdk import Aws, pipelines
from aws_cdk import aws_codebuild as codebuild
from aws_cdk import aws_codepipeline as codepipeline
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from constructs_lib.common.acknowledge import acknowledge_inline_policy, acknowledge_key_use, acknowledge_wildcards
from constructs_lib.common.artifact_store import artifact_reads, artifacts_abroad
from constructs_lib.common.bootstrap import bootstrap_statements
from constructs_lib.common.build_commands import BuildCommands
from constructs_lib.common.build_image import BUILD_IMAGE
from constructs_lib.common.cli_projects import publish_assets_with_cli
from constructs_lib.common.encrypted import log_group
from constructs_lib.common.grants import allow, grant
from constructs_lib.common.reports import write_reports
from constructs_lib.common.service_role import service_of_this_account
from constructs_lib.common.source import PipelineSource, SourceProps
from lambdas.common.names import Names

# Where publishing finds the assembly of the synth: beside the source, which is packed as it is.
ASSEMBLY = "../assembly"
_SELF_MUTATE = "self-mutate"
_ARTIFACTS = "Artifacts, in the bucket that holds nothing else, and the pipeline's own builds."


class CicdPipeline(Construct):
    """`<prefix>-cicd`: what passes here is published as a release, which then goes to the tenants ring by ring.

    What rooms contribute (`deploy_rooms`, `before_synth`, `before_release`) is added before `finish`.
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
        stores_abroad: Mapping[str, s3.IBucket],
    ) -> None:
        super().__init__(scope, construct_id)
        self._names = names
        self._key = key
        self._artifact_statements = list(artifact_statements)
        self._artifact_reads = artifact_reads(artifacts, names.cicd_artifacts_prefix)
        self._qualifier = qualifier
        self._regions = regions
        self._cli_version = cli_version
        self._before_release: list[pipelines.Step] = []
        self._rooms: cdk.Stage | None = None
        self._assets_role: iam.Role | None = None
        self.role = self._pipeline_role([artifacts, *stores_abroad.values()])
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
            # The library takes one or the other: with several Regions, all of their buckets.
            artifact_bucket=None if stores_abroad else artifacts,
            cross_region_replication_buckets=(
                {cdk.Stack.of(self).region: artifacts, **stores_abroad} if stores_abroad else None
            ),
        )
        self.synth_role = self._build_role("SynthRole", "synth")
        self_mutate = f"{names.cicd_pipeline}-{_SELF_MUTATE}"
        self.self_mutation_role = self._build_role("SelfMutationRole", _SELF_MUTATE, name=self_mutate, reads_only=True)
        if "reports" in synth.rest:
            reports = write_reports(cdk.Stack.of(self), f"{names.cicd_pipeline}-synth")
            grant(self.synth_role, reports, reason="Reports of tests, in groups of its own.")
        self.synth = self._step("Synth", synth, role=self.synth_role, environment=self._revision, output="cdk.out")
        self.pipeline = pipelines.CodePipeline(
            self,
            "Cdk",
            code_pipeline=self.underlying,
            use_pipeline_role_for_actions=True,
            synth=self.synth,
            cli_version=cli_version,
            publish_assets_in_parallel=False,
            self_mutation_code_build_defaults=pipelines.CodeBuildOptions(
                logging=self._logs("SelfMutationLogs", _SELF_MUTATE, self.self_mutation_role)
            ),
            code_build_defaults=pipelines.CodeBuildOptions(
                build_environment=codebuild.BuildEnvironment(build_image=BUILD_IMAGE)
            ),
        )
        self.publish_role = self._build_role("PublishRole", "publish", reads_only=True)
        self.publish = self._step(
            "Publish",
            publish,
            role=self.publish_role,
            environment={**publish_environment, **self._revision},
            inputs={ASSEMBLY: self.synth},
        )
        self._share_self_mutation_role()

    def finish(self) -> None:
        """Add the release stage and build the pipeline; nothing can be added to it afterwards."""
        for step in self._before_release:
            self.publish.add_step_dependency(step)
        self.pipeline.add_wave("Release", pre=self._before_release, post=[self.publish])
        self.pipeline.build_pipeline()
        if self._rooms and self._assets_role:
            publish_assets_with_cli(
                self.pipeline,
                stack=self._rooms.node.path,
                cli_version=self._cli_version,
                name=lambda job: f"{self._names.cicd_pipeline}-{job}",
                after=self._assets_role,
            )
        self.source.start_on_upload(self.underlying)
        project = self.pipeline.self_mutation_project
        project.node.add_dependency(self.self_mutation_role)
        cfn = project.node.default_child
        assert isinstance(cfn, codebuild.CfnProject)  # noqa: S101 - what an L2 Project always holds
        cfn.name = f"{self._names.cicd_pipeline}-{_SELF_MUTATE}"

    def deploy_rooms(self, stage: cdk.Stage, *, regions: Sequence[str]) -> None:
        """Deploy a stage between self-mutation and the release; its stacks are in this account and these Regions."""
        self._rooms = stage
        self.pipeline.add_stage(stage)
        deploy = bootstrap_statements(self._qualifier, cdk.Stack.of(self), regions=regions, kinds=("deploy",))
        grant(self.role, *deploy, reason=_ARTIFACTS)
        for region in regions:
            if region != cdk.Stack.of(self).region:
                account, prefix = cdk.Stack.of(self).account, self._names.cicd_artifacts_prefix
                grant(self.role, *artifacts_abroad(self._names, account, region, prefix), reason=_ARTIFACTS)
        role = self._assets_role = self._build_role(
            "AssetsRole", "*assets", name=self._names.cicd_assets_role, reads_only=True
        )
        publish = bootstrap_statements(
            self._qualifier,
            cdk.Stack.of(self),
            regions=regions,
            # Before it publishes, the CLI looks at the bootstrap stack there, with the role that would deploy.
            kinds=("deploy", "file-publishing", "image-publishing"),
        )
        grant(role, *publish, self._build_logs("*assets"), reason=_ARTIFACTS)

    def before_synth(self, step: pipelines.CodeBuildStep) -> None:
        """Let the synth wait for a step."""
        self.synth.add_step_dependency(step)

    def before_release(self, step: pipelines.CodeBuildStep) -> None:
        """Let the release wait for a step."""
        self._before_release.append(step)

    def room_step(
        self,
        room: str,
        job: str,
        commands: BuildCommands,
        *,
        statements: Sequence[iam.PolicyStatement],
        environment: Mapping[str, str],
        with_assembly: bool,
        role_name: str | None = None,
    ) -> pipelines.CodeBuildStep:
        """A room's step that runs commands with a role of its own, and with the assembly in `cdk.out`."""
        name = f"{room}-{job}".replace("_", "-")
        role = self._build_role(f"{name}-role", name, name=role_name, reads_only=True)
        reports = write_reports(cdk.Stack.of(self), f"{self._names.cicd_pipeline}-{name}")
        grant(role, *statements, reports, reason="What the room says that its step needs, and reports of its own.")
        return self._step(
            name,
            commands,
            role=role,
            environment={**environment, **self._revision},
            inputs={"cdk.out": self.synth} if with_assembly else None,
        )

    def may_check(self, statements: Sequence[iam.PolicyStatement]) -> None:
        """Let the synth build do what rooms' checks in it need."""
        grant(self.synth_role, *statements, reason="What the room says that its checks need.")

    @property
    def _revision(self) -> Mapping[str, str]:
        """By which builds know what they are about."""
        return {"SOURCE_VERSION": self.source.version}

    def _pipeline_role(self, stores: Sequence[s3.IBucket]) -> iam.Role:
        stack = cdk.Stack.of(self)
        arn = f"arn:{Aws.PARTITION}:codepipeline:{stack.region}:{stack.account}:{self._names.cicd_pipeline}"
        role = iam.Role(
            self, "PipelineRole", assumed_by=service_of_this_account(self, "codepipeline.amazonaws.com", source_arn=arn)
        )
        actions = ["codebuild:BatchGetBuilds", "codebuild:StartBuild", "codebuild:StopBuild"]
        builds = allow(actions, self._project_arn("*"))
        grant(role, *self._artifact_statements, builds, reason=_ARTIFACTS)
        acknowledge_inline_policy(role)
        acknowledge_key_use(role)
        library = allow(
            ["s3:Abort*", "s3:DeleteObject*", "s3:GetBucket*", "s3:GetObject*", "s3:List*"],
            *(store.arn_for_objects("*") for store in stores),
        )
        reason = "What the library grants a pipeline on its artifact buckets, and on no others."
        acknowledge_wildcards(role, [library], reason=reason)
        return role

    def _project_arn(self, job: str) -> str:
        stack = cdk.Stack.of(self)
        project = f"project/{self._names.cicd_pipeline}-{job}"
        return f"arn:{Aws.PARTITION}:codebuild:{stack.region}:{stack.account}:{project}"

    def _build_role(
        self, construct_id: str, job: str, *, name: str | None = None, reads_only: bool = False
    ) -> iam.Role:
        """A build's role; one that `reads_only` cannot replace what later actions take from the artifacts."""
        role = iam.Role(
            self,
            construct_id,
            role_name=name,
            assumed_by=service_of_this_account(self, "codebuild.amazonaws.com", source_arn=self._project_arn(job)),
        )
        grant(role, *(self._artifact_reads if reads_only else self._artifact_statements), reason=_ARTIFACTS)
        acknowledge_inline_policy(role)
        return role

    def _build_logs(self, job: str) -> iam.PolicyStatement:
        """For projects of the library's, whose log groups CodeBuild makes."""
        stack = cdk.Stack.of(self)
        name = f"log-group:/aws/codebuild/{self._names.cicd_pipeline}-{job}"
        group = f"arn:{Aws.PARTITION}:logs:{stack.region}:{stack.account}:{name}"
        return allow(["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"], group, f"{group}:*")

    def _logs(self, construct_id: str, job: str, role: iam.Role) -> codebuild.LoggingOptions:
        group = log_group(self, construct_id, name=f"/aws/codebuild/{self._names.cicd_pipeline}-{job}", key=self._key)
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
        inputs: Mapping[str, pipelines.IFileSetProducer] | None = None,
    ) -> pipelines.CodeBuildStep:
        return pipelines.CodeBuildStep(
            name,
            project_name=f"{self._names.cicd_pipeline}-{name.lower()}",
            input=self.source.source,
            additional_inputs=inputs,
            # The library would add more: deleting artifacts, and log groups and report groups that the build has not.
            role=role.without_policy_updates(),
            logging=self._logs(f"{name}Logs", name.lower(), role),
            build_environment=codebuild.BuildEnvironment(compute_type=codebuild.ComputeType.MEDIUM),
            install_commands=list(commands.install),
            commands=list(commands.build),
            partial_build_spec=codebuild.BuildSpec.from_object(dict(commands.rest)),
            primary_output_directory=output,
            env=environment,
            # What its buildspec says is to be found again by the next build on the same host, if there is one.
            cache=codebuild.Cache.local(codebuild.LocalCacheMode.CUSTOM) if "cache" in commands.rest else None,
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
                f"{self.pipeline.node.path}/Assets/FileRole": self._names.cicd_assets_role,
                f"{self.pipeline.node.path}/Assets/DockerRole": self._names.cicd_assets_role,
            },
        )
