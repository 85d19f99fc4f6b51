"""A Region that is down (`{"regions": {"down": [name]}}` as a fault): nothing answers there or begins by itself.

A request is for the Region that it is signed for. But the control planes of IAM and Route 53 are in one Region, and
SDKs sign for that at AWS's addresses only: they fail with it. Answering for zones and health checks go on.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from ministack.core.responses import get_region
from ministack.services import eventbridge

from local_cloud.server import faults
from local_cloud.server.control import Asgi

_SIGNED_FOR = re.compile(rb"Credential=[^/]+(?:/|%2F)\d{8}(?:/|%2F)([a-z0-9-]+)(?:/|%2F)([a-z0-9-]+)")
_HOME, _GLOBAL = "us-east-1", frozenset({"iam", "route53"})


def down() -> frozenset[str]:
    """The Regions that are down."""
    return frozenset(faults.board.setting("regions", "down") or ())


def region_of(service: str, signed_for: str) -> str:
    """The Region of a request: `aws:RequestedRegion`."""
    return _HOME if service in _GLOBAL else signed_for


def register() -> None:
    """Let rules of such a Region do nothing, and shorten the minutes of schedules; once, before it serves."""
    invoke, rate = eventbridge._invoke_target, eventbridge._parse_rate_seconds

    def unless_down(
        target: Mapping[str, Any], event: Mapping[str, Any], rule: Mapping[str, Any], view: Any = None
    ) -> Any:
        return None if get_region() in down() else invoke(target, event, rule, view)

    def shortened(expression: str) -> float | None:
        seconds: float | None = rate(expression)
        minute = faults.board.setting("events", "seconds_a_minute")
        return seconds if seconds is None or minute is None else seconds * float(minute) / 60

    eventbridge._invoke_target = unless_down
    eventbridge._parse_rate_seconds = shortened
    eventbridge._SCHEDULER_TICK_INTERVAL = 1


def with_outages(application: Asgi) -> Asgi:
    """The ASGI application, which answers a request to a Region that is down with 503 and nothing else."""

    async def wrapped(scope: dict[str, Any], receive: Callable[..., Any], send: Callable[..., Any]) -> None:
        if scope["type"] != "http" or not (_regions(scope) & down()):
            await application(scope, receive, send)
            return
        await send({"type": "http.response.start", "status": 503, "headers": [(b"connection", b"close")]})
        await send({"type": "http.response.body", "body": b""})

    return wrapped


def _regions(scope: Mapping[str, Any]) -> set[str]:
    """The Region of a request, by its header or its address; none when it is not signed."""
    signed = [scope.get("query_string", b""), *(value for name, value in scope["headers"] if name == b"authorization")]
    found = filter(None, map(_SIGNED_FOR.search, signed))
    return {region_of(one[2].decode(), one[1].decode()) for one in found}
