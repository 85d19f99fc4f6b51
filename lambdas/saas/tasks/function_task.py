"""A Lambda function whose answer is waited for."""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ReadTimeoutError

from lambdas.common.written import cut
from lambdas.saas.tasks.target import Seen

_TOLD = 1_000
_LINES = 3


@dataclass(frozen=True, kw_only=True)
class FunctionTask:
    """Invokes `function`; `client` waits for as long as one may work, and asks once.

    Lambda knows no tokens: the request has one, by which the function can tell that it was asked before.
    """

    client: Any
    function: str

    def begin(self, token: str, request: Mapping[str, str]) -> Seen:
        """Invoke it; what it has answered is the end of it."""
        payload = json.dumps({**request, "idempotency_key": token}).encode()
        try:
            answer = self.client.invoke(FunctionName=self.function, Payload=payload, LogType="Tail")
        except ReadTimeoutError:
            return Seen(ref=self.function, over=True, said=f"function {self.function} did not answer in time")
        said = answer["Payload"].read().decode(errors="replace")
        if "FunctionError" not in answer:
            return Seen(ref=self.function, over=True, ok=True, said=f"function {self.function} answered")
        lines = b64decode(answer.get("LogResult", "")).decode(errors="replace").strip().splitlines()[-_LINES:]
        logs = f"; its log ends: {cut(' | '.join(lines), _TOLD)}" if lines else ""
        return Seen(ref=self.function, over=True, said=f"function {self.function}: {cut(_message(said), _TOLD)}{logs}")

    def look(self, ref: str) -> Seen:
        """There is nothing to look at."""
        return Seen(ref=ref)

    def stop(self, ref: str, why: str) -> None:
        """Nobody can."""


def _message(text: str) -> str:
    try:
        said = json.loads(text)
    except ValueError:
        return text
    return str(said.get("errorMessage") or said) if isinstance(said, dict) else text
