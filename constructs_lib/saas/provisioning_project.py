"""The CodeBuild project that reconciles deployments with their rows."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_codebuild as codebuild
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from constructs_lib.common.acknowledge import acknowledge_inline_policy, acknowledge_key_use, acknowledge_wildcards
from constructs_lib.common.build_image import BUILD_IMAGE
from constructs_lib.common.encrypted import log_group
from constructs_lib.common.grants import allow, grant
from constructs_lib.common.service_role import service_of_this_account
from constructs_lib.common.start_build import start_build
from lambdas.saas.model.names import SaasNames
from lambdas.saas.store.builds import BUILD_VARIABLES


def start_builds(project: codebuild.IProject, *, releases: s3.IBucket) -> iam.PolicyStatement:
    """Allow starting builds of a release, as the project says, and no others."""
    return start_build(project, variables=BUILD_VARIABLES, location=f"{releases.bucket_name}/releases/*")


# What a provisioning build calls in its own account; IAM knows no resource for any of it.
# https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
QUOTA_ACTIONS = (
    "cloudformation:DescribeAccountLimits",
    "cloudformation:ListStacks",
    "codebuild:ListProjects",
    "codepipeline:ListPipelines",
    "servicequotas:GetAWSDefaultServiceQuota",
    "servicequotas:GetServiceQuota",
)


class ProvisioningProject(Construct):
    """Builds take their source, pinned by version, from a release: `StartBuild` names it."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        names: SaasNames,
        key: kms.IKey,
        releases: s3.IBucket,
    ) -> None:
        super().__init__(scope, construct_id)
        builds = service_of_this_account(self, "codebuild.amazonaws.com")
        self.role = iam.Role(self, "Role", role_name=names.provisioning_role, assumed_by=builds)
        self.log_group = log_group(self, "Logs", name=f"/aws/codebuild/{names.provisioning_project}", key=key)
        self.log_group.grant_write(self.role)
        acknowledge_inline_policy(self.role)
        acknowledge_key_use(self.role)
        acknowledge_wildcards(
            self.role,
            releases.grant_read(self.role).principal_statements,
            reason="Reads the release that the build was started with, and its own; any of them may be asked for.",
        )
        self.project = codebuild.Project(
            self,
            "Project",
            project_name=names.provisioning_project,
            description="Makes the pipelines of deployments match their rows",
            source=codebuild.Source.s3(bucket=releases, path="releases/"),
            build_spec=codebuild.BuildSpec.from_source_filename("buildspecs/saas/provision/buildspec.yaml"),
            # The library would add the log groups and report groups of the name, beside the one log group above.
            role=self.role.without_policy_updates(),
            encryption_key=key,
            environment=codebuild.BuildEnvironment(build_image=BUILD_IMAGE, compute_type=codebuild.ComputeType.MEDIUM),
            logging=codebuild.LoggingOptions(cloud_watch=codebuild.CloudWatchLoggingOptions(log_group=self.log_group)),
            timeout=cdk.Duration.minutes(60),
            # A queued build holds no claim; after this long, a build that the sweep starts is as good.
            queued_timeout=cdk.Duration.minutes(30),
            grant_report_group_permissions=False,
        )

    def let_read_quotas(self) -> None:
        """Let builds read the quotas of the account, and count pipelines, projects and stacks."""
        reason = "Quotas and lists belong to the account: IAM knows no resource for these actions, and all only read."
        grant(self.role, allow(QUOTA_ACTIONS, "*"), reason=reason)
