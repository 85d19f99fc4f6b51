"""The gate before a failover: what is not known is a reason against it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from lambdas.common.clock import stamp
from lambdas.resilience.model.failover.catalogue import Catalogue, Database, Group, Measure, Mode
from lambdas.resilience.model.failover.readiness import Facts, GroupFacts, judge

_A, _B = "us-east-1", "eu-west-1"
_NOW = datetime(2026, 11, 29, tzinfo=UTC)
_LONG_AGO = stamp(_NOW - timedelta(days=91))
_MEASURE = Measure(namespace="N", metric="M", dimensions={_A: {}, _B: {}})
_GROUP = Group(
    name="shop",
    primary=_A,
    mode=Mode.SWITCH,
    alarms={_A: ("up",), _B: ("up", "fast")},
    revision="/shop/revision",
    measures={"lag": _MEASURE, "capacity": _MEASURE},
    max_lag_seconds=10,
    drill_days=90,
)
_CATALOGUE = Catalogue(regions=(_A, _B), groups=(_GROUP,))
_HERE = GroupFacts(revision="r7", peak=12)
_THERE = GroupFacts(alarms={"up": "OK", "fast": "OK"}, revision="r7", lag=10, capacity=12)


def _reasons(
    *,
    group: Group = _GROUP,
    here: GroupFacts = _HERE,
    there: GroupFacts = _THERE,
    age: timedelta = timedelta(0),
    drilled: str | None = None,
) -> tuple[str, ...]:
    facts = {
        # What the Region that is left said last counts, however old it is.
        _A: Facts(at=stamp(_NOW - timedelta(days=1)), groups={"shop": here}),
        _B: Facts(at=stamp(_NOW - age), groups={"shop": there}),
    }
    at = stamp(_NOW - timedelta(days=89)) if drilled is None else drilled
    return judge(group, to=_B, catalogue=_CATALOGUE, facts=facts, drilled_at=at, now=_NOW).reasons


def test_nothing_speaks_against_it() -> None:
    assert _reasons() == ()


@pytest.mark.parametrize(
    ("there", "reason"),
    [
        (replace(_THERE, alarms={"up": "OK"}), "alarm fast in eu-west-1 is not there, not OK"),
        (replace(_THERE, alarms={"up": "OK", "fast": "ALARM"}), "alarm fast in eu-west-1 is ALARM, not OK"),
        (
            replace(_THERE, alarms={"up": "INSUFFICIENT_DATA", "fast": "OK"}),
            "alarm up in eu-west-1 is INSUFFICIENT_DATA, not OK",
        ),
        (replace(_THERE, revision="r6"), "eu-west-1 runs revision r6 and us-east-1 r7"),
        (replace(_THERE, revision=""), "eu-west-1 runs revision unknown and us-east-1 r7"),
        (replace(_THERE, lag=11), "the data in eu-west-1 is 11 s behind"),
        (replace(_THERE, lag=None), "nobody knows how far the data in eu-west-1 is behind: its metric has no values"),
        (replace(_THERE, capacity=11), "eu-west-1 has a capacity of 11, and us-east-1 needed 12 at the peak of a day"),
        (
            replace(_THERE, capacity=None),
            "nobody knows the capacity of eu-west-1, or the peak of us-east-1: their metric has no values",
        ),
    ],
)
def test_a_fact_speaks_against_it(there: GroupFacts, reason: str) -> None:
    assert _reasons(there=there) == (reason,)


def test_two_unknown_revisions_are_not_equal() -> None:
    assert _reasons(here=replace(_HERE, revision=""), there=replace(_THERE, revision=""))


def test_a_region_that_is_silent_is_not_ready() -> None:
    (reason,) = _reasons(age=timedelta(minutes=6))
    assert reason.startswith("eu-west-1 has said nothing of itself for 5 minutes (last at 2026-11-28T23:54")


@pytest.mark.parametrize(
    ("drilled", "said"),
    [("", "there was no drill yet"), (_LONG_AGO, f"the last drill was {_LONG_AGO}")],
)
def test_a_drill_that_is_due(drilled: str, said: str) -> None:
    assert _reasons(drilled=drilled) == (f"{said}: one is due every 90 days",)


def test_a_database_that_cannot_come() -> None:
    (reason,) = _reasons(group=replace(_GROUP, databases=(Database(name="reports"),)))
    assert reason.startswith("reports cannot come to eu-west-1")
