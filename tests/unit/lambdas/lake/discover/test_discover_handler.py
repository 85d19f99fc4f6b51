"""What the state machine is told of a plan."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from lambdas.lake.discover.handler import discover
from lambdas.lake.model.governance.policy import Approval
from tests.unit.lambdas.lake.fakes import FakeLake
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
