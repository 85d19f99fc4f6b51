"""Plans and the ledger, on moto's S3 and DynamoDB."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import boto3
import pytest

from lambdas.common.errors import GranaryError, UnreadableError
from lambdas.lake.model.governance.grants import Grant, Kind
from lambdas.lake.model.governance.plan import Plan
from lambdas.lake.store.plans import Applied, BusyError, Plans
from tests.unit.lambdas.lake.worlds import NOW, TODAY

_PLAN = Plan(catalog="2", region="eu-west-1", day=TODAY, policy="p", observation="o")
_GRANT = Grant(principal="a", kind=Kind.TABLE, permission="SELECT", database="d", table="t", included=("b",))


class _Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> _Clock:
    return _Clock()


@pytest.fixture
def plans(make_table: Callable[[str], Any], clock: _Clock) -> Plans:
    s3 = boto3.client("s3", region_name="eu-west-1")
    s3.create_bucket(Bucket="plans", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    return Plans(s3=s3, dynamodb=make_table("lake"), bucket="plans", table="lake", place="2/eu-west-1", clock=clock)


def _applied(run: str) -> Applied:
    return Applied(plan=_PLAN.digest, at="2026-11-28T12:00:00.000+00:00", run=run, approved_by="ada")


def test_a_plan_is_kept_under_its_digest_once(plans: Plans) -> None:
    assert plans.last() is None
    plans.keep(_PLAN, "page")
    plans.keep(_PLAN, "another page")
    assert plans.last() == plans.read(_PLAN.digest) == _PLAN
    key = f"plans/2/eu-west-1/{_PLAN.digest}.md"
    assert plans.s3.get_object(Bucket="plans", Key=key)["Body"].read() == b"page"
    plans.keep(replace(_PLAN, day="2026-11-29"), "page")
    assert plans.last() == replace(_PLAN, day="2026-11-29")


def test_a_plan_that_somebody_changed_is_not_read(plans: Plans) -> None:
    plans.keep(_PLAN, "page")
    key = f"plans/2/eu-west-1/{_PLAN.digest}.json"
    plans.s3.put_object(Bucket="plans", Key=key, Body=replace(_PLAN, policy="other").to_json().encode())
    with pytest.raises(GranaryError, match="is not what its name says"):
        plans.read(_PLAN.digest)
    assert plans.last() is None
    with pytest.raises(GranaryError, match=r"there is no plans/2/eu-west-1/none\.json"):
        plans.read("none")


def test_of_a_ledger_that_is_gone_the_next_step_is_told_and_works(plans: Plans) -> None:
    plans.take("run-1")
    plans.write_ours(frozenset({_GRANT}), run="run-1")
    (kept,) = plans.s3.list_objects_v2(Bucket="plans", Prefix="plans/2/eu-west-1/ours/")["Contents"]
    plans.s3.delete_object(Bucket="plans", Key=kept["Key"])
    with pytest.raises(GranaryError, match="take `ours` out of the item governance/2/eu-west-1 of table lake"):
        plans.ours()
    plans.dynamodb.update_item(
        TableName="lake", Key={"id": {"S": "governance/2/eu-west-1"}}, UpdateExpression="REMOVE ours"
    )
    assert plans.ours() == frozenset()


def test_a_later_version_is_told(plans: Plans) -> None:
    plans.take("run-1")
    plans.write_ours(frozenset({_GRANT}), run="run-1")
    assert plans.ours() == {_GRANT}
    text = b'{"grants": [{"principal": "a", "kind": "NEW", "permission": "SELECT"}]}'
    digest = hashlib.sha256(text).hexdigest()
    plans.s3.put_object(Bucket="plans", Key=f"plans/2/eu-west-1/ours/{digest}.json", Body=text)
    plans.dynamodb.update_item(
        TableName="lake",
        Key={"id": {"S": "governance/2/eu-west-1"}},
        UpdateExpression="SET ours = :d",
        ExpressionAttributeValues={":d": {"S": digest}},
    )
    with pytest.raises(UnreadableError, match="kind: 'NEW' is unknown to this version"):
        plans.ours()


def test_one_run_at_a_time(plans: Plans, clock: _Clock) -> None:
    plans.take("run-1")
    plans.take("run-1")
    # The state machine knows it by its name, and asks again.
    with pytest.raises(BusyError, match="another run applies a plan to 2/eu-west-1: wait for it"):
        plans.take("run-2")
    plans.release(_applied("run-1"))
    plans.take("run-2")
    # What a run left that died is taken over, and the dead one writes no more.
    clock.now += timedelta(minutes=17)
    plans.take("run-3")
    with pytest.raises(GranaryError, match="another run applies a plan"):
        plans.write_ours(frozenset({_GRANT}), run="run-2")
    plans.release(_applied("run-2"))
    assert plans.ours() == frozenset()
    with pytest.raises(GranaryError, match="another run"):
        plans.take("run-4")


def test_what_became_of_a_plan_is_kept(plans: Plans) -> None:
    plans.keep(_PLAN, "page")
    plans.take("run-1")
    plans.release(_applied("run-1"))
    assert plans.applied("2026-11") == [_applied("run-1")]
    assert plans.applied("2026-1") == plans.applied("2026-12") == []
    assert plans.last() == _PLAN
