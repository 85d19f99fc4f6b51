"""Time as the tables keep it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated

# A moment that is further ahead was written by nobody whose word counts: no function works for longer, and clocks
# differ by less.
AHEAD = timedelta(minutes=15)


def now() -> datetime:
    """The current time, aware, in UTC."""
    return datetime.now(UTC)


def stamp(moment: datetime) -> str:
    """Write a moment as ISO 8601 in UTC with milliseconds; stamps sort as the moments do."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds")


def moment(stamped: str) -> datetime:
    """Read what `stamp` wrote; raises ValueError or OverflowError for anything that is no time."""
    return datetime.fromisoformat(stamped).astimezone(UTC)


def since(stamped: str, now: datetime) -> timedelta:
    """Time since a moment; what nobody has written, or nobody can have, is as long ago as can be."""
    passed = now - moment(stamped) if stamped else timedelta.max
    return passed if passed >= -AHEAD else timedelta.max


# A field that has a moment, or is empty; `versioned_json` refuses any other text.
Stamp = Annotated[str, moment]
