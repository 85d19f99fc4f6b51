"""The monthly report: who reads personal data, by which record, and what is to be seen at a glance."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lambdas.lake.model.governance.grants import Grant, Kind
from lambdas.lake.model.governance.plan import Change
from lambdas.lake.model.governance.policy import EVERYBODY
from lambdas.lake.model.governance.report import (
    AppliedPlan,
    Reader,
    Report,
    Signature,
    expiring,
    headline,
    month_before,
    readers,
    report_page,
)
from tests.unit.lambdas.lake.model.governance.cases import ANALYST, READ, policy, seen
from tests.unit.lambdas.lake.worlds import RECORDS, TODAY, arn, record

_GRANT = Grant(principal=ANALYST, kind=Kind.TABLE, permission="SELECT", database="d1", table="customers")
_REPORT = Report(catalog="2", region="eu-west-1", month="2026-11", day="2026-12-01")


@pytest.mark.parametrize(("day", "month"), [("2026-12-01", "2026-11"), ("2027-01-31", "2026-12")])
def test_the_month_before(day: str, month: str) -> None:
    assert month_before(day) == month


def test_readers_are_told_by_class_with_the_record_that_covers_it() -> None:
    by_hand = replace(_GRANT, principal=arn("role/other"), included=("email", "id"))
    everybody = replace(_GRANT, principal=EVERYBODY, included=("zip",))
    look = seen(grants=frozenset({_GRANT, by_hand, everybody}))
    found = readers(policy(replace(READ, record="contact")), look, partition="aws", today=TODAY)
    assert found == (
        Reader(principal=EVERYBODY, pii="place", columns=("d1.customers.zip",)),
        Reader(principal=ANALYST, pii="contact", columns=("d1.customers.email",), records=("contact",)),
        # Its record does not say so, and it reads it all the same.
        Reader(principal=ANALYST, pii="place", columns=("d1.customers.zip",)),
        Reader(principal=arn("role/other"), pii="contact", columns=("d1.customers.email",)),
    )
    (expired,) = readers(
        policy(replace(READ, record="expired")), seen(grants=frozenset({by_hand})), partition="aws", today=TODAY
    )
    assert expired.records == ()


def test_records_are_told_before_they_expire() -> None:
    later = record("later", "contact", valid_until="2027-01-28")
    soon = record("soon", "contact", valid_until="2027-01-27")
    found = expiring(policy(READ, records=(*RECORDS, later, soon)), today=TODAY)
    assert [one.name for one in found] == ["expired", "contact", "both", "soon"]


def test_the_page_has_what_changed_and_what_is_missing() -> None:
    change = Change(principal=ANALYST, database="d1", tables=("customers",), gained="email")
    report = replace(
        _REPORT,
        applied=(AppliedPlan(plan="abc", at="2026-11-02", approved_by="ada", outcome="applied", changes=(change,)),),
        readers=(Reader(principal=ANALYST, pii="contact", columns=("a.b.c", "a.b.d")),),
        unsigned=("2026-09", "2026-10"),
    )
    page = report_page(report)
    assert f"| 2026-11-02 | abc | ada | applied | {ANALYST} | d1: customers | email | - |" in page
    assert f"| {ANALYST} | contact | a.b.c and 1 more | **none** |" in page
    assert "- not signed: the reports of 2026-09, 2026-10" in page
    assert "1 of a class for which they have no record" in page
    assert "Sign it" in page
    assert "Signed by ada at noon." in report_page(report, Signature(report=report.digest, by="ada", at="noon"))
    assert Report.from_json(report.to_json()).digest == report.digest
    assert headline(_REPORT) == ["0 plans were applied", "0 principals read personal data"]
