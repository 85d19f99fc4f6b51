"""Failing over by itself, in the control plane as a whole."""

from __future__ import annotations

from typing import Any

from lambdas.resilience.model.failover.catalogue import Automatic
from tests.unit.lambdas.resilience.failover.aws import A, B
from tests.unit.lambdas.resilience.failover.planes import Planes, catalogue, group

_WANTED = Automatic(alarms=("gone",), after_minutes=5, cool_down_minutes=60)


def _ringing(**more: Any) -> Planes:
    planes = Planes(catalogue=catalogue(group(automatic=_WANTED, **more)))
    planes.minutes(2)
    planes.world.watches[B].set("gone", "ALARM")
    planes.minutes(8)
    return planes


def test_a_drill_that_is_due_holds_up_no_failover_in_an_outage() -> None:
    planes = _ringing(drill_days=90)
    assert set(planes.seen().values()) == {B}


def test_what_was_failed_back_while_the_alarm_rings_fails_over_again_after_the_cool_down() -> None:
    planes = _ringing()
    planes.start(A, "back", A, force=True)
    planes.minutes(50)
    assert set(planes.seen().values()) == {A}, "it cools down"
    planes.minutes(20)
    assert set(planes.seen().values()) == {B}
