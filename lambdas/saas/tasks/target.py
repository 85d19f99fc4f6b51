"""What a task runs on, as the jobs see it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, kw_only=True)
class Seen:
    """How a task stands: `ref` is what runs, `over` when it has ended; then `ok` and `said` tell how.

    `gone` is one that the service does not know: not yet, or not any more.
    """

    ref: str
    over: bool = False
    gone: bool = False
    ok: bool = False
    said: str = ""


class Target(Protocol):
    """Port to an ECS task, a function or a build.

    `begin` has a token: with the same one the same thing is begun, as far as the service knows tokens. What it hands
    on to the task is `request`.
    """

    def begin(self, token: str, request: Mapping[str, str]) -> Seen: ...
    def look(self, ref: str) -> Seen: ...
    def stop(self, ref: str, why: str) -> None: ...
