"""A month of governance, from a plan that is applied to a report that is signed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest

from lambdas.common.errors import GranaryError
from lambdas.lake.discover.handler import discover, report
from lambdas.lake.model.governance.report import Signature
from lambdas.lake.store.governance import Governance
from lambdas.lake.store.plans import Plans
from lambdas.lake.store.reports import Reports
from tests.unit.lambdas.lake.fakes import ACCOUNT, FakeLake
from tests.unit.lambdas.lake.model.governance.cases import READ, policy
from tests.unit.lambdas.lake.worlds import NOW, applying, governance

_FILE = policy(replace(READ, record="contact"))


@pytest.fixture
def plans(make_table: Callable[[str], Any]) -> Plans:
    s3 = boto3.client("s3", region_name="eu-west-1")
    s3.create_bucket(Bucket="plans", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    place = f"{ACCOUNT}/eu-west-1"
    return Plans(s3=s3, dynamodb=make_table("lake"), bucket="plans", table="lake", place=place, clock=lambda: NOW)


@pytest.fixture
def lake(plans: Plans) -> FakeLake:
    """A lake in which somebody was granted personal data, and somebody has approved that."""
    found = FakeLake()
    found.crawl("d1", "t", "id", "email")
    plan = discover(governance(_FILE, found, plans))["plan"]
    applying(_FILE, found, plans).apply(plan, approved_by="ada")
    return found


def _at(month: int, lake: FakeLake, plans: Plans) -> Governance:
    return replace(governance(_FILE, lake, plans), clock=lambda: datetime(2027, month, 1, 6, tzinfo=UTC))


@pytest.fixture
def reports(plans: Plans) -> Reports:
    return Reports(s3=plans.s3, bucket=plans.bucket, place=plans.place)


def test_the_months_changes_and_todays_readers_are_reported(plans: Plans, lake: FakeLake, reports: Reports) -> None:
    told = report(governance(_FILE, lake, plans), "2026-11")
    made = reports.read("2026-11")
    assert made
    (applied,) = made.applied
    assert (applied.approved_by, applied.outcome) == ("ada", "applied")
    assert "all columns" in applied.changes[0].gained
    assert [(one.pii, one.columns, one.records) for one in made.readers] == [("contact", ("d1.t.email",), ("contact",))]
    assert {one.name for one in made.expiring} == {"contact", "both", "expired"}
    assert f"s3://plans/plans/{ACCOUNT}/eu-west-1/reports/2026-11.md" in told["message"]
    assert "granary lake report ENVIRONMENT --month 2026-11 --sign" in told["notification"]["content"]["description"]


def test_a_report_that_was_made_stays_as_it_is(plans: Plans, lake: FakeLake, reports: Reports) -> None:
    first = report(governance(_FILE, lake, plans), "2026-11")
    before = reports.read("2026-11")
    lake.crawl("d1", "more", "id", "email")
    assert report(governance(_FILE, lake, plans), "2026-11") == first
    assert reports.read("2026-11") == before
    assert reports.months() == [("2026-11", False)]


def test_what_nobody_signed_is_told_with_the_next_one(plans: Plans, lake: FakeLake, reports: Reports) -> None:
    report(governance(_FILE, lake, plans), "2026-11")
    assert "not signed: the reports of 2026-11" in report(_at(1, lake, plans), "last")["message"]
    for month in ("2026-11", "2026-12"):
        made = reports.read(month)
        assert made
        reports.sign(month, Signature(report=made.digest, by="ada", at="noon"))
    assert "not signed" not in report(_at(2, lake, plans), "last")["message"]
    made = reports.read("2027-01")
    assert made
    assert (made.applied, made.unsigned) == ((), ())


def test_a_report_is_signed_once(plans: Plans, lake: FakeLake, reports: Reports) -> None:
    report(governance(_FILE, lake, plans), "2026-11")
    reports.sign("2026-11", Signature(report="a", by="ada", at="noon"))
    with pytest.raises(GranaryError, match="is signed already by ada at noon"):
        reports.sign("2026-11", Signature(report="b", by="bob", at="night"))
    signature = reports.signature("2026-11")
    assert signature
    assert signature.by == "ada"


def test_a_look_that_is_not_complete_is_told(plans: Plans, lake: FakeLake, reports: Reports) -> None:
    lake.admins = []
    assert "not everything could be looked at" in report(governance(_FILE, lake, plans), "2026-11")["message"]
