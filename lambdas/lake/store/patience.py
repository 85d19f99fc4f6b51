"""Patience with Glue and Lake Formation, which refuse calls while they are at their limit, or somebody else writes."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from botocore.exceptions import ClientError

from lambdas.common import aws_errors

T = TypeVar("T")
_PAUSES = (0.5, 1.0, 2.0, 4.0, 8.0)
# Whatever else is refused is refused for good, and asked again only by another run.
PASSING = aws_errors.PASSING | {"OperationTimeoutException", "ThrottledException"}


@dataclass(frozen=True, kw_only=True)
class Patience:
    """Asks again, a few times and later each time, what may pass; `pause` waits."""

    pause: Callable[[float], None] = time.sleep

    def call(self, ask: Callable[[], T]) -> T:
        """Ask until it is answered."""
        for longest in _PAUSES:
            try:
                return ask()
            except ClientError as error:
                if aws_errors.code_of(error) not in PASSING:
                    raise
            self.wait(longest)
        return ask()

    def wait(self, longest: float) -> None:
        """Wait for some of that time: who was refused together does not come back together."""
        self.pause(random.uniform(longest / 2, longest))  # noqa: S311 - spreads callers, no secret

    @property
    def pauses(self) -> tuple[float, ...]:
        """How long it waits, each time."""
        return _PAUSES
