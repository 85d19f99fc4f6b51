"""What a batch of stream records asks for: which deployments to look at, and in which order they came."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

_TOUCHED_NOW = ("dynamodb", "NewImage", "touched_at", "S")
_TOUCHED_BEFORE = ("dynamodb", "OldImage", "touched_at", "S")


@dataclass(frozen=True, kw_only=True)
class Look:
    """One deployment to look at, and the first record of the batch that names it.

    `id` is empty when the record names none. `sequence` is the record's number in the stream: to have the record
    delivered again is to have the whole look again. `event` is INSERT, MODIFY or REMOVE, for people: the row decides.
    `touched` says that somebody asks for the deployment to be looked through.
    """

    id: str
    sequence: str
    event: str
    touched: bool = False


def looks(records: Sequence[Mapping[str, Any]]) -> list[Look]:
    """Collapse a batch to one look a deployment, in the order of first records; the images in them do not count."""
    found: dict[str, Look] = {}
    for record in records:
        look = Look(
            id=_text(record, "dynamodb", "Keys", "id", "S"),
            sequence=_text(record, "dynamodb", "SequenceNumber"),
            event=_text(record, "eventName"),
        )
        first = found.setdefault(look.id, look)
        if _text(record, *_TOUCHED_NOW) != _text(record, *_TOUCHED_BEFORE):
            found[look.id] = replace(first, touched=True)
    return list(found.values())


def _text(record: Mapping[str, Any], *path: str) -> str:
    value: object = record
    for name in path:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value if isinstance(value, str) else ""
