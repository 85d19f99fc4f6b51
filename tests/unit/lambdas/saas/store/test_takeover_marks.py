"""What a standing tenant's status keeps of stacks that its pipeline takes over."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from lambdas.common import dynamo
from lambdas.common.versioned_json import plain
from lambdas.saas.model.adoption import AdoptionPlan
from lambdas.saas.model.status import Phase, StackRef, Status
from lambdas.saas.store.takeover_marks import TakeoverMarks
from tests.unit.lambdas.saas.fakes import START

PLAN = AdoptionPlan(digest="sha256:" + "0" * 24, counts={"remove": 1}, stops=True)
FIRST, SECOND = (
    StackRef(
        kind="component",
        stack_id=f"arn:aws:cloudformation:eu-west-1:222222222222:stack/silo-acme-{name}/1",
        account="222222222222",
        region="eu-west-1",
    )
    for name in ("data", "web")
)


@pytest.mark.slow
def test_a_plan_is_shown_until_it_is_agreed_to_or_nothing_is_in_the_way(make_table: Callable[[str], Any]) -> None:
    marks = TakeoverMarks(client=make_table("statuses"), name="statuses")
    claimed = Status(id="acme", phase=Phase.UPDATING, claimed_by="release/r1", adopted=(FIRST,))
    sets = {name: value for name, value in plain(claimed).items() if name != "id"}
    assert dynamo.update(marks.client, table="statuses", key="acme", sets=sets)

    def now() -> Status:
        found = marks.get("acme")
        assert found is not None
        return found

    marks.show(now(), PLAN, now=START)
    assert (now().adoption, now().phase, now().claimed_by) == (PLAN, Phase.UPDATING, "release/r1")
    marks.show(now(), None, now=START)
    assert now().adoption is None
    marks.show(now(), PLAN, now=START)
    marks.took_over(now(), (SECOND, FIRST), now=START)
    assert (now().adoption, now().adopted) == (None, (FIRST, SECOND))
    gone = Status(id="gone", phase=Phase.ACTIVE)
    marks.took_over(gone, (SECOND,), now=START)
    assert marks.get("gone") is None
