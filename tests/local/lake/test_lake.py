"""The lake, from a commit that switches it on to what people read of it: every function, job, pipeline and role.

One story on one factory, with IAM enforced: its pipelines deploy it as the room's roles, and what was deployed runs.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from lambdas.lake.model.names import Zone
from lambdas.lake.model.objects import AuditRow, ObjectVersion, Phase
from local_cloud.factory.granary import HOME, WORKLOAD
from local_cloud.factory.lake import LAKE, PREFIX, Lake, wait_for
from local_cloud.factory.lake_data import FAULTS, trips

# A factory, its CI/CD, two pipelines, and five starts of Spark.
pytestmark = pytest.mark.timeout(1500)

_GOOD, _BAD = 30, dict.fromkeys(FAULTS, 1)
_QUEUE = "notices"


@pytest.fixture(scope="module")
def lake(lake: Lake) -> Lake:
    """The lake, with somebody who hears of its runs."""
    _listen(lake)
    return lake


def _listen(lake: Lake) -> None:
    sqs, sns = lake.client("sqs"), lake.client("sns")
    arn = f"arn:aws:sqs:{HOME}:{WORKLOAD}:{_QUEUE}"
    statement = {"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [{**statement, "Resource": arn}]})
    sqs.create_queue(QueueName=_QUEUE, Attributes={"Policy": policy})
    topic = f"arn:aws:sns:{HOME}:{WORKLOAD}:{LAKE.notices_topic}"
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)


@pytest.fixture(scope="module")
def notices(lake: Lake) -> list[dict[str, Any]]:
    """What people were told; asked for it, it grows."""
    return []


def heard(lake: Lake, notices: list[dict[str, Any]], subject: str) -> dict[str, Any]:
    """The notice of a subject, once it has come."""
    sqs = lake.client("sqs")
    url = sqs.get_queue_url(QueueName=_QUEUE)["QueueUrl"]

    def found() -> dict[str, Any] | None:
        for message in sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", ()):
            notices.append(json.loads(message["Body"]))
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return next((one for one in notices if one["Subject"] == subject), None)

    answer: dict[str, Any] = wait_for(found, f"the notice {subject!r}")
    return answer


@pytest.fixture(scope="module")
def loaded(lake: Lake) -> list[AuditRow]:
    """Two files of one day, of one name in two folders, with bad rows in one."""
    objects = [
        lake.put(f"{PREFIX}north/my trips (1)+.csv", trips(_GOOD, bad=_BAD)),
        lake.put(f"{PREFIX}south/my trips (1)+.csv", trips(_GOOD, seed=1)),
    ]
    return lake.settled(*objects)


def test_both_files_of_a_day_are_kept(lake: Lake, loaded: list[AuditRow]) -> None:
    assert [(row.phase, row.reason) for row in loaded] == [(Phase.SUCCEEDED, "")] * 2
    objects = {row.id for row in loaded}
    for zone, table in ((Zone.CONFORMED, "green_trips"), (Zone.PURPOSE_BUILT, "trips_by_payment")):
        assert {one["Values"][-1] for one in lake.partitions(zone, table)} == objects


def test_every_row_is_in_the_table_or_in_quarantine(lake: Lake, loaded: list[AuditRow]) -> None:
    assert [(row.read, row.good, row.quarantined) for row in loaded] == [
        (_GOOD + len(FAULTS), _GOOD, len(FAULTS)),
        (_GOOD, _GOOD, 0),
    ]
    (told, *_) = [
        one["Parameters"]
        for one in lake.partitions(Zone.CONFORMED, "green_trips_quarantine")
        if one["Values"][-1] == loaded[0].id
    ]
    assert told["granary_quarantined"] == str(len(FAULTS))


def test_people_hear_of_it(lake: Lake, loaded: list[AuditRow], notices: list[dict[str, Any]]) -> None:
    assert loaded
    told = heard(lake, notices, "green_trips: loaded: my trips (1)+.csv")
    assert "rows read" in told["Message"]


def test_a_duplicate_event_changes_nothing(lake: Lake, loaded: list[AuditRow]) -> None:
    row = loaded[0]
    record = {
        "eventName": "ObjectCreated:Put",
        "eventTime": "2030-01-01T00:00:00.000Z",
        "s3": {
            "bucket": {"name": row.bucket},
            "object": {"key": row.key.replace("+", "%2B").replace(" ", "+"), "versionId": row.version, "size": 1},
        },
    }
    sqs = lake.client("sqs")
    url = sqs.get_queue_url(QueueName=LAKE.arrivals_queue)["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody=json.dumps({"Records": [record, record]}))

    def taken() -> bool | None:
        told = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        return all(told[f"ApproximateNumberOfMessages{kind}"] == "0" for kind in ("", "NotVisible")) or None

    wait_for(taken, "the duplicate to be taken in")
    assert lake.audit.row(row.id) == row
    assert len(list(lake.partitions(Zone.CONFORMED, "green_trips"))) == len(loaded)


@pytest.fixture(scope="module")
def broken(lake: Lake, loaded: list[AuditRow]) -> ObjectVersion:
    """A file that lacks a column."""
    assert loaded
    return lake.put(f"{PREFIX}broken.csv", b"\n".join(line[2:] for line in trips(3).splitlines()))


def test_a_file_that_cannot_be_loaded_leaves_nothing_and_its_reason(
    lake: Lake, broken: ObjectVersion, notices: list[dict[str, Any]]
) -> None:
    (row,) = lake.settled(broken)
    assert row.phase is Phase.FAILED
    assert "the header lacks vendorid: correct the file" in row.reason
    told = heard(lake, notices, "green_trips: FAILED: broken.csv")
    assert row.reason in told["Message"]
    assert broken.id not in {one["Values"][-1] for one in lake.partitions(Zone.CONFORMED, "green_trips")}


def test_what_is_in_no_folder_is_told(lake: Lake, notices: list[dict[str, Any]]) -> None:
    stray = lake.put("stray.csv", b"a\n1\n")
    (row,) = lake.settled(stray)
    assert row.phase is Phase.REFUSED
    assert "no dataset's folder" in heard(lake, notices, "lake: refused: stray.csv")["Message"]
