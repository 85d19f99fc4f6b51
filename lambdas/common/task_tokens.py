"""Answering the tasks of state machines that wait for a token."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from botocore.exceptions import ClientError

from lambdas.common.aws_errors import code_of

logger = logging.getLogger(__name__)

# The task was answered, has timed out, or its execution is over: nobody waits for this answer.
# https://docs.aws.amazon.com/step-functions/latest/apireference/API_SendTaskSuccess.html
NOBODY_WAITS = frozenset({"TaskDoesNotExist", "TaskTimedOut", "InvalidToken"})
_CAUSE_LIMIT = 4_000


class TaskTokens(Protocol):
    """Port to the tasks that wait; a token that nobody waits for any more is no error."""

    def succeed(self, token: str, payload: Mapping[str, Any]) -> None: ...
    def fail(self, token: str, *, error: str, cause: str) -> None: ...


@dataclass(frozen=True, kw_only=True)
class StepFunctionsTokens:
    """Tokens of Step Functions."""

    client: Any

    def succeed(self, token: str, payload: Mapping[str, Any]) -> None:
        """Let the task succeed with `payload` as its result."""
        self._send(self.client.send_task_success, taskToken=token, output=json.dumps(payload))

    def fail(self, token: str, *, error: str, cause: str) -> None:
        """Let the task fail."""
        self._send(self.client.send_task_failure, taskToken=token, error=error, cause=cause[:_CAUSE_LIMIT])

    def _send(self, send: Callable[..., Any], **request: Any) -> None:
        try:
            send(**request)
        except ClientError as error:
            if code_of(error) not in NOBODY_WAITS:
                raise
            logger.info("nobody waits for this answer any more: %s", code_of(error))
