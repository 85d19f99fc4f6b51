"""The Lambda function `onboard`, on moto's AWS."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest

from lambdas.common import clients
from lambdas.saas.onboard import handler as onboard
from tests.unit.lambdas.saas.strategies import POLICY


@pytest.fixture
def queue_url(make_table: Any, give_settings: Callable[..., None]) -> Iterator[str]:
    make_table("statuses")
    make_table("deployments")
    sqs: Any = boto3.client("sqs", region_name="eu-west-1")
    url: str = sqs.create_queue(QueueName="dead-letters")["QueueUrl"]
    environment = {
        "DEPLOYMENTS_TABLE": "deployments",
        "STATUS_TABLE": "statuses",
        "PROVISIONING_PROJECT": "granary-provisioning",
        "RELEASES_BUCKET": "releases",
        "RELEASE_PARAMETER": "/granary/release/current",
        "MAX_IDS_PER_BUILD": "25",
        "LIFECYCLE_MACHINE": "arn:aws:states:eu-west-1:111111111111:stateMachine:granary-lifecycle",
        "DEAD_LETTER_QUEUE_URL": url,
    }
    give_settings(environment, target_policy=POLICY.to_json())
    cached = (clients.client, onboard._onboarding)
    for made in cached:
        made.cache_clear()
    yield url
    for made in cached:
        made.cache_clear()


def _put_rows(sample: Callable[[str], Any]) -> None:
    for change in (record["dynamodb"] for record in sample("deployments_stream")["Records"]):
        if "NewImage" in change:
            boto3.client("dynamodb").put_item(TableName="deployments", Item=change["NewImage"])


def test_rows_wait_for_the_first_release(queue_url: str, sample: Callable[[str], Any]) -> None:
    _put_rows(sample)
    assert onboard.handler(sample("deployments_stream"), None) == {"batchItemFailures": []}
    items = boto3.client("dynamodb").scan(TableName="statuses")["Items"]
    phases = {item["id"]["S"]: item["phase"]["S"] for item in items}
    assert phases == {"silo1": "PENDING", "pool1": "PENDING", "bad": "INVALID"}


def test_what_cannot_be_written_is_kept_with_the_reason(queue_url: str, sample: Callable[[str], Any]) -> None:
    _put_rows(sample)
    boto3.client("dynamodb").delete_table(TableName="statuses")
    event = {"Records": sample("deployments_stream")["Records"][:1]}
    assert onboard.handler(event, None) == {"batchItemFailures": []}
    sqs: Any = boto3.client("sqs", region_name="eu-west-1")
    (message,) = sqs.receive_message(QueueUrl=queue_url)["Messages"]
    letter = json.loads(message["Body"])
    assert (letter["id"], letter["sequence"], letter["event"]) == ("silo1", "100000000000000000001", "INSERT")
    assert "ResourceNotFoundException" in letter["reason"]


def test_the_answer_names_the_record_to_deliver_again(
    queue_url: str, sample: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Full:
        def handle(self, records: list[Any]) -> list[str]:
            return [records[1]["dynamodb"]["SequenceNumber"]]

    monkeypatch.setattr(onboard, "_onboarding", Full)
    answer = onboard.handler(sample("deployments_stream"), None)
    assert answer == {"batchItemFailures": [{"itemIdentifier": "100000000000000000002"}]}
