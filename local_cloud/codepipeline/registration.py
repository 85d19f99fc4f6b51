"""Adds the service to the server."""

from __future__ import annotations

from local_cloud.codepipeline import api, authorization, cfn, host, targets
from local_cloud.server import iam_gaps


def register() -> None:
    """Add the API, the CloudFormation type, the IAM resources and the EventBridge targets; once, before serving."""
    api.SERVICE.register()
    host.allow_large_templates()
    iam_gaps.resource_of("codepipeline", authorization.resource_arn)
    cfn.register()
    targets.register()
