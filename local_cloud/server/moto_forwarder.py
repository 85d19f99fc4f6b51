"""Services that ministack lacks and moto has: answered by moto in this process, accounts kept apart.

ministack still authenticates the caller and evaluates IAM. Requests whose resource `_RESOURCES` does not know are
evaluated on `*`: only a policy on all resources allows them, so the local cloud is stricter than AWS there.
"""

from __future__ import annotations

import asyncio
import io
from collections.abc import Iterable
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qs, unquote, urlencode, urlsplit

import botocore.session
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from ministack import app as ministack_app
from ministack.core import iam_actions, router
from ministack.core.responses import get_account_id

from local_cloud.server import clients, iam_gaps
from local_cloud.server.responses import Response, error

# botocore's names; one that ministack serves itself is left to ministack.
FORWARDED = (
    "codedeploy",
    "guardduty",
    "identitystore",
    "macie2",
    "ram",
    "resiliencehub",
    "servicecatalog",
    "sso-admin",
    "synthetics",
    "xray",
)


def register() -> None:
    """Add the services to ministack's router, IAM action names and handlers."""
    session = botocore.session.get_session()
    for name in FORWARDED:
        model = session.get_service_model(name)
        scope = model.signing_name
        if scope in ministack_app.SERVICE_HANDLERS:
            continue
        prefix = model.metadata.get("targetPrefix")
        router.SERVICE_PATTERNS[scope] = {
            "target_prefixes": [f"{prefix}."] if prefix else [],
            "credential_scope": scope,
        }
        iam_actions.SERVICE_TO_IAM_NAMESPACE[scope] = scope
        iam_actions._BOTOCORE_SERVICE_MAP[scope] = [name]
        ministack_app.SERVICE_HANDLERS[scope] = _handler
        iam_gaps.resource_of(scope, _resource)


async def _handler(method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, Any]) -> Response:
    environ = _environ(method=method, path=path, headers=headers, body=body, query=query, account=get_account_id())
    try:
        return await asyncio.to_thread(_call, environ)
    except NotImplementedError as missing:
        return error("NotImplemented", f"The local cloud (moto) does not serve this: {missing}", status=501)


def direct_client(service: str, *, account: str, region: str) -> Any:
    """A boto3 client of a forwarded service that calls moto itself: no request, no IAM. For CloudFormation."""

    def send(request: AWSPreparedRequest, **_: Any) -> AWSResponse:
        url = urlsplit(request.url)
        headers = {
            name.lower(): value.decode() if isinstance(value, bytes) else str(value)
            for name, value in request.headers.items()
        }
        body = request.body or b""
        status, answer_headers, content = _call(
            _environ(
                method=str(request.method),
                path=url.path,
                headers=headers,
                query=parse_qs(url.query),
                account=account,
                body=body if isinstance(body, bytes) else str(body).encode(),
            )
        )
        return AWSResponse(request.url, status, answer_headers, _Raw(content))  # type: ignore[arg-type]

    client = clients.client_of_its_own(service, account=account, region=region)
    client.meta.events.register("before-send", send)
    return client


class _Raw(io.BytesIO):
    """What botocore reads an answer's body from."""

    def stream(self, *_: Any, **__: Any) -> Iterable[bytes]:
        yield self.read()


@lru_cache(maxsize=1)
def _application() -> Any:
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

    return DomainDispatcherApplication(create_backend_app)


def _call(environ: dict[str, Any]) -> Response:
    started: list[tuple[int, dict[str, str]]] = []

    def start_response(status: str, headers: Iterable[tuple[str, str]], _error: Any = None) -> Any:
        started.append((int(status.split(" ", 1)[0]), dict(headers)))
        return io.BytesIO().write

    body = b"".join(_application()(environ, start_response))
    status, headers = started[-1]
    return status, {name: value for name, value in headers.items() if name.lower() != "content-length"}, body


def _environ(
    *, method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, Any], account: str
) -> dict[str, Any]:
    environ = {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote(path),
        "QUERY_STRING": urlencode(query, doseq=True),
        "CONTENT_TYPE": headers.get("content-type", ""),
        "CONTENT_LENGTH": str(len(body)),
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "443",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "RAW_URI": path,
        "REQUEST_URI": path,
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "https",
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    skipped = {"content-type", "content-length", "transfer-encoding", "accept-encoding"}
    environ.update(
        {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in headers.items() if name not in skipped}
    )
    environ["HTTP_X_MOTO_ACCOUNT_ID"] = account
    return environ


def _resource(request: iam_gaps.Request) -> str | None:
    name = request.body.get("applicationName")
    return f"arn:aws:codedeploy:{request.region}:{request.account}:application:{name}" if name else None
