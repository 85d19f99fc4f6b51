"""Scanners: each file with a `SCANNER` is one, by the file's name."""

from __future__ import annotations

from functools import cache
from importlib import import_module

from lambdas.gates.model.scanner_names import scanner_names
from lambdas.gates.scanners.scanner import Scanner


@cache
def scanners() -> dict[str, Scanner]:
    """All scanners by name."""
    return {name: import_module(f"{__name__}.{name}").SCANNER for name in scanner_names()}
