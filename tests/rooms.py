"""`ROOM=saas`: the tests of one room, and those of what is common."""

from __future__ import annotations

from pathlib import Path

# Every room has code on one of these floors.
_FLOORS = ("lambdas", "stacks")
_COMMON = frozenset({"common", "__pycache__"})


def other_rooms(root: Path, room: str) -> list[str]:
    """The rooms that are left out when one is asked for; none when none is.

    Raises:
        ValueError: there is no such room.
    """
    rooms = {folder.name for floor in _FLOORS for folder in (root / floor).glob("*/")} - _COMMON
    if room and room not in rooms:
        raise ValueError(f"ROOM={room} is no room: take one of {', '.join(sorted(rooms))}")
    return sorted(rooms - {room}) if room else []
