"""Pages of lists: the token is the offset."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from local_cloud.codepipeline.errors import ServiceError


def page(items: Sequence[Any], request: Mapping[str, Any], *, key: str, size: int) -> dict[str, Any]:
    """The wanted page under ``key``, with ``nextToken`` when there is more; ``size`` is the default page size."""
    token = request.get("nextToken") or "0"
    if not token.isdigit():
        raise ServiceError("InvalidNextTokenException", f"The next token {token!r} is not one of this list")
    first = int(token)
    last = first + request.get("maxResults", size)
    answer: dict[str, Any] = {key: list(items[first:last])}
    if last < len(items):
        answer["nextToken"] = str(last)
    return answer
