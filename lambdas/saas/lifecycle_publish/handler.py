"""Lambda function `lifecycle-publish`: the streams of the status table and of the releases table."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from lambdas.common.clients import client
from lambdas.saas.lifecycle_publish.deployments import Factory
from lambdas.saas.lifecycle_publish.publish import Publisher
from lambdas.saas.model.runs import Ring, Run
from lambdas.saas.store.runs_table import RunsTable


def _dead_letter(record: Mapping[str, Any], reason: str) -> None:
    # Both images of a large item would not fit into a message; the item can still be read by its key.
    body = json.dumps({"keys": record.get("dynamodb", {}).get("Keys"), "reason": reason}, default=str)
    client("sqs").send_message(QueueUrl=os.environ["DEAD_LETTER_QUEUE_URL"], MessageBody=body)


@dataclass(frozen=True, kw_only=True)
class _Runs:
    """The releases table, item by item, as the role allows."""

    table: RunsTable

    def run(self, run: str) -> Run | None:
        return self.table.run(run)

    def rings(self, run: Run) -> list[Ring]:
        found = (self.table.ring(run.run, index) for index in range(run.rings))
        return [ring for ring in found if ring]


@cache
def _publisher() -> Publisher:
    env = os.environ
    return Publisher(
        client=client("events"),
        bus=env["LIFECYCLE_BUS"],
        source=env["EVENT_SOURCE"],
        releases_table=env["RELEASES_TABLE"],
        # Whoever runs another policy than the default says so.
        factory=Factory(region=env["AWS_REGION"], retire_removed=env["ON_ROW_REMOVED"] == "retire"),
        runs=_Runs(table=RunsTable(client=client("dynamodb"), name=env["RELEASES_TABLE"])),
        dead_letter=_dead_letter,
    )


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Answer with the records to deliver again (ReportBatchItemFailures)."""
    again = _publisher().handle(event["Records"])
    return {"batchItemFailures": [{"itemIdentifier": sequence} for sequence in again]}
