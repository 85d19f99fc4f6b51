"""git over HTTPS at `/v1/repos/<name>`: who asks is authenticated and authorised, then git itself answers."""

from __future__ import annotations

import asyncio
import base64
import binascii
import gzip
import subprocess
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs

from ministack.core import iam_evaluator
from ministack.core.responses import request_scope

from local_cloud.codecommit import git, git_credentials, store
from local_cloud.codecommit.authorization import REFERENCES
from local_cloud.codecommit.events import changing
from local_cloud.codecommit.git_credentials import Caller
from local_cloud.codecommit.store import Repository
from local_cloud.server.control import Asgi, read_body
from local_cloud.server.responses import Response

_SECONDS = 600
_ACTIONS = {"git-upload-pack": "codecommit:GitPull", "git-receive-pack": "codecommit:GitPush"}


class _RefusedError(Exception):
    """The answer is an error: its HTTP status, and what git shows to people."""

    def __init__(self, status: HTTPStatus, message: str) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True, kw_only=True)
class _Request:
    """What git asks: the repository's name, what follows it in the path, and the rest of the HTTP request."""

    method: str
    name: str
    rest: str
    query: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def command(self) -> str:
        """git-upload-pack to read, git-receive-pack to write."""
        return parse_qs(self.query).get("service", [""])[0] if self.rest == "info/refs" else self.rest


def with_git(application: Asgi) -> Asgi:
    """The ASGI application with git in front."""

    async def wrapped(scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] != "http" or not scope["path"].startswith(store.PATH_PREFIX):
            await application(scope, receive, send)
            return
        name, _, rest = scope["path"].removeprefix(store.PATH_PREFIX).partition("/")
        request = _Request(
            method=scope["method"],
            name=name,
            rest=rest,
            query=scope.get("query_string", b"").decode(),
            headers={key.decode().lower(): value.decode("latin-1") for key, value in scope["headers"]},
            body=await read_body(receive),
        )
        status, headers, body = await asyncio.to_thread(_answer, request)
        pairs = [(key.lower().encode(), value.encode()) for key, value in headers.items()]
        await send({"type": "http.response.start", "status": status, "headers": pairs})
        await send({"type": "http.response.body", "body": body})

    return wrapped


def _answer(request: _Request) -> Response:
    try:
        caller = _caller(request)
        with request_scope(caller.account, caller.region):
            return _serve(request, caller)
    except _RefusedError as refused:
        challenge = {"WWW-Authenticate": 'Basic realm="AWS"'} if refused.status is HTTPStatus.UNAUTHORIZED else {}
        return refused.status, {"Content-Type": "text/plain", **challenge}, f"{refused}\n".encode()


def _caller(request: _Request) -> Caller:
    if request.command not in _ACTIONS:
        raise _RefusedError(HTTPStatus.NOT_FOUND, "Only git's smart HTTP protocol is served here.")
    kind, _, encoded = request.headers.get("authorization", "").partition(" ")
    if kind.lower() != "basic":
        raise _RefusedError(
            HTTPStatus.UNAUTHORIZED, "Use the AWS CLI's credential helper: aws codecommit credential-helper"
        )
    try:
        user, _, password = base64.b64decode(encoded).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        user, password = "", ""
    host = request.headers.get("host", "").split(":")[0]
    caller = git_credentials.verified(user, password, host=host, path=f"{store.PATH_PREFIX}{request.name}")
    if caller is None:
        raise _RefusedError(HTTPStatus.FORBIDDEN, "The user name and password are not those of valid AWS credentials.")
    return caller


def _serve(request: _Request, caller: Caller) -> Response:
    packed = request.headers.get("content-encoding") == "gzip"
    body = gzip.decompress(request.body) if packed else request.body
    writes = request.method == "POST" and request.command == "git-receive-pack"
    for reference in (pushed_references(body) if writes else ()) or (None,):
        _authorize(request, caller, reference)
    repository = store.known(request.name)
    if repository is None:
        raise _RefusedError(
            HTTPStatus.NOT_FOUND, f"{caller.account} has no repository {request.name} in {caller.region}."
        )
    with changing(repository, caller=caller.arn) if writes else nullcontext():
        return _backend(repository, request, body=body, user=caller.arn)


def _authorize(request: _Request, caller: Caller, reference: str | None) -> None:
    action = _ACTIONS[request.command]
    resource = f"arn:aws:codecommit:{caller.region}:{caller.account}:{request.name}"
    context = {REFERENCES: reference} if reference else {}
    denied = iam_evaluator.enforce(
        caller.access_key, action, "codecommit", caller.region, resource_arn=resource, service_context=context
    )
    if denied is not None:
        what = f"{resource} ({reference})" if reference else resource
        raise _RefusedError(
            HTTPStatus.FORBIDDEN, f"{caller.arn} is not authorized to perform: {action} on resource: {what}"
        )


def pushed_references(body: bytes) -> tuple[str, ...]:
    """The full names of what a push wants to change: `<old> <new> <name>` in lines that begin with their length."""

    found, rest = [], body
    while rest and (length := int(rest[:4], 16)):
        found += rest[4:length].partition(b"\0")[0].decode(errors="replace").split()[2:]
        rest = rest[length:]
    return tuple(found)


def _backend(repository: Repository, request: _Request, *, body: bytes, user: str) -> Response:
    """git's own CGI program."""
    folder = repository.git.folder
    given = {
        "GIT_PROJECT_ROOT": str(folder.parent),
        "GIT_HTTP_EXPORT_ALL": "1",
        "GIT_PROTOCOL": request.headers.get("git-protocol", ""),
        "PATH_INFO": f"/{folder.name}/{request.rest}",
        "QUERY_STRING": request.query,
        "REQUEST_METHOD": request.method,
        "CONTENT_TYPE": request.headers.get("content-type", ""),
        "CONTENT_LENGTH": str(len(body)),
        # Whoever is named here may push.
        "REMOTE_USER": user,
    }
    done = subprocess.run(
        ["git", "http-backend"],
        env=git.environment() | given,
        input=body,
        capture_output=True,
        timeout=_SECONDS,
        check=True,
    )
    head, _, content = done.stdout.partition(b"\r\n\r\n")
    headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n"))
    status = int(headers.pop("Status", "200").split()[0])
    return status, headers, content
