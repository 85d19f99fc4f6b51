"""A tenant's own self-mutating pipeline, on the artifact stores, roles and keys that all tenants share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import aws_cdk as cdk
from aws_cdk import aws_codebuild as codebuild
from aws_cdk import aws_codepipeline as codepipeline
from aws_cdk import aws_codepipeline_actions as actions
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import pipelines
from constructs import Construct

from constructs_lib.common.build_commands import BuildCommands
from constructs_lib.common.build_image import BUILD_IMAGE
from constructs_lib.common.cli_projects import cfn_project, install_cli, run_commands
from constructs_lib.saas.asset_action import ask_for_assets
from lambdas.saas.model.names import SaasNames, pipeline_name
from lambdas.saas.model.record import DeploymentRecord, Wanted
from lambdas.saas.model.releases import tenant_key

# What comes before the stages that deploy; Assets only when there are any.
_PREPARING_STAGES = frozenset({"Source", "Build", "UpdatePipeline", "Assets"})
# A build for which CodeBuild has no place fails at once, and nothing of it is deployed.
_RETRIED_STAGES = frozenset({"Build", "UpdatePipeline"})
_RETRY = {"Result": "RETRY", "RetryConfiguration": {"RetryMode": "FAILED_ACTIONS"}}


@dataclass(frozen=True, kw_only=True)
class SharedToolchain:
    """What tenants' pipelines share; it lives in the toolchain stacks and is known here by name.

    `artifact_keys` gives, by Region, the ARN of the artifact key: the toolchain's Region and each Region deployed to. A
    cross-account action needs the ARN; an alias is only good within its own account.
    """

    names: SaasNames
    artifact_keys: Mapping[str, str]
    cli_version: str


class TenantPipeline(Construct):
    """Source (a pinned release), synth, self-mutation and the stages added to it.

    Costs three resources, no role, key or bucket among them: those of the toolchain serve all tenants, and the default
    quota of 1,000 roles an account does not end the factory. Nor does a pipeline publish assets: it asks for them.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        record: DeploymentRecord,
        shared: SharedToolchain,
        synth: BuildCommands,
    ) -> None:
        super().__init__(scope, construct_id)
        self._record = record
        self._shared = shared
        self._stack = cdk.Stack.of(self)
        self._share_roles()
        self.underlying = self._build_underlying()
        self.pipeline = pipelines.CodePipeline(
            self,
            "Cdk",
            code_pipeline=self.underlying,
            use_pipeline_role_for_actions=True,
            synth=self._build_synth(synth),
            cli_version=shared.cli_version,
            publish_assets_in_parallel=False,
            code_build_defaults=pipelines.CodeBuildOptions(
                build_environment=codebuild.BuildEnvironment(build_image=BUILD_IMAGE)
            ),
        )

    def finish(self, *, forward_only: bool = False) -> None:
        """Build the pipeline after its stages were added, and say what becomes of stages that fail.

        Where the component declares a task after which nothing leads back, CodePipeline rolls nothing back: it asks
        nobody. The release does, tenant by tenant, where the task has not run.
        """
        self.pipeline.build_pipeline()
        cfn = self.underlying.node.default_child
        assert isinstance(cfn, codepipeline.CfnPipeline)  # noqa: S101 - what an L2 Pipeline always holds
        for index, stage in enumerate(self.underlying.stages):
            if stage.stage_name not in _PREPARING_STAGES and not forward_only:
                cfn.add_property_override(f"Stages.{index}.OnFailure", {"Result": "ROLLBACK"})
            elif stage.stage_name in _RETRIED_STAGES:
                cfn.add_property_override(f"Stages.{index}.OnFailure", _RETRY)
        path, version = self._stack.node.path, self._shared.cli_version
        cfn_project(self.pipeline.synth_project, name=self._project("synth"))
        mutation = cfn_project(self.pipeline.self_mutation_project, name=self._project("self-mutate"))
        run_commands(mutation, _self_mutation(version), stack=path)
        ask_for_assets(
            self.pipeline,
            function=self._shared.names.assets_function,
            parameters={"deployment": self._record.id, "type": self._record.type, "cli_version": version},
        )
        self._log_into_the_shared_group()

    def _log_into_the_shared_group(self) -> None:
        """Groups of their own would have neither key nor retention, unless each tenant had them as resources."""
        for project in self.node.find_all():
            if isinstance(project, codebuild.CfnProject):
                project.logs_config = codebuild.CfnProject.LogsConfigProperty(
                    cloud_watch_logs=codebuild.CfnProject.CloudWatchLogsConfigProperty(
                        status="ENABLED",
                        group_name=self._shared.names.tenant_builds_log_group,
                        stream_name=project.name,
                    )
                )

    def _share_roles(self) -> None:
        names = self._shared.names
        cdk_path = f"{self.node.path}/Cdk"
        iam.Role.customize_roles(
            self,
            prevent_synthesis=True,
            use_precreated_roles={
                f"{cdk_path}/UpdatePipeline/SelfMutation/Role": names.self_mutation_role,
                f"{cdk_path}/Assets/FileRole": names.asset_publishing_role,
                f"{cdk_path}/Assets/DockerRole": names.asset_publishing_role,
            },
        )

    def _build_underlying(self) -> codepipeline.Pipeline:
        record, home = self._record, self._stack.region
        regions = dict.fromkeys((home, *(region for _, region in record.places)))
        abroad = len(regions) > 1
        return codepipeline.Pipeline(
            self,
            "Pipeline",
            pipeline_name=pipeline_name(record.type, record.id),
            pipeline_type=codepipeline.PipelineType.V2,
            execution_mode=codepipeline.ExecutionMode.QUEUED,
            restart_execution_on_update=True,
            use_pipeline_role_for_actions=True,
            role=self._role("PipelineRole", self._shared.names.tenant_pipeline_role),
            # The library takes one or the other: with several Regions, all of their buckets.
            artifact_bucket=None if abroad else self._artifacts(home),
            cross_region_replication_buckets=(
                {region: self._artifacts(region) for region in regions} if abroad else None
            ),
        )

    def _build_synth(self, synth: BuildCommands) -> pipelines.CodeBuildStep:
        record = self._record
        releases = s3.Bucket.from_bucket_name(
            self, "Releases", self._shared.names.releases_bucket(self._stack.account, self._stack.region)
        )
        source = pipelines.CodePipelineSource.s3(
            releases, tenant_key(record.type, record.id), action_name="Release", trigger=actions.S3Trigger.NONE
        )
        return pipelines.CodeBuildStep(
            "Synth",
            input=source,
            role=self._role("SynthRole", self._shared.names.tenant_synth_role),
            install_commands=list(synth.install),
            commands=list(synth.build),
            partial_build_spec=codebuild.BuildSpec.from_object(dict(synth.rest)),
            primary_output_directory="cdk.out",
            env=_environment(record),
        )

    def _role(self, construct_id: str, name: str) -> iam.IRole:
        return iam.Role.from_role_name(self, construct_id, name, mutable=False)

    def _artifacts(self, region: str) -> s3.IBucket:
        key = kms.Key.from_key_arn(self, f"ArtifactKey-{region}", self._shared.artifact_keys[region])
        return s3.Bucket.from_bucket_attributes(
            self,
            f"Artifacts-{region}",
            bucket_name=self._shared.names.artifacts_bucket(self._stack.account, region),
            encryption_key=key,
            region=region,
        )

    def _project(self, job: str) -> str:
        return self._shared.names.tenant_project(self._record.type, self._record.id, job)


def _self_mutation(cli_version: str) -> str:
    """What to run comes with the assembly; older ones bring nothing, and are deployed."""
    deploy = 'cdk --app . deploy "$PIPELINE_STACK" --require-approval never --verbose'
    script = 'python3 self_mutate.py "$PIPELINE_STACK"'
    return f"if [ -f self_mutate.py ]; then {script}; else {install_cli(cli_version)} && {deploy}; fi"


def _environment(record: DeploymentRecord) -> dict[str, str]:
    """The record as the synth reads it: four variables, and all of it when a field is given that they do not have.

    What decides nothing of what is deployed stays out, so that it changes no template.
    """
    without_consents = replace(record.unpinned(), allow_move=False, allow_adopt="")
    deployed = replace(without_consents, ring="", state=Wanted.ACTIVE.value, external_id="")
    variables = {
        "DEPLOYMENT_ID": record.id,
        "DEPLOYMENT_TYPE": record.type,
        "DEPLOYMENT_ACCOUNT": record.account,
        "DEPLOYMENT_REGION": record.region,
    }
    required = DeploymentRecord(id=record.id, type=record.type, account=record.account, region=record.region)
    return variables if deployed == required else {**variables, "DEPLOYMENT_RECORD": deployed.to_json()}
