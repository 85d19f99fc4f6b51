"""The type of a function's error is the class of the exception that its handler raised: state machines match it.

ministack's workers tell the message and the traceback alone.
https://docs.aws.amazon.com/lambda/latest/dg/python-exceptions.html
"""

from __future__ import annotations

import re
from typing import Any

from ministack.services import lambda_svc

_NOT_TOLD = "Runtime.HandlerError"


def register() -> None:
    """Patch ministack; once, before it serves."""
    execute = lambda_svc._execute_function_warm

    def execute_function(function: dict[str, Any], event: Any, request_id: str) -> dict[str, Any]:
        answer: dict[str, Any] = execute(function, event, request_id)
        body = answer.get("body")
        if answer.get("error") and isinstance(body, dict) and body.get("errorType") == _NOT_TOLD:
            body["errorType"] = raised(str(answer.get("log", "")), str(body["errorMessage"])) or _NOT_TOLD
        return answer

    lambda_svc._execute_function_warm = execute_function


def raised(log: str, message: str) -> str:
    """The class of the exception whose traceback ends a log, empty when none does."""
    log, message = log.rstrip(), message.rstrip()
    if "Traceback (most recent call last):" not in log or not log.endswith(message):
        return ""
    last = log[: len(log) - len(message)].rstrip(": ").splitlines()[-1:]
    found = re.fullmatch(r"(?:[\w<>]+\.)*(\w+)", last[0]) if last else None
    return found[1] if found else ""
