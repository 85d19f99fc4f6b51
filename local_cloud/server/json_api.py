"""A service of ours that speaks JSON: requests and answers are checked against botocore's model of the service."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, cast
from urllib.parse import unquote

import botocore.session
from botocore.validate import ParamValidator
from ministack import app as ministack_app
from ministack.core import iam_actions, router
from ministack.core.concurrency import run_reentrant

from local_cloud.server.responses import Response

Operation = Callable[[Mapping[str, Any]], dict[str, Any]]
_HEADERS = {"Content-Type": "application/x-amz-json-1.1"}
_log = logging.getLogger(__name__)


class ServiceError(Exception):
    """An API error: ``code`` is the AWS error code, e.g. ``PipelineNotFoundException``."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


@dataclass(frozen=True, kw_only=True)
class Service:
    """A service by botocore's name, and its operations; all others are refused.

    ``invalid`` names the error of a request that the model refuses: it gets the names of the operation and of the
    member that is wrong.
    """

    name: str
    operations: dict[str, Operation]
    invalid: Callable[[str, str], str] = lambda _operation, _member: "ValidationException"

    def register(self) -> None:
        """Serve the API, each request on a thread of its own; once, before the server serves."""

        async def handle(
            _method: str, path: str, headers: Mapping[str, str], body: bytes, _query: Mapping[str, Any]
        ) -> Response:
            # Without a target the path names the operation, as in Lake Formation's protocol.
            operation = headers.get("x-amz-target", path.strip("/")).rpartition(".")[2]
            call = cast("Awaitable[Response]", run_reentrant(self.answer, operation, body, thread_name=self.name))
            return await call

        prefix = service_model(self.name).metadata.get("targetPrefix")
        ministack_app.SERVICE_HANDLERS[self.name] = handle
        router.SERVICE_PATTERNS[self.name] = {
            "target_prefixes": [prefix] if prefix else [],
            "host_patterns": [rf"{self.name}\."],
            "credential_scope": self.name,
        }
        iam_actions.SERVICE_TO_IAM_NAMESPACE[self.name] = self.name
        iam_actions._BOTOCORE_SERVICE_MAP.setdefault(self.name, [self.name])

    def wrap(self, around: Callable[[str, Operation], Operation]) -> None:
        """Put something around the operations, each of which it gets with its name."""
        self.operations.update({name: around(name, operation) for name, operation in self.operations.items()})

    def answer(self, operation: str, body: bytes) -> Response:
        """Execute one request."""
        try:
            result = self.call(operation, self._request(operation, body))
        except ServiceError as error:
            document = {"__type": error.code, "message": error.message}
            return 400, dict(_HEADERS), json.dumps(document).encode()
        return 200, dict(_HEADERS), json.dumps(result).encode()

    def call(self, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        """The answer of an operation; raises ServiceError."""
        if operation not in self.operations:
            raise ServiceError("InvalidAction", f"The local cloud does not implement {self.name}:{operation}")
        shape = service_model(self.name).operation_model(operation).input_shape
        for member in request.keys() & shape.members.keys():
            if found := problems(request[member], shape.members[member]):
                raise ServiceError(self.invalid(operation, member), _told(found))
        if found := problems(request, shape):
            raise ServiceError("ValidationException", _told(found))
        return self.operations[operation](request)

    def _request(self, operation: str, body: bytes) -> dict[str, Any]:
        try:
            request: dict[str, Any] = json.loads(body or b"{}")
        except ValueError as error:
            raise ServiceError("SerializationException", f"The request is not JSON: {error}") from error
        return request


@dataclass(frozen=True, kw_only=True)
class RestService(Service):
    """A service whose requests say with method and path what they ask for, and in path and query some of the rest."""

    def register(self) -> None:
        """Serve the API, each request on a thread of its own; once, before the server serves."""

        async def handle(
            method: str, path: str, headers: Mapping[str, str], body: bytes, query: Mapping[str, Any]
        ) -> Response:
            action = iam_actions.extract_iam_action(self.name, method, path, dict(headers), body, dict(query)) or ":"
            call = run_reentrant(self._joined, action.partition(":")[2], path, body, query, thread_name=self.name)
            return await cast("Awaitable[Response]", call)

        ministack_app.SERVICE_HANDLERS[self.name] = handle
        router.SERVICE_PATTERNS[self.name] = {"target_prefixes": [], "credential_scope": self.name}
        iam_actions.SERVICE_TO_IAM_NAMESPACE[self.name] = self.name
        iam_actions._BOTOCORE_SERVICE_MAP[self.name] = [self.name]

    def _joined(self, operation: str, path: str, body: bytes, query: Mapping[str, Any]) -> Response:
        if operation not in self.operations:
            return self.answer(operation, b"")
        try:
            request = self._request(operation, body)
        except ServiceError:
            return self.answer(operation, body)
        return self.answer(operation, json.dumps({**request, **self._named(operation, path, query)}).encode())

    def _named(self, operation: str, path: str, query: Mapping[str, Any]) -> dict[str, Any]:
        """What path and query say, under the names of the model."""
        model = service_model(self.name).operation_model(operation)
        match = re.fullmatch(re.sub(r"\{(\w+)\}", r"(?P<\1>.+)", model.http["requestUri"]), path)
        said = {key: unquote(value) for key, value in (match.groupdict() if match else {}).items()}
        found: dict[str, Any] = {}
        for name, shape in model.input_shape.members.items():
            key = shape.serialization.get("name", name)
            if shape.serialization.get("location") == "uri" and key in said:
                found[name] = said[key]
            if shape.serialization.get("location") == "querystring" and query.get(key):
                given = query[key] if shape.type_name == "list" else query[key][0]
                found[name] = int(given) if shape.type_name == "integer" else given
        return found


@cache
def service_model(name: str) -> Any:
    """botocore's model of a service."""
    return botocore.session.get_session().get_service_model(name)


def _told(found: list[str]) -> str:
    return f"{len(found)} validation error(s): {'; '.join(found)}"


def problems(value: Any, shape: Any) -> list[str]:
    """What is wrong with a value: members, types and lengths as botocore checks them, enums and patterns."""
    report = ParamValidator().validate(value, shape)
    if report.has_errors():
        return [report.generate_report()]
    return list(_text_problems(value, shape, path=shape.name))


def _text_problems(value: Any, shape: Any, *, path: str) -> Iterator[str]:
    for member, item, name in _members(value, shape):
        yield from _text_problems(item, member, path=f"{path}.{name}")
    if shape.type_name != "string":
        return
    if shape.enum and value not in shape.enum:
        yield f"Value '{value}' at '{path}' is not one of {', '.join(shape.enum)}"
    pattern = shape.metadata.get("pattern")
    if pattern and (compiled := _compiled(pattern)) and not compiled.fullmatch(value):
        yield f"Value '{value}' at '{path}' does not satisfy the pattern {pattern}"


@cache
def _compiled(pattern: str) -> re.Pattern[str] | None:
    """A pattern of Java's: without its surrogate pairs; None when Python has no words for it, such as `\\p{L}`."""
    try:
        return re.compile(pattern.replace(r"\uD800\uDC00-\uDBFF\uDFFF", r"\U00010000-\U0010FFFF"))
    except re.error:
        return None


def _members(value: Any, shape: Any) -> list[tuple[Any, Any, str]]:
    if shape.type_name == "structure":
        return [(shape.members[name], item, name) for name, item in value.items()]
    if shape.type_name == "list":
        return [(shape.member, item, str(position)) for position, item in enumerate(value)]
    if shape.type_name == "map":
        return [(shape.value, item, key) for key, item in value.items()]
    return []
