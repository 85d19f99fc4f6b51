"""Adds the service to the server; before moto's services, which leave alone what is there.

https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsiamaccessanalyzer.html
"""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from typing import Any, cast

from ministack import app
from ministack.core import iam_actions, router
from ministack.core.concurrency import run_reentrant

from local_cloud.accessanalyzer import api
from local_cloud.server import iam_gaps
from local_cloud.server.responses import Response

_SCOPE = "access-analyzer"


def register() -> None:
    """Add the API and the IAM resources; once, before serving."""
    router.SERVICE_PATTERNS[_SCOPE] = {"target_prefixes": [], "credential_scope": _SCOPE}
    iam_actions.SERVICE_TO_IAM_NAMESPACE[_SCOPE] = _SCOPE
    iam_actions._BOTOCORE_SERVICE_MAP[_SCOPE] = [api.SERVICE]
    app.SERVICE_HANDLERS[_SCOPE] = _handle
    iam_gaps.resource_of(_SCOPE, _resource_arn)


async def _handle(
    method: str, path: str, headers: Mapping[str, str], body: bytes, query: Mapping[str, Any]
) -> Response:
    action = iam_actions.extract_iam_action(_SCOPE, method, path, dict(headers), body, dict(query)) or ":"
    operation = action.partition(":")[2]
    answer = run_reentrant(api.answer, operation, path, body, query, thread_name=_SCOPE)
    return await cast("Awaitable[Response]", answer)


def _resource_arn(request: iam_gaps.Request) -> str:
    """The analyzer that a request is about; what is about none is evaluated on `*`."""
    named = request.body.get("analyzerArn") or next(iter(request.query.get("analyzerArn", [])), "")
    if request.operation == "CreateAnalyzer":
        name = request.body.get("analyzerName")
        named = f"arn:aws:access-analyzer:{request.region}:{request.account}:analyzer/{name}"
    return str(named or "*")
