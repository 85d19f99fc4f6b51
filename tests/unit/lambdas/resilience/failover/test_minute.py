"""Runs of each minute that AWS holds up, while others begin and end."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from lambdas.common.clock import stamp
from lambdas.common.dynamo import write_value
from lambdas.resilience.model.failover.catalogue import Mode
from lambdas.resilience.model.failover.readiness import Facts
from tests.unit.lambdas.resilience.failover.aws import A, B
from tests.unit.lambdas.resilience.failover.planes import NAMES, Planes, catalogue, group

_FACTS = ("facts", B)


def _hold_up(planes: Planes, region: str, call: str, meanwhile: Callable[[], None]) -> None:
    """The next call of this kind in a Region takes so long that this comes before it."""

    def fault(at: str, name: str) -> None:
        if (at, name) == (region, call):
            planes.world.fault = lambda _region, _call: None
            meanwhile()

    planes.world.fault = fault


def _alarm(planes: Planes) -> str:
    return planes.region(B).table.facts(B).of("shop").alarms["healthy"]


def test_what_a_run_has_seen_that_is_held_up_replaces_nothing_newer() -> None:
    planes = Planes()
    planes.minutes(2)

    def meanwhile() -> None:
        planes.world.pass_time(61)
        planes.world.watches[B].set("healthy", "ALARM")
        planes.minute(B)
        assert _alarm(planes) == "ALARM"

    before = planes.world.now
    _hold_up(planes, B, "PutItem", meanwhile)
    planes.minute(B)
    assert _alarm(planes) == "ALARM"
    assert planes.region(B).table.facts(B).at > stamp(before)


@pytest.mark.parametrize(
    "more",
    [{}, {"at": "2026"}, {"at": "9"}, {"at": 5}],
    ids=["as it was deployed before", "older", "nobody can have said it", "no text"],
)
def test_facts_as_they_are_deployed_now_are_read_and_replaced(more: dict[str, Any]) -> None:
    planes = Planes()
    planes.minutes(2)
    table, seen = planes.region(B).table, Facts(at=stamp(planes.world.now - timedelta(minutes=1)))
    item = {"id": _FACTS[0], "sort": _FACTS[1], "text": seen.to_json(), **more}
    table.client.put_item(TableName=table.name, Item={name: write_value(value) for name, value in item.items()})
    assert table.facts(B) == seen
    planes.minute(B)
    assert table.facts(B).at == stamp(planes.world.now)
    assert _alarm(planes) == "OK"


def test_a_group_that_was_moved_while_its_alarm_was_looked_at_disagrees_with_nobody() -> None:
    """The run holds the placement of before, and the alarm follows the one of now."""
    planes = Planes()
    planes.minutes(2)
    for lease in ("compare/shop", f"compare/shop/{B}"):
        planes.world.tables[B].items.pop(("leases", lease), None)

    def moved() -> None:
        planes.start(B, "r1", B)
        planes.minutes(6)
        assert planes.world.watches[B].states[NAMES.alarm("shop", A)][0] == "ALARM"
        assert planes.states(B) == {"r1": "DONE"}

    # It looks at alarms to say what it sees, and then at its switch.
    _hold_up(planes, B, "DescribeAlarms", lambda: _hold_up(planes, B, "DescribeAlarms", moved))
    planes.minute(B)
    assert planes.world.tables[B].items[("leases", f"compare/shop/{B}")][2], "it has compared"
    said = planes.commands(B).run("history", {"group": "shop"}, actor="x")["history"]
    assert [one["request"] for one in said] == ["r1", "r1"], said


def test_a_comparison_that_is_held_up_writes_nothing_over_a_failover_that_was_asked_for_meanwhile() -> None:
    planes = Planes(catalogue=catalogue(group(mode=Mode.WEIGHTS)))
    planes.minutes(2)
    for region in (A, B):
        planes.world.tables[region].items.pop(("leases", "compare/shop"), None)
    zone = planes.world.route53.zones["Z1"]
    for region, weight in ((A, 0), (B, 100)):
        zone[("app1.shop.example.com.", "CNAME", region)]["Weight"] = weight

    def moved() -> None:
        # The comparison goes on with the records as it has read them.
        planes.start(B, "r1", B)
        planes.minutes(3)
        assert planes.states(B) == {"r1": "DONE"}

    _hold_up(planes, "", "ListResourceRecordSets", moved)
    planes.minute(A)
    assert planes.states(B) == {"r1": "DONE"}
    assert set(planes.seen().values()) == {B}
