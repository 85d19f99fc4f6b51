"""The CodePipeline API: reads requests, checks them against the service's model, answers in JSON 1.1."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from local_cloud.codepipeline import api_executions, api_jobs, api_pipelines, host
from local_cloud.codepipeline.errors import ServiceError
from local_cloud.codepipeline.model import problems, service_model

Operation = Callable[[Mapping[str, Any]], dict[str, Any]]
OPERATIONS: Mapping[str, Operation] = {
    **api_pipelines.OPERATIONS,
    **api_executions.OPERATIONS,
    **api_jobs.OPERATIONS,
}
_HEADERS = {"Content-Type": "application/x-amz-json-1.1"}


def answer(operation: str, body: bytes) -> host.Response:
    """Execute one request."""
    try:
        result = _operation(operation)(_request(operation, body))
    except ServiceError as error:
        document = {"__type": error.code, "message": error.message}
        return 400, dict(_HEADERS), json.dumps(document).encode()
    return 200, dict(_HEADERS), json.dumps(result).encode()


def _operation(name: str) -> Operation:
    try:
        return OPERATIONS[name]
    except KeyError:
        raise ServiceError("InvalidAction", f"The local cloud does not implement codepipeline:{name}") from None


def _request(operation: str, body: bytes) -> dict[str, Any]:
    try:
        request: dict[str, Any] = json.loads(body or b"{}")
    except ValueError as error:
        raise ServiceError("SerializationException", f"The request is not JSON: {error}") from error
    shape = service_model().operation_model(operation).input_shape
    if found := problems(request, shape):
        raise ServiceError("ValidationException", f"{len(found)} validation error(s): {'; '.join(found)}")
    return request
