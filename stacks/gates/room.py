"""What the room `gates` contributes to the house."""

from __future__ import annotations

from stacks.room import Room

ROOM = Room(name="gates")
