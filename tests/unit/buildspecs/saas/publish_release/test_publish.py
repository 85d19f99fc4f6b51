"""Publishing a release: object, pointer and event; safe to repeat, and never changed."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from buildspecs.saas.publish_release.archive import digest
from buildspecs.saas.publish_release.publish import DETAIL_TYPE, Publisher
from lambdas.common.errors import GranaryError
from lambdas.common.releases import REVISION_METADATA, ReleaseParameter, release_key
from tests.unit.lambdas.fakes import FakeClock

BUCKET, PARAMETER, BUS = "releases", "/granary/release/current", "granary-lifecycle"
HOME = "eu-west-1"


def client(service: str) -> Any:
    return boto3.client(service, region_name=HOME)  # type: ignore[call-overload]


@pytest.fixture
def events(aws: None) -> Callable[[], list[dict[str, Any]]]:
    """Answers the events that reached a queue through the bus."""
    sqs, bus = client("sqs"), client("events")
    queue = sqs.create_queue(QueueName="told")["QueueUrl"]
    bus.create_event_bus(Name=BUS)
    bus.put_rule(Name="all", EventBusName=BUS, EventPattern=json.dumps({"source": ["granary"]}))
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    bus.put_targets(Rule="all", EventBusName=BUS, Targets=[{"Id": "queue", "Arn": arn}])

    def told() -> list[dict[str, Any]]:
        messages = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", [])
        return [json.loads(message["Body"]) for message in messages]

    return told


@pytest.fixture
def publisher(aws: None) -> Publisher:
    s3 = client("s3")
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": HOME})
    s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    return Publisher(
        s3=s3,
        ssm=client("ssm"),
        events=client("events"),
        bucket=BUCKET,
        parameter=PARAMETER,
        bus=BUS,
        source="granary",
        clock=FakeClock(),
    )


def versions() -> int:
    return len(client("s3").list_object_versions(Bucket=BUCKET).get("Versions", []))


def test_object_pointer_and_event_are_written(events: Callable[[], list[dict[str, Any]]], publisher: Publisher) -> None:
    release = publisher.publish("abc123", b"zip")
    stored = client("s3").get_object(Bucket=BUCKET, Key=release_key("abc123"), VersionId=release.version_id)
    assert stored["Body"].read() == b"zip"
    assert stored["Metadata"][REVISION_METADATA] == "abc123"
    assert release.sha256 == digest(b"zip")
    assert ReleaseParameter(client=client("ssm"), name=PARAMETER).current() == release
    (event,) = events()
    assert (event["source"], event["detail-type"]) == ("granary", DETAIL_TYPE)
    assert event["detail"] == {"revision": "abc123", "sha256": digest(b"zip")}


def test_publishing_again_adds_no_object_but_tells_again(
    events: Callable[[], list[dict[str, Any]]], publisher: Publisher
) -> None:
    assert publisher.publish("abc123", b"zip") == publisher.publish("abc123", b"zip")
    assert versions() == 1
    assert len(events()) == 2, "the first build may have ended before it told"


def test_a_revision_never_gets_other_contents(events: Callable[[], list[dict[str, Any]]], publisher: Publisher) -> None:
    first = publisher.publish("abc123", b"zip")
    with pytest.raises(GranaryError, match="revision abc123 was published before with other contents"):
        publisher.publish("abc123", b"other")
    assert versions() == 1
    assert ReleaseParameter(client=client("ssm"), name=PARAMETER).current() == first
    assert len(events()) == 1


def test_the_newest_publication_is_current(events: Callable[[], list[dict[str, Any]]], publisher: Publisher) -> None:
    publisher.publish("abc123", b"zip")
    second = publisher.publish("def456", b"more")
    assert ReleaseParameter(client=client("ssm"), name=PARAMETER).current() == second
    assert versions() == 2


def test_an_event_that_is_refused_fails_the_build(publisher: Publisher) -> None:
    class Refusing:
        def put_events(self, **_request: Any) -> dict[str, Any]:
            return {"FailedEntryCount": 1, "Entries": [{"ErrorMessage": "no such bus"}]}

    refused = Publisher(**{**vars(publisher), "events": Refusing()})
    with pytest.raises(GranaryError, match="was published, but not told: no such bus"):
        refused.publish("abc123", b"zip")


def test_a_bucket_that_cannot_be_read_is_a_fault(publisher: Publisher) -> None:
    class Refusing:
        def head_object(self, **_request: Any) -> None:
            raise ClientError({"Error": {"Code": "403", "Message": "Forbidden"}}, "HeadObject")

    with pytest.raises(ClientError, match="Forbidden"):
        Publisher(**{**vars(publisher), "s3": Refusing()}).publish("abc123", b"zip")
