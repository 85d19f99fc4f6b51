"""Pages of lists whose order is that of a key: what is added or removed between two pages moves nothing else."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from local_cloud.server.json_api import ServiceError

Item = Mapping[str, Any]


def page(
    items: Iterable[Item], request: Mapping[str, Any], *, under: str, key: Callable[[Item], list[Any]], most: int
) -> dict[str, Any]:
    """The wanted page, `under` the name that the answer has for it; the token is the key of the last item before it."""
    known = sorted(items, key=key)
    if token := request.get("NextToken"):
        last = _key(token)
        known = [item for item in known if key(item) > last]
    size = min(request.get("MaxResults", most), most)
    shown = known[:size]
    more = {"NextToken": _token(key(shown[-1]))} if len(known) > size else {}
    return {under: shown, **more}


def _token(key: list[Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(key).encode()).decode()


def _key(token: str) -> list[Any]:
    try:
        return list(json.loads(base64.urlsafe_b64decode(token)))
    except (ValueError, TypeError) as error:
        raise ServiceError("InvalidInputException", "NextToken is not one that was given") from error
