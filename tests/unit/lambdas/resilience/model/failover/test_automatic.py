"""Failing over by itself: only when it was asked for, only for long enough, never back."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from lambdas.common.clock import stamp
from lambdas.resilience.model.failover.automatic import begun, request_id
from lambdas.resilience.model.failover.catalogue import Automatic, Group, Mode
from lambdas.resilience.model.failover.placement import Placement, initial

_NOW = datetime(2026, 11, 29, tzinfo=UTC)
_GROUP = Group(
    name="shop",
    primary="a",
    mode=Mode.SWITCH,
    alarms={},
    automatic=Automatic(alarms=("gone", "slow"), after_minutes=5, cool_down_minutes=60),
)


def _begun(
    group: Group = _GROUP, placement: Placement | None = None, last: str = "", **minutes: float
) -> datetime | None:
    ringing = {name: _NOW - timedelta(minutes=ago) for name, ago in minutes.items()}
    return begun(group, placement or initial(group), ringing=ringing, last=last, now=_NOW)


def test_it_is_off_unless_the_configuration_says_so() -> None:
    assert _begun(replace(_GROUP, automatic=None), gone=90, slow=90) is None


def test_all_alarms_ring_for_long_enough() -> None:
    assert _begun(gone=90) is None
    assert _begun(gone=90, slow=4.9) is None
    assert _begun(gone=90, slow=5) == _NOW - timedelta(minutes=5)


def test_it_never_comes_back() -> None:
    assert _begun(placement=Placement(active="b", favourite="a"), gone=90, slow=90) is None


def test_it_waits_for_the_cool_down() -> None:
    assert _begun(last=stamp(_NOW - timedelta(minutes=59)), gone=9, slow=9) is None
    assert _begun(last=stamp(_NOW - timedelta(minutes=60)), gone=9, slow=9) is not None


def test_an_outage_has_one_id() -> None:
    assert request_id(_NOW, "") == "automatic-2026-11-29T00:00:00.000+00:00"
    assert request_id(_NOW, stamp(_NOW - timedelta(minutes=1))) == request_id(_NOW, "")


def test_after_a_request_in_the_midst_of_an_outage_it_has_another() -> None:
    """Else a group that was failed back while the alarm rings would be taken for one that has failed over."""
    assert request_id(_NOW, stamp(_NOW + timedelta(minutes=1))) == "automatic-2026-11-29T00:01:00.000+00:00"
