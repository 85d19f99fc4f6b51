"""Publishing: the streams of the status table and of the releases table become events on the lifecycle bus.

The write itself is the outbox: what was written is in the stream, and the stream is read until it is published. An
event may come twice, never not at all.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from lambdas.common.dynamo import read_item
from lambdas.common.isolation import contained
from lambdas.common.written import cut
from lambdas.saas.lifecycle_publish.changes import releases_table_events, status_table_events
from lambdas.saas.lifecycle_publish.deployments import Factory
from lambdas.saas.lifecycle_publish.events import LifecycleEvent
from lambdas.saas.lifecycle_publish.runs import ReadsRuns

logger = logging.getLogger(__name__)

# https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html; targets take less than PutEvents does.
_MAX_ENTRIES = 10
_MAX_BYTES = 250_000
_TOLD = 1_000  # characters of an error that a dead letter has


@dataclass(frozen=True, kw_only=True)
class Outgoing:
    """An entry of PutEvents, the bytes that count towards the limit, and the stream record that it came from."""

    sequence: str
    entry: Mapping[str, str]

    @property
    def size(self) -> int:
        """Bytes, as https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-putevents.html counts them."""
        return sum(len(self.entry[name].encode()) for name in ("Source", "DetailType", "Detail"))


@dataclass(frozen=True, kw_only=True)
class Publisher:
    """Publishes what changed in the tables, on the bus.

    `runs` reads the releases table, and `dead_letter` keeps a record that says nothing readable, with the reason.
    """

    client: Any
    bus: str
    source: str
    releases_table: str
    factory: Factory
    runs: ReadsRuns
    dead_letter: Callable[[Mapping[str, Any], str], None]

    def handle(self, records: Sequence[Mapping[str, Any]]) -> list[str]:
        """Publish a batch; return the sequence number from which it must be delivered again (none or one).

        Stops at the first entry that was refused, so that each deployment's events keep their order.
        """
        outgoing, unread = self._read(records)
        for batch in batches(outgoing):
            refused = self._put(batch)
            if refused is not None:
                return [batch[refused].sequence]
        return unread

    def _read(self, records: Sequence[Mapping[str, Any]]) -> tuple[list[Outgoing], list[str]]:
        """Read the records up to the first that asks for what cannot be read at present."""
        outgoing: list[Outgoing] = []
        for record in records:
            try:
                outgoing += self._outgoing(record)
            except (ClientError, BotoCoreError):
                logger.exception("a run or its rings could not be read; the event is delivered again")
                return outgoing, [str(record["dynamodb"]["SequenceNumber"])]
            except Exception as error:
                logger.exception("a change of a table could not be read")
                with contained("a change of a table is lost: its dead letter could not be written"):
                    self.dead_letter(record, cut(f"{type(error).__name__}: {error}", _TOLD))
        return outgoing, []

    def _outgoing(self, record: Mapping[str, Any]) -> list[Outgoing]:
        change = record["dynamodb"]
        old, new = _image(change, "OldImage"), _image(change, "NewImage")
        if _table(record) == self.releases_table:
            events = releases_table_events(old, new, runs=self.runs)
        else:
            events = status_table_events(old, new, factory=self.factory)
        sequence = str(change["SequenceNumber"])
        return [Outgoing(sequence=sequence, entry=self._entry(event)) for event in events]

    def _entry(self, event: LifecycleEvent) -> dict[str, str]:
        return {
            "EventBusName": self.bus,
            "Source": self.source,
            "DetailType": event.detail_type,
            "Detail": json.dumps(event.detail),
        }

    def _put(self, batch: Sequence[Outgoing]) -> int | None:
        """Send a batch; return the index of the first entry that the bus refused."""
        try:
            response = self.client.put_events(Entries=[outgoing.entry for outgoing in batch])
        except (ClientError, BotoCoreError):
            logger.exception("%d lifecycle events are delivered again", len(batch))
            return 0
        if not response["FailedEntryCount"]:
            return None
        refused = next(index for index, entry in enumerate(response["Entries"]) if entry.get("ErrorCode"))
        logger.warning("lifecycle event refused: %s", response["Entries"][refused])
        return refused


def batches(outgoing: Sequence[Outgoing]) -> Iterator[list[Outgoing]]:
    """Split entries into requests that PutEvents takes, in order."""
    batch: list[Outgoing] = []
    size = 0
    for one in outgoing:
        if batch and (len(batch) == _MAX_ENTRIES or size + one.size > _MAX_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(one)
        size += one.size
    if batch:
        yield batch


def _image(change: Mapping[str, Any], name: str) -> dict[str, Any] | None:
    return read_item(change[name]) if name in change else None


def _table(record: Mapping[str, Any]) -> str:
    """Name of the table that a record comes from: `arn:aws:dynamodb:REGION:ACCOUNT:table/NAME/stream/TIME`."""
    parts = str(record.get("eventSourceARN", "")).split("/")
    return parts[1] if len(parts) > 1 else ""
