"""The server's own endpoints under /_local/, and the hook that applies faults and counts calls."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qs
from xml.sax.saxutils import escape

from ministack import app as ministack_app
from ministack.core import iam_actions
from ministack.core.responses import get_account_id
from ministack.core.router import detect_service

from local_cloud import osv
from local_cloud.server.faults import InvalidFault, board, calls
from local_cloud.server.responses import Response

Asgi = Callable[[dict[str, Any], Callable[..., Awaitable[Any]], Callable[..., Awaitable[None]]], Awaitable[None]]

_SERVER_ERRORS = {
    "ServiceUnavailable",
    "ServiceUnavailableException",
    "SlowDown",
    "InternalError",
    "InternalFailure",
    "InternalServerError",
    "InternalServiceError",
}


def with_control_endpoints(application: Asgi) -> Asgi:
    """The ASGI application with /_local/ and advisories in front: not authenticated, and no service of AWS's."""

    async def wrapped(
        scope: dict[str, Any], receive: Callable[..., Awaitable[Any]], send: Callable[..., Awaitable[None]]
    ) -> None:
        if scope["type"] != "http" or not scope["path"].startswith(("/_local/", osv.PATH)):
            await application(scope, receive, send)
            return
        query = parse_qs(scope.get("query_string", b"").decode())
        status, payload = _answer(scope["method"], scope["path"], query, await read_body(receive))
        await send(
            {"type": "http.response.start", "status": status, "headers": [(b"content-type", b"application/json")]}
        )
        await send({"type": "http.response.body", "body": json.dumps(payload).encode()})

    return wrapped


def hook_dispatch() -> None:
    """Let every AWS request pass through the fault board and the call counter."""
    original = ministack_app._dispatch_service_request

    async def dispatch(  # noqa: PLR0917 - the signature is ministack's
        method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, Any], request_id: str
    ) -> Response:
        operation = _operation(method, path, headers, body, query)
        error = board.error_for(operation)
        if error is not None:
            response = _error_response(operation, error, headers, request_id)
        else:
            response = await original(method, path, headers, body, query, request_id)
        calls.record(operation=operation, account=get_account_id(), status=response[0])
        return response

    ministack_app._dispatch_service_request = dispatch


async def read_body(receive: Callable[..., Awaitable[Any]]) -> bytes:
    """The whole body of a request."""
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return body


def _answer(method: str, path: str, query: dict[str, list[str]], body: bytes) -> tuple[int, dict[str, Any]]:
    if path == osv.PATH and method == "POST":
        return osv.answer(body)
    if path == "/_local/calls" and method == "GET":
        return 200, calls.matching(service=query.get("service", [None])[0], operation=query.get("operation", [None])[0])
    if path != "/_local/faults" or method not in ("GET", "PUT", "DELETE"):
        return 404, {"message": f"{method} {path}: known are GET, PUT, DELETE /_local/faults; GET /_local/calls."}
    if method == "PUT":
        try:
            board.order(json.loads(body))
        except (ValueError, AttributeError) as error:
            reason = str(error) if isinstance(error, InvalidFault) else f"the body is not a JSON object: {error}"
            return 400, {"message": reason}
    if method == "DELETE":
        board.clear()
    return 200, board.as_dict()


def _operation(method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, Any]) -> str:
    parameters = ministack_app._routing_params(method, path, headers, body, query)
    service = detect_service(method, path, headers, parameters)
    action = iam_actions.extract_iam_action(service, method, path, headers, body, parameters)
    if action is not None:
        return f"{service}:{action.split(':', 1)[1]}"
    target = headers.get("x-amz-target", "")
    return f"{service}:{target.rsplit('.', 1)[-1] or method}"


def _error_response(operation: str, code: str, headers: dict[str, str], request_id: str) -> Response:
    """The error in the service's own protocol, as its SDK client parses it."""
    service = operation.split(":", 1)[0]
    status = 503 if code in _SERVER_ERRORS else 400
    message = f"{code} of {operation}, ordered from the local cloud's fault board"
    if service == "s3":
        xml = f"<Error><Code>{escape(code)}</Code><Message>{escape(message)}</Message></Error>"
        return status, {"Content-Type": "application/xml"}, xml.encode()
    if service == "route53" or "x-www-form-urlencoded" in headers.get("content-type", ""):
        xml = (
            f"<ErrorResponse><Error><Type>Sender</Type><Code>{escape(code)}</Code>"
            f"<Message>{escape(message)}</Message></Error><RequestId>{request_id}</RequestId></ErrorResponse>"
        )
        return status, {"Content-Type": "text/xml"}, xml.encode()
    return (
        status,
        {"Content-Type": "application/x-amz-json-1.1", "x-amzn-errortype": code},
        json.dumps({"__type": code, "message": message}).encode(),
    )
