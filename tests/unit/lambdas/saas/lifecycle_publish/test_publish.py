"""Publishing the streams of the status table and of the releases table."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from hypothesis import given
from hypothesis import strategies as st

from lambdas.common import clients
from lambdas.saas.lifecycle_publish import handler as lifecycle_publish
from lambdas.saas.lifecycle_publish.deployments import Factory
from lambdas.saas.lifecycle_publish.publish import Outgoing, Publisher, batches
from lambdas.saas.model.runs import Run


@dataclass
class FakeBus:
    """Takes what PutEvents takes; `refused` are the places, counted over all requests, that are refused."""

    refused: set[int] = field(default_factory=set)
    unreachable: bool = False
    requests: list[Sequence[Mapping[str, str]]] = field(default_factory=list)

    def put_events(self, *, Entries: Sequence[Mapping[str, str]]) -> dict[str, Any]:
        if self.unreachable:
            raise EndpointConnectionError(endpoint_url="https://events")
        assert 1 <= len(Entries) <= 10
        seen = sum(map(len, self.requests))
        self.requests.append(Entries)
        answers: list[dict[str, str]] = [
            {"ErrorCode": "ThrottlingException"} if seen + place in self.refused else {"EventId": "e"}
            for place in range(len(Entries))
        ]
        return {"FailedEntryCount": sum("ErrorCode" in answer for answer in answers), "Entries": answers}

    @property
    def details(self) -> list[dict[str, str]]:
        return [json.loads(entry["Detail"]) for request in self.requests for entry in request]


@pytest.fixture
def bus() -> FakeBus:
    return FakeBus()


@pytest.fixture
def dead() -> list[str]:
    return []


class NoRuns:
    """A releases table without anything in it."""

    def run(self, _run: str) -> Run | None:
        return None

    def ring(self, _run: str, _index: int) -> None:
        return None


class ThrottledRuns:
    """A releases table at its limit."""

    def run(self, _run: str) -> Run | None:
        raise ClientError({"Error": {"Code": "ThrottlingException"}}, "GetItem")

    def ring(self, _run: str, _index: int) -> None:
        raise ClientError({"Error": {"Code": "ThrottlingException"}}, "GetItem")


@pytest.fixture
def publisher(bus: FakeBus, dead: list[str]) -> Publisher:
    return Publisher(
        client=bus,
        bus="granary-lifecycle",
        source="granary",
        releases_table="granary-releases",
        factory=Factory(region="eu-west-1", retire_removed=False),
        runs=NoRuns(),
        dead_letter=lambda _record, reason: dead.append(reason),
    )


def insertions(count: int) -> list[dict[str, Any]]:
    return [
        {
            "eventName": "INSERT",
            "dynamodb": {
                "Keys": {"id": {"S": f"silo{number}"}},
                "SequenceNumber": f"{number}",
                "NewImage": {"id": {"S": f"silo{number}"}, "phase": {"S": "PENDING"}},
            },
        }
        for number in range(count)
    ]


def test_a_stream_becomes_events(
    publisher: Publisher, bus: FakeBus, sample: Callable[[str], Any], dead: list[str]
) -> None:
    assert publisher.handle(sample("status_stream")["Records"]) == []
    (request,) = bus.requests
    assert {(entry["Source"], entry["EventBusName"]) for entry in request} == {("granary", "granary-lifecycle")}
    assert [(detail["from"], detail["to"]) for detail in bus.details] == [
        ("", "PENDING"),
        ("PENDING", "PROVISIONING"),
        ("PROVISIONING", "ACTIVE"),
        ("ACTIVE", "ACTIVE"),
        ("ACTIVE", "ACTIVE"),
    ]
    assert [entry["DetailType"] for entry in request][-2:] == [
        "Deployment Phase Changed",
        "Deployment Row Removed",
    ]
    assert dead == []


def test_the_stream_of_the_releases_becomes_events(
    publisher: Publisher, bus: FakeBus, sample: Callable[[str], Any], dead: list[str]
) -> None:
    assert publisher.handle(sample("releases_stream")["Records"]) == []
    (request,) = bus.requests
    assert [entry["DetailType"] for entry in request] == [
        "Release Started",
        "Release Ring Changed",
        "Release Approval Needed",
        "Release Ring Changed",
        "Release Stopped",
    ]
    assert "an-approval-token" not in str(request)
    assert dead == []


def test_a_run_whose_rings_cannot_be_read_is_delivered_again(
    publisher: Publisher, bus: FakeBus, sample: Callable[[str], Any], dead: list[str]
) -> None:
    """Given DynamoDB at its limit, then what came before is published, and the run's event is not lost."""
    records = sample("releases_stream")["Records"]

    again = replace(publisher, runs=ThrottledRuns()).handle([*insertions(2), *records])
    assert again == [records[0]["dynamodb"]["SequenceNumber"]]
    assert [detail["id"] for detail in bus.details] == ["silo0", "silo1"]
    assert dead == []


