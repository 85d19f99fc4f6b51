"""The rooms that have commands: `cli/<name>/app.py` has them in `app`."""

from __future__ import annotations

from importlib import import_module

import typer

NAMES = (
    "saas",
    "gates",
    "lake",
    "resilience",
)  # fmt: skip


def rooms() -> list[typer.Typer]:
    """The commands of all rooms; those of a room that is off say so."""
    return [import_module(f"cli.{name}.app").app for name in NAMES]
