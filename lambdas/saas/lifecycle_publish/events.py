"""An event for the bus, and how texts of any origin are made fit for one; pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from lambdas.common.written import as_written, visible

# Characters that are told of a text. Escaped, a character has 12 bytes at most: an event stays far below 256 KB.
REASON_LIMIT = 4_000
TEXT_LIMIT = 500
_LISTING_LIMIT = 1_000
_LISTED = 20


@dataclass(frozen=True, kw_only=True)
class LifecycleEvent:
    """An event to publish: what it is called, and what it says.

    Every value of `detail` is a string, but for `notification`, which is there when people are to be told.
    """

    detail_type: str
    detail: Mapping[str, Any]


def text(value: object, *, limit: int = TEXT_LIMIT) -> str:
    """Any value as text of at most `limit` characters that no mail program or chat obeys; None is empty."""
    plain = isinstance(value, (str, int, Decimal))
    written = visible(str(value)) if plain else "" if value is None else as_written(value)
    return written if len(written) <= limit else f"{written[: limit - 3]}..."


def listing(values: object) -> str:
    """The first of several texts, one a line; empty when there are none."""
    if not isinstance(values, Sequence) or isinstance(values, (str, bytes)):
        return ""
    more = [f"and {len(values) - _LISTED} more"] if len(values) > _LISTED else []
    return text("\n".join([*(text(value) for value in values[:_LISTED]), *more]), limit=_LISTING_LIMIT)
