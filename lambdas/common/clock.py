"""Time as the tables keep it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated


def now() -> datetime:
    """The current time, aware, in UTC."""
    return datetime.now(UTC)


def stamp(moment: datetime) -> str:
    """Write a moment as ISO 8601 in UTC with milliseconds; stamps sort as the moments do."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds")


def moment(stamped: str) -> datetime:
    """Read what `stamp` wrote; raises ValueError or OverflowError for anything that is no time."""
    return datetime.fromisoformat(stamped).astimezone(UTC)


# A field that has a moment, or is empty; `versioned_json` refuses any other text.
Stamp = Annotated[str, moment]
