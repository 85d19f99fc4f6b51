"""The rooms: the one list."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stacks.room import Room

# Each is a folder on every floor, and `stacks/<name>/room.py` says what it contributes.
NAMES = (
    "saas",
    "gates",
    "lake",
    "resilience",
)  # fmt: skip


@cache
def rooms() -> tuple[Room, ...]:
    """All rooms, whether they are on or off."""
    return tuple(import_module(f"stacks.{name}.room").ROOM for name in NAMES)
