"""Patterns of what tenants have in the toolchain's account; nothing else spells them."""

from __future__ import annotations

from aws_cdk import Aws

from lambdas.saas.model.names import DEPLOYMENT_TYPES, SaasNames, pipeline_name

# Why a role may reach what a pattern covers.
BOUND_BY_NAMES = "Tenants come and go without a deployment of the toolchain: names bound what is reached."

# Names of the pipelines and of the stacks that hold them.
TENANT_PIPELINES = tuple(pipeline_name(kind, "*") for kind in DEPLOYMENT_TYPES)

# What the keys of the pipelines' artifacts begin with: CodePipeline begins them with the pipeline's name.
TENANT_ARTIFACTS = tuple(f"{kind}-" for kind in DEPLOYMENT_TYPES)


def tenant_pipelines(below: str = "") -> list[str]:
    """ARNs of the pipelines, or of what is below them (`/*`: stages)."""
    return [f"{_arn('codepipeline')}:{pipeline}{below}" for pipeline in TENANT_PIPELINES]


def all_pipelines() -> str:
    """What a list of pipelines is of: that has no names to be bound by."""
    return f"{_arn('codepipeline')}:*"


def tenant_pipeline_stacks() -> list[str]:
    """ARNs of the stacks that hold the pipelines."""
    return [f"{_arn('cloudformation')}:stack/{pipeline}/*" for pipeline in TENANT_PIPELINES]


def tenant_support_stacks() -> list[str]:
    """ARNs of the stacks that CDK puts beside the pipelines' in other Regions."""
    return [f"{_arn('cloudformation', '*')}:stack/{pipeline}-support-*/*" for pipeline in TENANT_PIPELINES]


def tenant_projects(names: SaasNames) -> list[str]:
    """ARNs of the pipelines' build projects."""
    return [f"{_arn('codebuild')}:project/{names.prefix}-{kind}-*" for kind in DEPLOYMENT_TYPES]


def tenant_build_logs(names: SaasNames, below: str = "") -> list[str]:
    """ARNs of the log groups that projects had of their own, or of what is below them (`:*`: streams)."""
    group = f"{_arn('logs')}:log-group:/aws/codebuild/{names.prefix}"
    return [f"{group}-{kind}-*{below}" for kind in DEPLOYMENT_TYPES]


def shared_build_logs(names: SaasNames) -> str:
    """ARN of the streams of the log group that all tenants' builds share."""
    return f"{_arn('logs')}:log-group:{names.tenant_builds_log_group}:*"


def _arn(service: str, region: str = Aws.REGION) -> str:
    return f"arn:{Aws.PARTITION}:{service}:{region}:{Aws.ACCOUNT_ID}"
