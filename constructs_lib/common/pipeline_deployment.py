"""The roles that stacks with pipelines are deployed, changed and deleted with, in the toolchain's account.

The builds of such a pipeline decide what stands in its stack. So these stacks are no business of the bootstrap roles:
theirs passes a role to CloudFormation that may do everything in the account.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import aws_cdk as cdk
from aws_cdk import Aws
from aws_cdk import aws_iam as iam
from constructs import Construct

from constructs_lib.common.acknowledge import acknowledge_inline_policy
from constructs_lib.common.grants import allow, grant, own_role, pass_role
from constructs_lib.common.stack_deployment import READ_STACKS, deploys

_PIPELINES = (
    "CreatePipeline",
    "DeletePipeline",
    "GetPipeline",
    "GetPipelineState",
    "ListTagsForResource",
    "StartPipelineExecution",
    "TagResource",
    "UntagResource",
    "UpdatePipeline",
)
_RULES = ("DeleteRule", "DescribeRule", "PutRule", "PutTargets", "RemoveTargets", "TagResource", "UntagResource")
_PROJECTS = ("BatchGetProjects", "CreateProject", "DeleteProject", "UpdateProject")


@dataclass(frozen=True, kw_only=True)
class DeployedPipelines:
    """Stacks with pipelines: names of the roles that deploy them and that CloudFormation acts with, and what they hold.

    `folder` is where their templates are in the bootstrap bucket: beside the toolchain's assets, never in their place.
    The others are patterns (ARNs): of the stacks, of those of before that are only deleted, of pipelines, projects and
    rules; and names of the roles that these bear.
    """

    deploy_role: str
    execution_role: str
    folder: str
    stacks: Sequence[str]
    pipelines: Sequence[str]
    projects: Sequence[str]
    pipeline_role: str
    build_roles: Sequence[str]
    former_stacks: Sequence[str] = ()
    rules: Sequence[str] = ()
    start_role: str = ""


def pipeline_synthesizer(*, deploy_role: str, execution_role: str, folder: str) -> cdk.DefaultStackSynthesizer:
    """How such a stack is deployed: everything is done as the roles below."""
    account = "arn:${AWS::Partition}:iam::${AWS::AccountId}:role"
    deploy = f"{account}/{deploy_role}"
    return cdk.DefaultStackSynthesizer(
        bucket_prefix=folder,
        cloud_formation_execution_role=f"{account}/{execution_role}",
        deploy_role_arn=deploy,
        file_asset_publishing_role_arn=deploy,
        lookup_role_arn=deploy,
    )


class PipelineDeployment(Construct):
    """The role that deploys, and the one that CloudFormation acts with; `deployers` are the ARNs of who may deploy."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        deployed: DeployedPipelines,
        qualifier: str,
        deployers: Sequence[str],
        reason: str,
    ) -> None:
        super().__init__(scope, construct_id)
        stack = cdk.Stack.of(self)
        self._deployed, self._reason = deployed, reason
        self._version = (
            f"arn:{Aws.PARTITION}:ssm:{stack.region}:{stack.account}:parameter/cdk-bootstrap/{qualifier}/version"
        )
        self.execution = self._role(
            "Execution", deployed.execution_role, iam.ServicePrincipal("cloudformation.amazonaws.com")
        )
        # An account as principal, and the roles as a condition: a role that is made anew is still the same.
        who = iam.PrincipalWithConditions(
            iam.AccountRootPrincipal(), {"ArnEquals": {"aws:PrincipalArn": list(deployers)}}
        )
        self.deploy = self._role("Deploy", deployed.deploy_role, who)
        self._grant_deploy(f"arn:{Aws.PARTITION}:s3:::cdk-{qualifier}-assets-{stack.account}-{stack.region}")
        self._grant_execution()

    def _role(self, construct_id: str, name: str, principal: iam.IPrincipal) -> iam.Role:
        role = iam.Role(self, construct_id, role_name=name, assumed_by=principal)
        acknowledge_inline_policy(role)
        return role

    def _grant_deploy(self, assets: str) -> None:
        """What the CDK CLI does to deploy a stack, and whoever deletes one."""
        deployed = self._deployed
        former = [allow(["cloudformation:DeleteStack", *READ_STACKS], *deployed.former_stacks)]
        grant(
            self.deploy,
            *deploys(deployed.stacks, execution=own_role(deployed.execution_role)),
            # Those of before; with these roles none can be made. They go as they were deployed.
            *(former if deployed.former_stacks else ()),
            allow(["s3:GetBucketLocation", "s3:GetEncryptionConfiguration", "s3:ListBucket"], assets),
            allow(["s3:AbortMultipartUpload", "s3:GetObject", "s3:PutObject"], f"{assets}/{deployed.folder}*"),
            allow(["ssm:GetParameter", "ssm:GetParameters"], self._version),
            reason=self._reason,
        )

    def _grant_execution(self) -> None:
        """What CloudFormation does with the resources that these stacks have; roles are none of them."""
        deployed = self._deployed
        grant(
            self.execution,
            allow([f"codepipeline:{action}" for action in _PIPELINES], *deployed.pipelines),
            allow([f"codebuild:{action}" for action in _PROJECTS], *deployed.projects),
            pass_role("codepipeline", own_role(deployed.pipeline_role)),
            pass_role("codebuild", *map(own_role, deployed.build_roles)),
            # The handler of pipelines looks at the role that it passes.
            allow(["iam:GetRole"], own_role(deployed.pipeline_role)),
            *self._rules(),
            # Every template has the version of the bootstrap stack as a parameter.
            allow(["ssm:GetParameters"], self._version),
            reason=self._reason,
        )

    def _rules(self) -> list[iam.PolicyStatement]:
        """Rules that start a pipeline; those of tenants are started by the factory."""
        deployed = self._deployed
        if not deployed.rules:
            return []
        return [
            allow([f"events:{action}" for action in _RULES], *deployed.rules),
            pass_role("events", own_role(deployed.start_role)),
        ]
