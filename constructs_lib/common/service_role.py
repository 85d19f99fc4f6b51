"""Service principals guarded against the confused deputy."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from constructs import Construct


def service_of_this_account(scope: Construct, service: str, *, source_arn: str | None = None) -> iam.ServicePrincipal:
    """A service that acts for this account only, and with `source_arn` (a pattern) for those resources only.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html
    """
    conditions: dict[str, dict[str, str]] = {"StringEquals": {"aws:SourceAccount": cdk.Stack.of(scope).account}}
    if source_arn:
        conditions["ArnLike"] = {"aws:SourceArn": source_arn}
    return iam.ServicePrincipal(service, conditions=conditions)
