"""Scanners: each has options, though they be none, and a file of its name with a `SCANNER`."""

from __future__ import annotations

from functools import cache
from importlib import import_module

from lambdas.gates.model.options import OPTIONS
from lambdas.gates.scanners.scanner import Scanner


@cache
def scanners() -> dict[str, Scanner]:
    """All scanners by name."""
    return {name: import_module(f"{__name__}.{name}").SCANNER for name in OPTIONS}
