"""A CodeCommit service over bare git repositories, for ministack; pull requests and comments are not part of it.

https://docs.aws.amazon.com/codecommit/latest/APIReference/Welcome.html
"""

from __future__ import annotations

from local_cloud.codecommit import api, authorization
from local_cloud.server import iam_gaps

__all__ = ["register"]


def register() -> None:
    """Add the API, its IAM resources and its condition keys; once, before serving. git has a front door of its own."""
    api.SERVICE.register()
    iam_gaps.resource_of("codecommit", authorization.resource_arn)
    iam_gaps.context_of("codecommit", authorization.context)
