"""The resource of CloudWatch Logs requests: AWS evaluates stream operations on the stream, ministack on the bare group.

Policies for writing logs name `log-group:<name>:*`, which a group's ARN without the suffix does not match:
https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazoncloudwatchlogs.html
"""

from __future__ import annotations

from local_cloud.server import iam_gaps
from local_cloud.server.iam_gaps import Request

_STREAM_OPERATIONS = frozenset({"CreateLogStream", "DeleteLogStream", "GetLogEvents", "PutLogEvents"})


def register() -> None:
    """Name the stream as the resource of operations on it."""
    iam_gaps.resource_of("logs", _stream)


def _stream(request: Request) -> str | None:
    group = request.body.get("logGroupName")
    if request.operation not in _STREAM_OPERATIONS or not group:
        return None
    stream = request.body.get("logStreamName", "")
    return f"arn:aws:logs:{request.region}:{request.account}:log-group:{group}:log-stream:{stream}"
