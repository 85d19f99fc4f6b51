"""AssumeRole gives no longer session than AWS would: ministack gives any.

https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html (DurationSeconds)
"""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs

from ministack import app as ministack_app
from ministack.core.router import extract_access_key_id
from ministack.services import iam, sts

from local_cloud.server.responses import Response

_CHAINED_SECONDS = 3600


def register() -> None:
    """Wrap ministack's STS; once, before it serves."""
    original = ministack_app.SERVICE_HANDLERS["sts"]

    async def handle(method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, Any]) -> Response:
        asked = {name: values[0] for name, values in parse_qs(body.decode("latin-1")).items()}
        if asked.get("Action") == "AssumeRole" and (reason := _too_long(asked, extract_access_key_id(headers, query))):
            refusal: Response = sts._error(400, "ValidationError", reason, ns="sts")
            return refusal
        answer: Response = await original(method, path, headers, body, query)
        return answer

    ministack_app.SERVICE_HANDLERS["sts"] = handle


def _too_long(asked: dict[str, str], access_key: str) -> str:
    """Why the session would be too long; empty when it would not be, or there is no such role."""
    seconds, arn = int(asked.get("DurationSeconds", 0)), asked.get("RoleArn", "")
    if seconds > _CHAINED_SECONDS and access_key in sts._sessions:
        return "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining"
    _, _, account_and_name = arn.partition(":iam::")
    role = iam._roles.get_scoped(account_and_name[:12], None, arn.rsplit("/", 1)[-1])
    if role and seconds > role["MaxSessionDuration"]:
        return "The requested DurationSeconds exceeds the MaxSessionDuration set for this role."
    return ""
