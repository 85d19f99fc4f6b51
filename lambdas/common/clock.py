"""Time as the tables keep it."""

from __future__ import annotations

from datetime import UTC, datetime


def now() -> datetime:
    """The current time, aware, in UTC."""
    return datetime.now(UTC)


def stamp(moment: datetime) -> str:
    """Write a moment as ISO 8601 in UTC with milliseconds; stamps sort as the moments do."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds")


def moment(stamped: str) -> datetime:
    """Read what `stamp` wrote."""
    return datetime.fromisoformat(stamped)