def test_an_approval_whose_run_cannot_be_read_is_delivered_again(
    publisher: Publisher, sample: Callable[[str], Any]
) -> None:
    (asking,) = [
        record
        for record in sample("releases_stream")["Records"]
        if record["dynamodb"]["NewImage"].get("state", {}).get("S") == "APPROVAL"
    ]
    again = replace(publisher, runs=ThrottledRuns()).handle([asking])
    assert again == [asking["dynamodb"]["SequenceNumber"]]


def test_a_deployment_may_be_called_like_an_item_of_the_releases(publisher: Publisher, bus: FakeBus) -> None:
    (record,) = insertions(1)
    record["dynamodb"]["NewImage"]["id"] = {"S": "current"}
    record["eventSourceARN"] = "arn:aws:dynamodb:eu-west-1:111111111111:table/granary-deployment-status/stream/1"
    assert publisher.handle([record]) == []
    assert [detail["id"] for detail in bus.details] == ["current"]


def test_nothing_to_tell_asks_nothing(publisher: Publisher, bus: FakeBus) -> None:
    assert publisher.handle([]) == []
    assert bus.requests == []


def test_requests_hold_ten_events(publisher: Publisher, bus: FakeBus) -> None:
    assert publisher.handle(insertions(23)) == []
    assert [len(request) for request in bus.requests] == [10, 10, 3]


@pytest.mark.parametrize("refused", [{0}, {13, 15}, {22}])
def test_from_the_first_refused_event_on_all_is_delivered_again(
    publisher: Publisher, bus: FakeBus, refused: set[int]
) -> None:
    bus.refused = refused
    assert publisher.handle(insertions(23)) == [str(min(refused))]
    assert len(bus.requests) == min(refused) // 10 + 1


def test_an_unreachable_bus_is_tried_again(publisher: Publisher, bus: FakeBus) -> None:
    bus.unreachable = True
    assert publisher.handle(insertions(3)) == ["0"]


@pytest.mark.parametrize("odd", [{}, {"dynamodb": {}}, {"dynamodb": {"NewImage": {"id": {"X": 1}}}}])
def test_an_odd_record_delays_no_other(
    publisher: Publisher, bus: FakeBus, dead: list[str], odd: dict[str, Any]
) -> None:
    records = insertions(2)
    assert publisher.handle([records[0], odd, records[1]]) == []
    assert [detail["id"] for detail in bus.details] == ["silo0", "silo1"]
    assert len(dead) == 1


@given(st.lists(st.integers(min_value=1, max_value=120_000), max_size=40))
def test_requests_keep_the_limits_and_the_order(sizes: list[int]) -> None:
    outgoing = [
        Outgoing(sequence=str(number), entry={"Source": "", "DetailType": "", "Detail": "x" * size})
        for number, size in enumerate(sizes)
    ]
    made = list(batches(outgoing))
    assert [one for batch in made for one in batch] == outgoing
    assert all(1 <= len(batch) <= 10 and sum(one.size for one in batch) < 256_000 for batch in made)


@pytest.fixture
def deployed(make_table: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """What the function reads its environment of; answers the URL of the dead letters."""
    make_table("granary-releases")
    bus: Any = boto3.client("events")
    sqs: Any = boto3.client("sqs")
    bus.create_event_bus(Name="granary-lifecycle")
    url = sqs.create_queue(QueueName="dead-letters")["QueueUrl"]
    environment = {
        "LIFECYCLE_BUS": "granary-lifecycle",
        "EVENT_SOURCE": "granary",
        "RELEASES_TABLE": "granary-releases",
        "DEAD_LETTER_QUEUE_URL": url,
        "AWS_REGION": "eu-west-1",
        "ON_ROW_REMOVED": "keep",
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    clients.client.cache_clear()
    lifecycle_publish._publisher.cache_clear()
    yield url
    clients.client.cache_clear()
    lifecycle_publish._publisher.cache_clear()


def test_the_function_publishes_on_the_bus(deployed: str, sample: Callable[[str], Any]) -> None:
    boto3.client("dynamodb").put_item(
        TableName="granary-releases", Item=sample("releases_stream")["Records"][2]["dynamodb"]["NewImage"]
    )
    records = [
        *sample("status_stream")["Records"],
        *sample("releases_stream")["Records"],
        {"dynamodb": {"Keys": {"id": {"S": "odd"}}, "NewImage": 1}},
    ]
    assert lifecycle_publish.handler({"Records": records}, None) == {"batchItemFailures": []}
    (message,) = boto3.client("sqs").receive_message(QueueUrl=deployed)["Messages"]
    assert json.loads(message["Body"])["keys"] == {"id": {"S": "odd"}}


@pytest.mark.parametrize(("setting", "retires"), [("keep", False), ("retire", True)])
def test_the_setting_decides_what_is_told_of_a_removed_row(
    deployed: str, monkeypatch: pytest.MonkeyPatch, setting: str, retires: bool
) -> None:
    monkeypatch.setenv("ON_ROW_REMOVED", setting)
    assert lifecycle_publish._publisher().factory == Factory(region="eu-west-1", retire_removed=retires)
