"""Lambda function `lifecycle-publish`: the streams of the status table and of the releases table."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from lambdas.common.clients import client
from lambdas.common.settings import read_settings
from lambdas.saas.lifecycle_publish.deployments import Factory
from lambdas.saas.lifecycle_publish.publish import Publisher
from lambdas.saas.store.runs_table import RunsTable


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What the function is told when it is deployed, and its Region."""

    aws_region: str
    releases_table: str
    lifecycle_bus: str
    event_source: str
    on_row_removed: str
    dead_letter_queue_url: str


def _dead_letter(record: Mapping[str, Any], reason: str) -> None:
    # Both images of a large item would not fit into a message; the item can still be read by its key.
    body = json.dumps({"keys": record.get("dynamodb", {}).get("Keys"), "reason": reason}, default=str)
    client("sqs").send_message(QueueUrl=read_settings(Settings).dead_letter_queue_url, MessageBody=body)


@cache
def _publisher() -> Publisher:
    settings = read_settings(Settings)
    return Publisher(
        client=client("events"),
        bus=settings.lifecycle_bus,
        source=settings.event_source,
        releases_table=settings.releases_table,
        # Whoever runs another policy than the default says so.
        factory=Factory(region=settings.aws_region, retire_removed=settings.on_row_removed == "retire"),
        runs=RunsTable(client=client("dynamodb"), name=settings.releases_table),
        dead_letter=_dead_letter,
    )


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Answer with the records to deliver again (ReportBatchItemFailures)."""
    again = _publisher().handle(event["Records"])
    return {"batchItemFailures": [{"itemIdentifier": sequence} for sequence in again]}
