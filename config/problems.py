"""Problems of a configuration that are found together, and told a line each."""

from __future__ import annotations

from collections.abc import Iterable


class ProblemsError(ValueError):
    """What is wrong with values that do not go together, in `lines`."""

    def __init__(self, lines: Iterable[str]) -> None:
        self.lines = tuple(lines)
        super().__init__("; ".join(self.lines))


def refuse(lines: Iterable[str]) -> None:
    """Raise a ProblemsError when there are any."""
    if told := tuple(lines):
        raise ProblemsError(told)
