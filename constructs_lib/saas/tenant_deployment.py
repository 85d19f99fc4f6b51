"""The roles that the stacks with tenants' pipelines are deployed, changed and deleted with, in the toolchain's account.

A tenant's build decides what stands in its stack. So these stacks are no business of the bootstrap roles: theirs passes
a role to CloudFormation that may do everything in the account.
"""

from __future__ import annotations

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import Aws
from aws_cdk import aws_iam as iam
from constructs import Construct

from constructs_lib.common.acknowledge import acknowledge_inline_policy
from constructs_lib.common.grants import allow, grant, pass_role
from constructs_lib.common.stack_deployment import READ_STACKS, deploys
from constructs_lib.saas.tenant_arns import (
    BOUND_BY_NAMES,
    own_role,
    tenant_pipeline_stacks,
    tenant_pipelines,
    tenant_projects,
    tenant_support_stacks,
)
from lambdas.saas.model.names import SaasNames

# Where the stacks' templates are in the bootstrap bucket: beside the assets of the toolchain, and never in their place.
_ASSETS = "tenants/"


def tenant_synthesizer(names: SaasNames) -> cdk.DefaultStackSynthesizer:
    """How the stack with a tenant's pipeline is deployed: everything is done as the roles below."""
    account = "arn:${AWS::Partition}:iam::${AWS::AccountId}:role"
    deploy = f"{account}/{names.tenant_deploy_role}"
    return cdk.DefaultStackSynthesizer(
        bucket_prefix=_ASSETS,
        cloud_formation_execution_role=f"{account}/{names.tenant_execution_role}",
        deploy_role_arn=deploy,
        file_asset_publishing_role_arn=deploy,
        lookup_role_arn=deploy,
    )


class TenantDeployment(Construct):
    """The role that deploys, and the one that CloudFormation acts with; `deployers` are the ARNs of who may deploy."""

    def __init__(
        self, scope: Construct, construct_id: str, *, names: SaasNames, qualifier: str, deployers: Sequence[str]
    ) -> None:
        super().__init__(scope, construct_id)
        stack = cdk.Stack.of(self)
        self._names = names
        self._version = (
            f"arn:{Aws.PARTITION}:ssm:{stack.region}:{stack.account}:parameter/cdk-bootstrap/{qualifier}/version"
        )
        self.execution = self._role(
            "Execution", names.tenant_execution_role, iam.ServicePrincipal("cloudformation.amazonaws.com")
        )
        # An account as principal, and the roles as a condition: a role that is made anew is still the same.
        who = iam.PrincipalWithConditions(
            iam.AccountRootPrincipal(), {"ArnEquals": {"aws:PrincipalArn": list(deployers)}}
        )
        self.deploy = self._role("Deploy", names.tenant_deploy_role, who)
        self._grant_deploy(f"arn:{Aws.PARTITION}:s3:::cdk-{qualifier}-assets-{stack.account}-{stack.region}")
        self._grant_execution()

    def _role(self, construct_id: str, name: str, principal: iam.IPrincipal) -> iam.Role:
        role = iam.Role(self, construct_id, role_name=name, assumed_by=principal)
        acknowledge_inline_policy(role)
        return role

    def _grant_deploy(self, assets: str) -> None:
        """What the CDK CLI does to deploy a stack, and the lifecycle function to delete one."""
        execution = own_role(self._names.tenant_execution_role)
        grant(
            self.deploy,
            *deploys(tenant_pipeline_stacks(), execution=execution),
            # Those of before; with these roles none can be made. They go as they were deployed.
            allow(["cloudformation:DeleteStack", *READ_STACKS], *tenant_support_stacks()),
            allow(["s3:GetBucketLocation", "s3:GetEncryptionConfiguration", "s3:ListBucket"], assets),
            allow(["s3:AbortMultipartUpload", "s3:GetObject", "s3:PutObject"], f"{assets}/{_ASSETS}*"),
            allow(["ssm:GetParameter", "ssm:GetParameters"], self._version),
            reason=BOUND_BY_NAMES,
        )

    def _grant_execution(self) -> None:
        """What CloudFormation does with the resources that these stacks have; roles are none of them."""
        names = self._names
        pipelines = (
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
        projects = ("BatchGetProjects", "CreateProject", "DeleteProject", "UpdateProject")
        builds = (names.tenant_synth_role, names.self_mutation_role, names.asset_publishing_role)
        grant(
            self.execution,
            allow([f"codepipeline:{action}" for action in pipelines], *tenant_pipelines()),
            allow([f"codebuild:{action}" for action in projects], *tenant_projects(names)),
            pass_role("codepipeline", own_role(names.tenant_pipeline_role)),
            pass_role("codebuild", *(own_role(name) for name in builds)),
            # The handler of pipelines looks at the role that it passes.
            allow(["iam:GetRole"], own_role(names.tenant_pipeline_role)),
            # Every template has the version of the bootstrap stack as a parameter.
            allow(["ssm:GetParameters"], self._version),
            reason=BOUND_BY_NAMES,
        )
