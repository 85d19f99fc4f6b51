"""What a batch of stream records asks for: which deployments to look at, and in which order they came."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Look:
    """One deployment to look at: its newest image in the batch (None when the row was removed).

    `sequence` is the stream's number of the deployment's first record in the batch: to have the record delivered again
    is to have the whole look again.
    """

    id: str
    image: Mapping[str, Any] | None
    sequence: str


def looks(records: Sequence[Mapping[str, Any]]) -> list[Look]:
    """Collapse a batch to one look a deployment, in the order of first records.

    An event only says "look at this id"; of several, the newest image counts. DynamoDB says INSERT, MODIFY, REMOVE.
    """
    found: dict[str, Look] = {}
    for record in records:
        change = record["dynamodb"]
        deployment_id = str(change["Keys"]["id"].get("S", ""))
        first = found.get(deployment_id)
        found[deployment_id] = Look(
            id=deployment_id,
            image=None if record["eventName"] == "REMOVE" else change["NewImage"],
            sequence=first.sequence if first else change["SequenceNumber"],
        )
    return list(found.values())
