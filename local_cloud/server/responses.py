"""Answers of a service's handler, typed: status, headers, body."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ministack.core import responses

Response = tuple[int, dict[str, str], bytes]


def success(document: Mapping[str, Any]) -> Response:
    """HTTP 200 with a JSON body, in the AWS JSON protocol."""
    answer: Response = responses.json_response(document)
    return answer


def error(code: str, message: str, *, status: int = 400) -> Response:
    """An error that AWS SDKs raise as `code`."""
    answer: Response = responses.error_response_json(code, message, status)
    return answer
