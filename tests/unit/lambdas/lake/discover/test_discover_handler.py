"""What the state machine is told of a plan, and what others have granted is reported."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from lambdas.common.evidence.finding import Finding
from lambdas.common.evidence.kept_report import Head, KeptReport
from lambdas.lake.discover.handler import discover
from lambdas.lake.model.governance.policy import Approval
from lambdas.lake.store.governance import Findings
from tests.unit.lambdas.lake.fakes import ACCOUNT, FakeLake
from tests.unit.lambdas.lake.model.governance.cases import READ, policy
from tests.unit.lambdas.lake.worlds import FakePlans, applying, governance

_FILE = policy(replace(READ, record="contact"))
_SHRINKAGE = Approval(pii_gains=False, revokes=False)


def _told(lake: FakeLake, plans: FakePlans, file: Any = _FILE) -> dict[str, Any]:
    return discover(governance(file, lake, plans))


def test_what_people_were_told_already_is_told_once_a_day() -> None:
    lake, plans = FakeLake(), FakePlans()
    lake.crawl("d1", "t", "email")
    first = _told(lake, plans)
    assert first["approvals"]
    assert not first["again"]
    then = _told(lake, plans)
    assert then["again"]
    assert plans.newest
    plans.newest = replace(plans.newest, day="2026-11-27")
    assert not _told(lake, plans)["again"]


def test_what_is_new_is_told_at_once() -> None:
    lake, plans = FakeLake(), FakePlans()
    lake.crawl("d1", "t", "email")
    _told(lake, plans)
    lake.crawl("d1", "more", "email")
    assert not _told(lake, plans)["again"]
    assert not _told(lake, plans, policy(READ))["again"]
    lake.admins = []
    assert not _told(lake, plans, policy(READ))["again"]


class _Reports:
    def __init__(self) -> None:
        self.put: list[tuple[Head, list[Finding]]] = []

    def put_object(self, *, Bucket: str, Key: str, Body: bytes) -> None:
        assert Bucket == "reports"
        report = KeptReport(Body)
        # The importer refuses any other place.
        assert report.head.belongs(Key)
        self.put.append((report.head, [one for one in report if isinstance(one, Finding)]))


def test_what_others_have_granted_is_reported_when_it_changes_and_once_a_day() -> None:
    lake, plans, reports = FakeLake(), FakePlans(), _Reports()
    lake.crawl("d1", "t", "id")
    made = replace(governance(_FILE, lake, plans), findings=Findings(s3=reports, bucket="reports"))
    discover(made)
    discover(made)
    lake.grant("arn:aws:iam::222222222222:role/stranger", {"Table": {"DatabaseName": "d1", "Name": "t"}}, "INSERT")
    discover(made)
    discover(made)
    assert [(head.complete, head.findings, len(found)) for head, found in reports.put] == [(True, 0, 0), (True, 1, 1)]
    head, (finding,) = reports.put[-1]
    assert (head.gate, head.target) == ("permissions", f"_lake/{ACCOUNT}/eu-west-1")
    assert finding.rule == "foreign-grant"
    # What could not be seen is not gone.
    lake.admins = []
    discover(made)
    assert not reports.put[-1][0].complete
    plans.newest = replace(plans.newest, day="2026-11-27") if plans.newest else None
    discover(made)
    assert len(reports.put) == 4


def test_the_digest_that_people_were_told_is_the_last_plans_for_as_long_as_that_says_the_same() -> None:
    lake, plans = FakeLake(), FakePlans()
    lake.crawl("d1", "t", "email")
    first = _told(lake, plans)
    assert _told(lake, plans)["plan"] == _told(lake, plans)["plan"] == first["plan"]
    lake.crawl("d1", "more", "email")
    assert _told(lake, plans)["plan"] != first["plan"]


def test_tables_that_are_gone_wait_for_approval_for_as_long_as_nobody_has_approved_it() -> None:
    lake, plans, file = FakeLake(), FakePlans(), policy(READ, use_tags=False, approval=_SHRINKAGE)
    for number in range(4):
        lake.crawl("d1", f"t{number}", "id")
    applying(file, lake, plans).apply(_told(lake, plans, file)["plan"])
    assert not _told(lake, plans, file)["approvals"]
    for number in range(3):
        lake.drop("d1", f"t{number}")
    gone = ["the catalog has 1 tables, and had 4: more than 10 percent are gone"]
    hours = [_told(lake, plans, file) for _ in range(3)]
    assert [one["approvals"] for one in hours] == [gone, gone, gone]
    lake.crawl("d1", "another", "id")
    later = _told(lake, plans, file)
    assert later["approvals"] == ["the catalog has 2 tables, and had 4: more than 10 percent are gone"]
    applying(file, lake, plans).apply(later["plan"], approved_by="ada")
    assert not _told(lake, plans, file)["approvals"]
