"""Adds the service to the server; before moto's services, which leave alone what is there."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from typing import Any, cast

from ministack import app
from ministack.core import iam_actions, router
from ministack.core.concurrency import run_reentrant
from ministack.services.cloudformation import provisioners

from local_cloud.securityhub import api, authorization, hubs
from local_cloud.server import iam_gaps
from local_cloud.server.responses import Response

_SCOPE = "securityhub"


def register() -> None:
    """Add the API, the CloudFormation type and the IAM resources; once, before serving."""
    router.SERVICE_PATTERNS[_SCOPE] = {"target_prefixes": [], "credential_scope": _SCOPE}
    iam_actions.SERVICE_TO_IAM_NAMESPACE[_SCOPE] = _SCOPE
    iam_actions._BOTOCORE_SERVICE_MAP[_SCOPE] = [_SCOPE]
    app.SERVICE_HANDLERS[_SCOPE] = _handle
    iam_gaps.resource_of(_SCOPE, authorization.resource_arn)
    provisioners._RESOURCE_HANDLERS["AWS::SecurityHub::Hub"] = {"create": _create, "delete": _delete}


async def _handle(
    method: str, path: str, headers: Mapping[str, str], body: bytes, query: Mapping[str, Any]
) -> Response:
    action = iam_actions.extract_iam_action(_SCOPE, method, path, dict(headers), body, dict(query)) or ":"
    answer = run_reentrant(api.answer, action.partition(":")[2], body, thread_name=_SCOPE)
    return await cast("Awaitable[Response]", answer)


def _create(_logical_id: str, _properties: Mapping[str, Any], _stack_name: str) -> tuple[str, dict[str, Any]]:
    arn = hubs.enable().arn
    return arn, {"ARN": arn}


def _delete(_physical_id: str, _properties: Mapping[str, Any]) -> None:
    hubs.disable()
