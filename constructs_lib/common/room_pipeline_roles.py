"""The roles that all pipelines of a room share, in the toolchain's account: `<prefix>-<room>-*`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import aws_cdk as cdk
from aws_cdk import Aws
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

from constructs_lib.common.acknowledge import acknowledge_inline_policy
from constructs_lib.common.artifact_store import artifacts_abroad
from constructs_lib.common.encrypted import log_group
from constructs_lib.common.grants import allow, grant, own_role
from constructs_lib.common.pipeline_deployment import DeployedPipelines, PipelineDeployment
from constructs_lib.common.service_role import service_of_this_account
from constructs_lib.common.targets import WorkloadTargets
from lambdas.common.names import WORKLOAD_ROLE_PATH, Names

_REASON = "One role serves all pipelines of the room: names of pipelines, projects and artifacts bound what it reaches."
_BUILDS = ("BatchGetBuilds", "StartBuild", "StopBuild")


@dataclass(frozen=True, kw_only=True)
class RoomRoles:
    """Names of the roles, of their log group, and patterns of what they reach."""

    names: Names
    room: str

    def role(self, purpose: str) -> str:
        """`pipeline`, `synth`, `mutate`, `assets`, `start`, `pipeline-deploy` or `pipeline-execution`."""
        return self.names.room_role(self.room, purpose)

    @property
    def log_group(self) -> str:
        return f"/aws/codebuild/{self.names.room_stack(self.room)}"

    @property
    def folder(self) -> str:
        """Where templates of the pipelines' stacks are in the bootstrap bucket."""
        return f"{self.room}/"

    def arn(self, service: str, resource: str) -> str:
        """Pattern of what bears the room's names in the toolchain's account and Region."""
        name = self.names.room_stack(self.room)
        return f"arn:{Aws.PARTITION}:{service}:{Aws.REGION}:{Aws.ACCOUNT_ID}:{resource}{name}-*"

    def deployed(self) -> DeployedPipelines:
        """The stacks that hold the pipelines."""
        return DeployedPipelines(
            deploy_role=self.role("pipeline-deploy"),
            execution_role=self.role("pipeline-execution"),
            folder=self.folder,
            stacks=[f"{self.arn('cloudformation', 'stack/')}-pipeline/*"],
            pipelines=[self.arn("codepipeline", "")],
            projects=[self.arn("codebuild", "project/")],
            pipeline_role=self.role("pipeline"),
            build_roles=[self.role(one) for one in ("synth", "mutate", "assets")],
            rules=[f"{self.arn('events', 'rule/')}-start"],
            start_role=self.role("start"),
        )


class RoomPipelineRoles(Construct):
    """The roles. `source` is what the pipeline's role needs to read the source, `checks` what the synth's checks do.

    `provisioners` are names of further roles that deploy the pipelines' stacks.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        roles: RoomRoles,
        targets: WorkloadTargets,
        qualifier: str,
        key: kms.IKey,
        regions: Sequence[str],
        source: Sequence[iam.PolicyStatement],
        checks: Sequence[iam.PolicyStatement],
        provisioners: Sequence[str] = (),
    ) -> None:
        super().__init__(scope, construct_id)
        self._roles, self._targets, self._stack = roles, targets, cdk.Stack.of(self)
        self._regions = regions
        log_group(self, "BuildLogs", name=roles.log_group, key=key)
        pipelines, projects = roles.arn("codepipeline", ""), roles.arn("codebuild", "project/")
        self.pipeline = self._role("pipeline", "codepipeline.amazonaws.com", pipelines)
        synth = self._role("synth", "codebuild.amazonaws.com", projects)
        mutate = self._role("mutate", "codebuild.amazonaws.com", projects)
        assets = self._role("assets", "codebuild.amazonaws.com", projects)
        start = self._role("start", "events.amazonaws.com", roles.arn("events", "rule/"))
        grant(
            self.pipeline,
            *self._artifacts(),
            *source,
            allow([f"codebuild:{one}" for one in _BUILDS], projects),
            self._workload("deploy"),
            reason=_REASON,
        )
        grant(synth, *self._artifacts(), self._logs(), *checks, self._key_parameter(), reason=_REASON)
        grant(
            mutate,
            *self._artifacts(writes=False),
            self._logs(),
            allow(["cloudformation:DescribeStacks", "cloudformation:GetTemplate"], *roles.deployed().stacks),
            allow(["sts:AssumeRole"], own_role(roles.role("pipeline-deploy"))),
            reason=_REASON,
        )
        grant(
            assets,
            *self._artifacts(writes=False),
            self._logs(),
            # Before it publishes, the CLI looks at the bootstrap stack there, with the role that would deploy.
            self._workload("deploy"),
            self._workload("publish"),
            reason=_REASON,
        )
        grant(start, allow(["codepipeline:StartPipelineExecution"], pipelines), reason=_REASON)
        PipelineDeployment(
            self,
            "Deployment",
            deployed=roles.deployed(),
            qualifier=qualifier,
            deployers=[own_role(name) for name in (roles.role("mutate"), *provisioners)],
            reason=_REASON,
        )

    def _role(self, purpose: str, service: str, source: str) -> iam.Role:
        principal = service_of_this_account(self, service, source_arn=source)
        role = iam.Role(self, purpose.title(), role_name=self._roles.role(purpose), assumed_by=principal)
        acknowledge_inline_policy(role)
        return role

    def _artifacts(self, *, writes: bool = True) -> list[iam.PolicyStatement]:
        names, prefix = self._roles.names, self._roles.names.room_artifacts_prefix(self._roles.room)
        account = self._stack.account
        return [
            statement
            for region in self._regions
            for statement in artifacts_abroad(names, account, region, prefix, writes=writes)
        ]

    def _workload(self, purpose: str) -> iam.PolicyStatement:
        return self._targets.assume_named(f"{WORKLOAD_ROLE_PATH[1:]}{self._roles.role(purpose)}")

    def _logs(self) -> iam.PolicyStatement:
        group = f"arn:{Aws.PARTITION}:logs:{Aws.REGION}:{Aws.ACCOUNT_ID}:log-group:{self._roles.log_group}"
        return allow(["logs:CreateLogStream", "logs:PutLogEvents"], f"{group}:*")

    def _key_parameter(self) -> iam.PolicyStatement:
        parameter = f"parameter{self._roles.names.artifacts_key_parameter}"
        return allow(["ssm:GetParameter"], f"arn:{Aws.PARTITION}:ssm:*:{Aws.ACCOUNT_ID}:{parameter}")
