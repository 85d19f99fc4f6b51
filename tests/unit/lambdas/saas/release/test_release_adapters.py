"""The adapters of the function `release`."""

from __future__ import annotations

import json

import boto3

from lambdas.saas.model.rings import Item, Skipped
from lambdas.saas.release.alarms import CloudWatchAlarms
from lambdas.saas.release.shelf import ReleaseShelf
from lambdas.saas.store.release_parameter import ReleaseParameter
from tests.unit.lambdas.saas.fakes import RELEASE, Paged, PagingClient

HOME = "eu-west-1"


def test_alarms_of_both_kinds_are_read_page_by_page() -> None:
    paged = Paged(
        pages=[
            {"MetricAlarms": [{"AlarmName": "a", "StateValue": "OK"}]},
            {"CompositeAlarms": [{"AlarmName": "b", "StateValue": "ALARM"}]},
        ]
    )
    assert CloudWatchAlarms(client=PagingClient(paged)).states(["a", "b", "c"]) == {"a": "OK", "b": "ALARM"}
    assert paged.asked["AlarmTypes"] == ["MetricAlarm", "CompositeAlarm"]


def test_a_request_names_no_more_alarms_than_it_may() -> None:
    paged = Paged(pages=[{}])
    CloudWatchAlarms(client=PagingClient(paged)).states([f"a{number}" for number in range(101)])
    assert (paged.read, paged.asked["AlarmNames"]) == (2, ["a100"])


def test_the_shelf_keeps_items_and_the_current_release(aws: None) -> None:
    s3, ssm = boto3.client("s3", region_name=HOME), boto3.client("ssm", region_name=HOME)
    s3.create_bucket(Bucket="releases", CreateBucketConfiguration={"LocationConstraint": HOME})
    shelf = ReleaseShelf(s3=s3, ssm=ssm, bucket="releases", parameter="/granary/release/current")
    shelf.put_items("runs/r/ring-0.json", [Item(id="a", type="silo")])
    body = s3.get_object(Bucket="releases", Key="runs/r/ring-0.json")["Body"].read()
    assert json.loads(body) == [{"id": "a", "type": "silo"}]
    shelf.put_skipped("runs/r/skipped.json", [Skipped(id="b", reason="it is suspended")])
    body = s3.get_object(Bucket="releases", Key="runs/r/skipped.json")["Body"].read()
    assert json.loads(body) == [{"id": "b", "reason": "it is suspended"}]
    shelf.make_current(RELEASE)
    shelf.make_current(RELEASE)
    assert ReleaseParameter(client=ssm, name="/granary/release/current").current() == RELEASE
