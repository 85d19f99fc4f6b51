"""The CodeBuild project that scans a repository's commits: each push of a branch starts it with that very commit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import aws_cdk as cdk
from aws_cdk import Aws
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_codebuild as codebuild
from aws_cdk import aws_codecommit as codecommit
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as event_targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_s3_assets as assets
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from constructs_lib.common.acknowledge import acknowledge_inline_policy
from constructs_lib.common.alarms import alarm_above
from constructs_lib.common.artifact_store import store_abroad
from constructs_lib.common.build_commands import BuildCommands
from constructs_lib.common.build_image import BUILD_IMAGE
from constructs_lib.common.encrypted import log_group
from constructs_lib.common.grants import allow, grant, use_connection
from constructs_lib.common.left_verdicts import leave_verdicts
from constructs_lib.common.reports import write_reports
from constructs_lib.common.service_role import service_of_this_account
from constructs_lib.common.start_build import start_build
from constructs_lib.gates.repository_pipeline import CLONE, RepositoryPipeline, RepositoryPipelineProps
from constructs_lib.gates.stop_events import say_what_stopped
from lambdas.common.evidence.kept_report import FOLDER
from lambdas.common.evidence.verdict import VERDICTS
from lambdas.common.names import Names

_REASON = "Reports and verdicts come with every push: their folders bound what is written."
_VARIABLES = ("GATED_COMMIT", "GATED_BRANCH")


@dataclass(frozen=True, kw_only=True)
class RepositoryScanProps:
    """What a scan works with: `code` is the factory's own source, which runs; `repository` is what is scanned.

    With a `connection_arn` it is owner/name on the connection's provider, otherwise a name in CodeCommit. In `branches`
    a * stands for any letters; `secrets` are names of what scanners need to know.
    """

    names: Names
    name: str
    repository: str
    connection_arn: str
    branches: Sequence[str]
    secrets: Sequence[str]
    code: assets.Asset
    commands: BuildCommands
    reports: s3.IBucket
    key: kms.IKey
    bus: events.IEventBus
    dead_letters: sqs.Queue
    alarm_actions: Sequence[cloudwatch.IAlarmAction]


class RepositoryScan(Construct):
    """`<prefix>-gates-<name>`. Costs a small build for each push of a branch that matches."""

    def __init__(self, scope: Construct, construct_id: str, *, props: RepositoryScanProps) -> None:
        super().__init__(scope, construct_id)
        self._props = props
        self._name = f"{props.names.room_stack('gates')}-{props.name}"
        self._log_group = log_group(self, "Logs", name=f"/aws/codebuild/{self._name}", key=props.key)
        self.role = self._role()
        self.project = self._project()
        failed = self.project.metric_failed_builds(period=cdk.Duration.minutes(5), statistic="Sum")
        alarm_above(self, "Failed", failed, limit=0, actions=props.alarm_actions)
        if props.connection_arn:
            self._follow_connection()
        else:
            self._start_on_push()

    @cached_property
    def _repository(self) -> codecommit.IRepository:
        return codecommit.Repository.from_repository_name(self, "Repository", self._props.repository)

    @cached_property
    def _artifacts(self) -> s3.IBucket:
        stack = cdk.Stack.of(self)
        return store_abroad(self, names=self._props.names, account=stack.account, region=stack.region)

    def _role(self) -> iam.Role:
        props, stack = self._props, cdk.Stack.of(self)
        here = f"arn:{Aws.PARTITION}:codebuild:{stack.region}:{stack.account}:project/{self._name}"
        role = iam.Role(
            self, "Role", assumed_by=service_of_this_account(self, "codebuild.amazonaws.com", source_arn=here)
        )
        acknowledge_inline_policy(role)
        self._log_group.grant_write(role)
        code = props.code.bucket
        # By its alias: the key's ARN is a parameter, which nobody who looks at the template could judge.
        keys = allow(
            ["kms:Decrypt", "kms:GenerateDataKey"], f"arn:{Aws.PARTITION}:kms:{stack.region}:{stack.account}:key/*"
        )
        keys.add_condition("ForAnyValue:StringEquals", {"kms:ResourceAliases": f"alias/{props.names.prefix}-data"})
        secrets = f"arn:{Aws.PARTITION}:secretsmanager:{stack.region}:{stack.account}:secret"
        grant(
            role,
            allow(["s3:GetObject", "s3:GetObjectVersion"], code.arn_for_objects(props.code.s3_object_key)),
            allow(["s3:GetBucketAcl", "s3:GetBucketLocation"], code.bucket_arn),
            *self._pulling(),
            allow(["s3:PutObject"], props.reports.arn_for_objects(f"{FOLDER}{props.name}/*")),
            leave_verdicts(props.reports.arn_for_objects(f"{VERDICTS}{props.name}/*")),
            keys,
            write_reports(stack, self._name),
            say_what_stopped(props.bus.event_bus_arn, prefix=props.names.prefix),
            *(allow(["secretsmanager:GetSecretValue"], f"{secrets}:{name}-??????") for name in props.secrets),
            reason=_REASON,
        )
        return role

    def _pulling(self) -> Sequence[iam.PolicyStatement]:
        """What fetches the repository; a pipeline hands on where it is, and the code."""
        props, stack = self._props, cdk.Stack.of(self)
        if not props.connection_arn:
            return [allow(["codecommit:GitPull"], self._repository.repository_arn)]
        objects = self._artifacts.arn_for_objects(f"{props.names.room_artifacts_prefix('gates')}*")
        key = allow(["kms:Decrypt"], f"arn:{Aws.PARTITION}:kms:{stack.region}:{stack.account}:key/*")
        key.add_condition("ForAnyValue:StringEquals", {"kms:ResourceAliases": props.names.artifacts_alias})
        return [use_connection(props.connection_arn), allow(["s3:GetObject", "s3:GetObjectVersion"], objects), key]

    def _project(self) -> codebuild.Project:
        props = self._props
        rest, commands = dict(props.commands.rest), {"install": props.commands.install, "build": props.commands.build}
        phases = {name: {**rest["phases"].get(name, {}), "commands": list(words)} for name, words in commands.items()}
        kind = codebuild.PipelineProject if props.connection_arn else codebuild.Project
        return kind(
            self,
            "Project",
            project_name=self._name,
            description=f"Scans commits of the repository {props.repository}; runs nothing of it",
            **({} if props.connection_arn else self._sources()),
            build_spec=codebuild.BuildSpec.from_object({**rest, "phases": phases}),
            environment_variables={"GATED_REPOSITORY": codebuild.BuildEnvironmentVariable(value=props.name)},
            # The library would add more: the code's whole bucket, and log groups and report groups.
            role=self.role.without_policy_updates(),
            encryption_key=props.key,
            environment=codebuild.BuildEnvironment(build_image=BUILD_IMAGE, compute_type=codebuild.ComputeType.SMALL),
            logging=codebuild.LoggingOptions(cloud_watch=codebuild.CloudWatchLoggingOptions(log_group=self._log_group)),
            cache=codebuild.Cache.local(codebuild.LocalCacheMode.CUSTOM),
            timeout=cdk.Duration.minutes(60),
            grant_report_group_permissions=False,
        )

    def _sources(self) -> dict[str, Any]:
        code = self._props.code
        # Without a depth, the whole history comes with it.
        repository = codebuild.Source.code_commit(identifier=CLONE, repository=self._repository)
        return {
            "source": codebuild.Source.s3(bucket=code.bucket, path=code.s3_object_key),
            "secondary_sources": [repository],
        }

    def _follow_connection(self) -> None:
        props = self._props
        given = RepositoryPipelineProps(
            names=props.names,
            name=self._name,
            repository=props.repository,
            connection_arn=props.connection_arn,
            branches=props.branches,
            code=props.code,
            artifacts=self._artifacts,
            project=self.project,
            variables=_VARIABLES,
        )
        failures = RepositoryPipeline(self, "Pipeline", props=given).failures
        alarm_above(self, "Stopped", failures, limit=0, actions=props.alarm_actions)

    def _start_on_push(self) -> None:
        props, stack = self._props, cdk.Stack.of(self)
        rules = f"arn:{Aws.PARTITION}:events:{stack.region}:{stack.account}:rule/{stack.stack_name}-*"
        role = iam.Role(
            self, "EventRole", assumed_by=service_of_this_account(self, "events.amazonaws.com", source_arn=rules)
        )
        acknowledge_inline_policy(role)
        grant(role, start_build(self.project, variables=_VARIABLES), reason="It names no wildcard.")
        commit = events.EventField.from_path("$.detail.commitId")
        branch = events.EventField.from_path("$.detail.referenceName")
        # EventBridge escapes nothing: a name of a branch has no colon, so that it can give no other parameter.
        start = {
            "secondarySourcesVersionOverride": [{"sourceIdentifier": CLONE, "sourceVersion": commit}],
            "environmentVariablesOverride": [
                {"name": name, "type": "PLAINTEXT", "value": value}
                for name, value in zip(_VARIABLES, (commit, branch), strict=True)
            ],
        }
        target = event_targets.CodeBuildProject(
            self.project,
            # The library would let it start builds of anything, by overriding what the project says.
            event_role=role.without_policy_updates(),
            event=events.RuleTargetInput.from_object(start),
            # An event that starts no build is a commit that nobody has scanned.
            dead_letter_queue=props.dead_letters,
        )
        events.Rule(
            self,
            "Pushed",
            description=f"A branch of {props.repository} was pushed",
            event_pattern=self._pushes(),
            targets=[target],
        )

    def _pushes(self) -> events.EventPattern:
        return events.EventPattern(
            source=["aws.codecommit"],
            detail_type=["CodeCommit Repository State Change"],
            resources=[self._repository.repository_arn],
            detail={
                "event": ["referenceCreated", "referenceUpdated"],
                "referenceType": ["branch"],
                "referenceName": [{"wildcard": pattern} for pattern in self._props.branches],
            },
        )
