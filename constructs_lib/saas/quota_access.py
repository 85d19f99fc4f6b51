"""What a role needs to compare quotas with what is in use."""

from __future__ import annotations

from aws_cdk import aws_iam as iam

from constructs_lib.common.grants import allow, grant

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


def let_read_quotas(role: iam.Role) -> None:
    """Let a role read the quotas of its account, and count pipelines, projects and stacks."""
    grant(
        role,
        allow(QUOTA_ACTIONS, "*"),
        reason="Quotas and lists belong to the account: IAM knows no resource for these actions, and all only read.",
    )
