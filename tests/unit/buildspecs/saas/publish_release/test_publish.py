"""Publishing a release: an object that never changes, and a machine that is started once."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from buildspecs.archive import digest
from buildspecs.saas.publish_release.publish import Publisher
from lambdas.common.clock import stamp
from lambdas.common.errors import GranaryError
from lambdas.common.revisions import release_key
from lambdas.saas.model.releases import REVISION_METADATA, Release
from tests.unit.lambdas.saas.fakes import FakeClock

BUCKET, MACHINE = "releases", "arn:aws:states:eu-west-1:111111111111:stateMachine:granary-release"
HOME = "eu-west-1"


def client(service: str) -> Any:
    return boto3.client(service, region_name=HOME)  # type: ignore[call-overload]


@dataclass
class Machines:
    """Step Functions, as far as names of executions go; `refusal` is what it answers instead.

    `statuses` are those of executions that do not run any more.
    """

    started: list[dict[str, Any]] = field(default_factory=list)
    statuses: dict[str, str] = field(default_factory=dict)
    refusal: str = ""

    def start_execution(self, **request: Any) -> dict[str, Any]:
        known = request["name"] in {execution["name"] for execution in self.started}
        if code := self.refusal or ("ExecutionAlreadyExists" if known else ""):
            raise ClientError({"Error": {"Code": code, "Message": "no"}}, "StartExecution")
        self.started.append(request)
        return {}

    def describe_execution(self, **request: Any) -> dict[str, Any]:
        name = request["executionArn"].removeprefix(f"{MACHINE.replace(':stateMachine:', ':execution:')}:")
        return {"status": self.statuses.get(name, "RUNNING")}


@pytest.fixture
def machines() -> Machines:
    return Machines()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def publisher(aws: None, machines: Machines, clock: FakeClock) -> Publisher:
    s3 = client("s3")
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": HOME})
    s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    return Publisher(s3=s3, stepfunctions=machines, bucket=BUCKET, machine=MACHINE, gates=(), starts=True, clock=clock)


def versions() -> int:
    return len(client("s3").list_object_versions(Bucket=BUCKET).get("Versions", []))


def test_what_is_not_started_is_published_all_the_same(publisher: Publisher, machines: Machines) -> None:
    release = replace(publisher, starts=False).publish("abc123", b"zip")
    assert (release.key, versions(), machines.started) == (release_key("abc123"), 1, [])


def test_the_object_is_kept_and_the_machine_started(publisher: Publisher, machines: Machines) -> None:
    release = publisher.publish("abc123", b"zip")
    stored = client("s3").get_object(Bucket=BUCKET, Key=release_key("abc123"), VersionId=release.version_id)
    assert stored["Body"].read() == b"zip"
    assert stored["Metadata"][REVISION_METADATA] == "abc123"
    assert stored["Metadata"] == release.metadata, "the release machine compares them"
    assert release.sha256 == digest(b"zip")
    (execution,) = machines.started
    assert (execution["stateMachineArn"], execution["name"]) == (MACHINE, f"abc123-{release.sha256[:8]}")
    given = json.loads(execution["input"])
    assert (Release(**given["release"]), given["resumes"]) == (release, "")


def test_publishing_again_adds_no_object_and_starts_nothing(publisher: Publisher, machines: Machines) -> None:
    """Given a stage that is retried, then the release is on its way already."""
    assert publisher.publish("abc123", b"zip") == publisher.publish("abc123", b"zip")
    assert versions() == 1
    assert len(machines.started) == 1


@pytest.mark.parametrize(("status", "names"), [("SUCCEEDED", 1), ("FAILED", 2), ("ABORTED", 2), ("TIMED_OUT", 2)])
def test_a_stage_that_is_run_again_starts_what_came_to_nothing(
    publisher: Publisher, machines: Machines, status: str, names: int
) -> None:
    """Given an execution that is over, then one that came to nothing is started once more under the next name."""
    first = publisher.publish("abc123", b"zip")
    name = machines.started[0]["name"]
    machines.statuses[name] = status
    assert [publisher.publish("abc123", b"zip") for _ in range(2)] == [first, first]
    assert [execution["name"] for execution in machines.started] == [name, f"{name}-r2"][:names]
    assert {execution["input"] for execution in machines.started} == {machines.started[0]["input"]}


def test_a_release_is_as_old_as_it_is_however_often_it_is_published(
    publisher: Publisher, machines: Machines, clock: FakeClock
) -> None:
    """Given an old release whose stage is run again, then it is not taken for one that is later than its successor."""
    first = publisher.publish("abc123", b"zip")
    clock.pass_time(days=1)
    later = publisher.publish("def456", b"other")
    clock.pass_time(days=1)
    assert publisher.publish("abc123", b"zip") == first
    assert first.published_at < later.published_at


def test_what_tenants_get_of_it_is_published_with_it(publisher: Publisher, machines: Machines) -> None:
    """Given a stage that is run again and cannot tell any more, or tells otherwise, then what was published counts."""
    first = publisher.publish("abc123", b"zip", tenants="a" * 64)
    stored = client("s3").head_object(Bucket=BUCKET, Key=release_key("abc123"))
    assert stored["Metadata"] == first.metadata
    assert stored["Metadata"]["granary-tenants"] == "a" * 64
    assert [publisher.publish("abc123", b"zip", tenants=one) for one in ("", "b" * 64)] == [first, first]
    assert json.loads(machines.started[0]["input"])["release"]["tenants"] == "a" * 64
    assert "granary-tenants" not in publisher.publish("def456", b"other").metadata


def test_of_an_object_that_does_not_say_when_the_time_of_its_writing_counts(publisher: Publisher) -> None:
    metadata = {REVISION_METADATA: "abc123", "granary-sha256": digest(b"zip")}
    client("s3").put_object(Bucket=BUCKET, Key=release_key("abc123"), Body=b"zip", Metadata=metadata)
    written = client("s3").head_object(Bucket=BUCKET, Key=release_key("abc123"))["LastModified"]
    assert publisher.publish("abc123", b"zip").published_at == stamp(written)


def test_a_revision_never_gets_other_contents(publisher: Publisher, machines: Machines) -> None:
    publisher.publish("abc123", b"zip")
    with pytest.raises(GranaryError, match="revision abc123 was published before with other contents"):
        publisher.publish("abc123", b"other")
    assert versions() == 1
    assert len(machines.started) == 1


def test_the_longest_revision_fits_into_an_executions_name(publisher: Publisher, machines: Machines) -> None:
    publisher.publish("r" * 64, b"zip")
    assert len(machines.started[0]["name"]) <= 75, "a run that is resumed adds a few characters"


def test_a_machine_that_cannot_be_started_fails_the_build(publisher: Publisher, machines: Machines) -> None:
    machines.refusal = "AccessDeniedException"
    with pytest.raises(ClientError, match="AccessDenied"):
        publisher.publish("abc123", b"zip")


def test_a_bucket_that_cannot_be_read_is_a_fault(publisher: Publisher) -> None:
    class Refusing:
        def head_object(self, **_request: Any) -> None:
            raise ClientError({"Error": {"Code": "403", "Message": "Forbidden"}}, "HeadObject")

    with pytest.raises(ClientError, match="Forbidden"):
        Publisher(**{**vars(publisher), "s3": Refusing()}).publish("abc123", b"zip")
