"""Client tokens of RunTask: what is asked again with one is answered with the tasks that there are.

https://docs.aws.amazon.com/AmazonECS/latest/APIReference/ECS_Idempotency.html
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any

from ministack.core.responses import error_response_json, get_account_id, get_region

_lock = threading.Lock()
_known: dict[tuple[str, str, str], tuple[Mapping[str, Any], Any]] = {}


def once(request: Mapping[str, Any], run: Callable[[], Any]) -> Any:
    """Run a task, or answer as before; another request with the same token is refused, as in AWS."""
    token = request.get("clientToken")
    if not token:
        return run()
    key = (get_account_id(), get_region(), str(token))
    with _lock:
        if key in _known:
            before, answer = _known[key]
            if before == request:
                return answer
            message = "The request was made with a client token that was used before, with other parameters."
            return error_response_json("ConflictException", message, HTTPStatus.CONFLICT)
        answer = run()
        if answer[0] == HTTPStatus.OK:
            _known[key] = (dict(request), answer)
        return answer
