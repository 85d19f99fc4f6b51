"""Lambda function `lifecycle-publish`: the status table's stream."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from functools import cache
from typing import Any

from lambdas.common.clients import client
from lambdas.saas.lifecycle_publish.publish import Publisher


def _dead_letter(record: Mapping[str, Any], reason: str) -> None:
    # Both images of a large status would not fit into a message; the status can still be read by its key.
    body = json.dumps({"keys": record.get("dynamodb", {}).get("Keys"), "reason": reason}, default=str)
    client("sqs").send_message(QueueUrl=os.environ["DEAD_LETTER_QUEUE_URL"], MessageBody=body)


@cache
def _publisher() -> Publisher:
    return Publisher(
        client=client("events"),
        bus=os.environ["LIFECYCLE_BUS"],
        source=os.environ["EVENT_SOURCE"],
        dead_letter=_dead_letter,
    )


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Answer with the records to deliver again (ReportBatchItemFailures)."""
    again = _publisher().handle(event["Records"])
    return {"batchItemFailures": [{"itemIdentifier": sequence} for sequence in again]}
