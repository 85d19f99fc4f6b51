"""A Region that is down (`{"regions": {"down": [...]}}` as a fault): nothing answers in it, and nothing begins by itself.

Requests find their Region in what they are signed for. So Route 53's control plane, which is in one Region, fails with
it, and so does IAM's; answering for zones and health checks go on.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from ministack.core.responses import get_region
from ministack.services import eventbridge

from local_cloud.server import faults
from local_cloud.server.control import Asgi

_SIGNED_FOR = re.compile(rb"Credential=[^/]+(?:/|%2F)\d{8}(?:/|%2F)([a-z0-9-]+)(?:/|%2F)")


def down() -> frozenset[str]:
    """The Regions that are down."""
    return frozenset(faults.board.setting("regions", "down") or ())


def register() -> None:
    """Let rules of such a Region do nothing, and shorten the minutes of schedules; once, before it serves."""
    invoke, rate = eventbridge._invoke_target, eventbridge._parse_rate_seconds

    def unless_down(
        target: Mapping[str, Any], event: Mapping[str, Any], rule: Mapping[str, Any], view: Any = None
    ) -> Any:
        return None if get_region() in down() else invoke(target, event, rule, view)

    def shortened(expression: str) -> float | None:
        seconds, minute = rate(expression), faults.board.setting("events", "seconds_a_minute")
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
    """The Region that a request is signed for, in its header or its address; none when it is not signed."""
    signed = [scope.get("query_string", b""), *(value for name, value in scope["headers"] if name == b"authorization")]
    return {found[1].decode() for one in signed if (found := _SIGNED_FOR.search(one))}
