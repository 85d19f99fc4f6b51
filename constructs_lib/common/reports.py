"""Reports of tests that builds leave in CodeBuild."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import Aws
from aws_cdk import aws_iam as iam

# https://docs.aws.amazon.com/codebuild/latest/userguide/test-permissions.html
_ACTIONS = ("BatchPutTestCases", "CreateReport", "CreateReportGroup", "UpdateReport")


def write_reports(stack: cdk.Stack, project: str) -> iam.PolicyStatement:
    """Allow leaving reports in the groups of a project, whose names begin with its own."""
    group = f"arn:{Aws.PARTITION}:codebuild:{stack.region}:{stack.account}:report-group/{project}-*"
    return iam.PolicyStatement(actions=[f"codebuild:{action}" for action in _ACTIONS], resources=[group])
