"""Scanners: each file with a `SCANNER` is one, by the file's name."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from pathlib import Path

from lambdas.gates.scanners.scanner import Scanner

_BASE = frozenset({"__init__", "environments", "running", "scanner"})


@cache
def scanners() -> dict[str, Scanner]:
    """All scanners by name."""
    names = sorted(path.stem for path in Path(__file__).parent.glob("*.py") if path.stem not in _BASE)
    return {name: import_module(f"{__name__}.{name}").SCANNER for name in names}
