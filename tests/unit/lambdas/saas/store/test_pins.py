"""The releases that rows pin, as the releases bucket has them."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import timedelta
from typing import Any

import boto3
import pytest

from lambdas.common.clock import stamp
from lambdas.common.errors import NotReleasedError
from lambdas.common.revisions import DIGEST_METADATA, release_key
from lambdas.saas.model.contract import CONTRACT, MINIMUM, STANDBYS
from lambdas.saas.model.releases import Release
from lambdas.saas.store.pins import CheckedPins
from tests.unit.lambdas.saas.fakes import RELEASE, START, FakeReleases
from tests.unit.lambdas.saas.release.world import FakeVerdicts

BODY = b"the source"
PUBLISHED = Release(
    revision="4f2c9d1",
    key=release_key("4f2c9d1"),
    version_id="",
    sha256=hashlib.sha256(BODY).hexdigest(),
    published_at=stamp(START + timedelta(hours=1)),
    contract=CONTRACT,
    gates=("secrets", "python"),
)


@pytest.fixture
def s3(aws: None) -> Any:
    client = boto3.client("s3", region_name="us-east-1")
    client.create_bucket(Bucket="releases")
    client.put_bucket_versioning(Bucket="releases", VersioningConfiguration={"Status": "Enabled"})
    return client


@pytest.fixture
def verdicts() -> FakeVerdicts:
    return FakeVerdicts()


@pytest.fixture
def pins(s3: Any, verdicts: FakeVerdicts) -> CheckedPins:
    return CheckedPins(s3=s3, bucket="releases", verdicts=verdicts, releases=FakeReleases())


def publish(s3: Any, body: bytes = BODY, **changes: Any) -> Release:
    release = replace(PUBLISHED, **changes)
    put = s3.put_object(Bucket="releases", Key=release.key, Body=body, Metadata=release.metadata)
    return replace(release, version_id=put["VersionId"])


def test_a_release_is_read_as_it_was_published(s3: Any, pins: CheckedPins) -> None:
    published = publish(s3)
    assert pins.release("4f2c9d1") == published
    assert pins.why_not("4f2c9d1", CONTRACT) == ""


def test_what_is_not_there_or_was_deleted_is_told(s3: Any, pins: CheckedPins) -> None:
    assert "is not published" in pins.why_not("4f2c9d1", 0)
    publish(s3)
    s3.delete_object(Bucket="releases", Key=PUBLISHED.key)
    assert "its source is gone" in pins.why_not("4f2c9d1", 0)


def test_bytes_that_are_not_those_of_its_digest_are_refused(s3: Any, pins: CheckedPins) -> None:
    publish(s3, b"something else")
    with pytest.raises(NotReleasedError, match=r"sha256"):
        pins.release("4f2c9d1")
    assert s3.head_object(Bucket="releases", Key=PUBLISHED.key)["Metadata"][DIGEST_METADATA] == PUBLISHED.sha256


@pytest.mark.parametrize(
    ("contract", "needs", "words"),
    [
        (MINIMUM - 1, 0, "publish a newer release"),
        (CONTRACT + 1, 0, "waits for a newer toolchain"),
        (STANDBYS - 1, STANDBYS, "knows no standby_region"),
        (STANDBYS - 1, 0, ""),
    ],
)
def test_its_contract_has_to_fit(s3: Any, pins: CheckedPins, contract: int, needs: int, words: str) -> None:
    publish(s3, contract=contract)
    told = pins.why_not("4f2c9d1", needs)
    assert words in told
    assert bool(told) is bool(words)


def test_it_passes_the_gates_that_a_run_would_pass(s3: Any, pins: CheckedPins, verdicts: FakeVerdicts) -> None:
    """Given a verdict that is missing, or has expired: the second holds up who goes forwards, and nobody else."""
    publish(s3)
    verdicts.against = {"4f2c9d1": "gate python judged long ago"}
    assert pins.why_not("4f2c9d1", 0).endswith("gate python judged long ago")
    current = replace(pins, releases=FakeReleases(replace(RELEASE, published_at=PUBLISHED.published_at)))
    assert current.why_not("4f2c9d1", 0) == ""
    verdicts.against_back = {"4f2c9d1": "gate python has left no verdict"}
    assert current.why_not("4f2c9d1", 0).endswith("has left no verdict")
    before_the_first = replace(pins, releases=FakeReleases(None))
    assert before_the_first.why_not("4f2c9d1", 0).endswith("judged long ago")


def test_a_piece_of_work_reads_a_release_once_and_the_next_one_reads_it_anew(s3: Any, pins: CheckedPins) -> None:
    reads: list[str] = []
    s3.meta.events.register("before-call.s3.GetObject", lambda **_: reads.append("read"))
    publish(s3)
    for work in (pins.remembering(), pins.remembering()):
        assert work.release("4f2c9d1") == work.find("4f2c9d1")
        assert (work.why_not("4f2c9d1", 0), work.why_not("4f2c9d1", CONTRACT)) == ("", "")
    assert len(reads) == 2


def test_what_was_not_there_is_not_remembered(s3: Any, pins: CheckedPins) -> None:
    work = pins.remembering()
    assert "is not published" in work.why_not("4f2c9d1", 0)
    publish(s3)
    assert work.why_not("4f2c9d1", 0) == ""
