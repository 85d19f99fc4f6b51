"""Lambda function `lifecycle-publish`: the streams of the status table and of the releases table."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from functools import cache
from typing import Any

from lambdas.common import dynamo
from lambdas.common.clients import client
from lambdas.common.runs import Ring, Run, ring_id
from lambdas.saas.lifecycle_publish.publish import Publisher


def _dead_letter(record: Mapping[str, Any], reason: str) -> None:
    # Both images of a large item would not fit into a message; the item can still be read by its key.
    body = json.dumps({"keys": record.get("dynamodb", {}).get("Keys"), "reason": reason}, default=str)
    client("sqs").send_message(QueueUrl=os.environ["DEAD_LETTER_QUEUE_URL"], MessageBody=body)


def _rings(run: Run) -> list[Ring]:
    table = os.environ["RELEASES_TABLE"]
    items = (dynamo.get(client("dynamodb"), table=table, key=ring_id(run.run, index)) for index in range(run.rings))
    return [Ring.from_item(item) for item in items if item]


@cache
def _publisher() -> Publisher:
    return Publisher(
        client=client("events"),
        bus=os.environ["LIFECYCLE_BUS"],
        source=os.environ["EVENT_SOURCE"],
        releases_table=os.environ["RELEASES_TABLE"],
        rings=_rings,
        dead_letter=_dead_letter,
    )


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Answer with the records to deliver again (ReportBatchItemFailures)."""
    again = _publisher().handle(event["Records"])
    return {"batchItemFailures": [{"itemIdentifier": sequence} for sequence in again]}
