"""`adopt`: what it shows first, and what it writes."""

from __future__ import annotations

from typing import Any

from tests.unit.cli.saas.factory import NOW, Factory

DIGEST, OTHER = "sha256:" + "0" * 24, "sha256:" + "1" * 24
CHANGE = "remove: Table (AWS::DynamoDB::Table), in silo-acme-resources, eu-west-1"
PLAN: dict[str, Any] = {"digest": DIGEST, "counts": {"remove": 1}, "changes": [CHANGE], "stops": True, "at": NOW}
REASON = f'to take over it would remove 1: put "allow_adopt": {{"S": "{DIGEST}"}} into the row'


def _waits(factory: Factory) -> None:
    factory.row(note="kept", allow_adopt=True)
    factory.status(phase="FAILED", reason=REASON, retry=True, adoption=PLAN)


def test_the_status_shows_the_plan_and_the_step(factory: Factory) -> None:
    _waits(factory)
    told = factory.granary("status", "acme").stdout
    assert DIGEST in told
    assert CHANGE in told
    assert f"granary adopt acme --digest {DIGEST}" in told


def test_the_plan_is_shown_and_then_agreed_to(factory: Factory) -> None:
    _waits(factory)
    before = factory.read_row() or {}
    asked = factory.granary("adopt", "acme")
    assert (asked.code, factory.read_row()) == (2, before)
    assert CHANGE in asked.stderr.replace("\n", " ")
    done = factory.granary("adopt", "acme", "--digest", DIGEST, "--yes", "--json")
    assert done.document == {"id": "acme", "allow_adopt": DIGEST}
    assert factory.read_row() == {**before, "allow_adopt": DIGEST}


def test_a_plan_that_is_another_one_now_is_not_agreed_to(factory: Factory) -> None:
    _waits(factory)
    answer = factory.granary("adopt", "acme", "--digest", OTHER, "--yes")
    assert (answer.code, (factory.read_row() or {})["allow_adopt"]) == (5, True)
    assert f"the plan of acme is {DIGEST} now" in answer.stderr


def test_before_a_plan_is_shown_the_consent_takes_nothing_away(factory: Factory) -> None:
    factory.row()
    factory.status(phase="FAILED", reason="nothing tells whose it is", retry=True)
    assert factory.granary("adopt", "acme", "--digest", DIGEST, "--yes").code == 5
    assert factory.granary("adopt", "acme", "--yes", "--json").document == {"id": "acme", "allow_adopt": True}
    assert (factory.read_row() or {})["allow_adopt"] is True


def test_what_has_no_row_takes_nothing_over(factory: Factory) -> None:
    factory.status(phase="FAILED", adoption=PLAN)
    assert factory.granary("adopt", "acme", "--yes").code == 3
