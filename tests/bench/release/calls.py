"""Counting what is called."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator


class Calls:
    """How often each operation of each service was called, and each function invoked."""

    def __init__(self) -> None:
        self.operations: Counter[tuple[str, str]] = Counter()
        self.invocations: Counter[str] = Counter()

    def count(self, service: str, operation: str) -> None:
        """Count one call."""
        self.operations[service, operation] += 1

    @property
    def total(self) -> int:
        """Calls of all operations; invocations are not among them."""
        return self.operations.total()

    def told(self) -> Iterator[str]:
        """Each operation with its number, the most frequent first."""
        for (service, operation), number in self.operations.most_common():
            yield f"{service}:{operation} {number:,}"
