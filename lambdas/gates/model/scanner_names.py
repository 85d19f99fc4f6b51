"""The scanners that there are: each is a file of `lambdas/gates/scanners`, and its lock if it is a command; pure."""

from __future__ import annotations

from functools import cache
from pathlib import Path

_BASE = frozenset({"__init__", "environments", "running", "scanner"})


@cache
def scanner_names() -> tuple[str, ...]:
    """Their names, as gates are configured with them."""
    files = (Path(__file__).parents[1] / "scanners").glob("*.py")
    return tuple(sorted(path.stem for path in files if path.stem not in _BASE))
