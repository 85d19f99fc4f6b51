"""What the state machine is told of a plan."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from lambdas.lake.discover.handler import discover
from tests.unit.lambdas.lake.fakes import FakeLake
from tests.unit.lambdas.lake.model.governance.cases import READ, policy
from tests.unit.lambdas.lake.worlds import FakePlans, governance

_FILE = policy(replace(READ, record="contact"))


def _told(lake: FakeLake, plans: FakePlans, file: Any = _FILE) -> dict[str, Any]:
    return discover(governance(file, lake, plans))


def test_what_people_were_told_already_is_told_once_a_day() -> None:
    lake, plans = FakeLake(), FakePlans()
    lake.crawl("d1", "t", "email")
    first = _told(lake, plans)
    assert first["approvals"]
    assert not first["again"]
    # Each plan names the one before it, so their digests differ.
    then = _told(lake, plans)
    assert then["plan"] != first["plan"]
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
