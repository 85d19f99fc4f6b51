"""Stamps sort as the moments do, and are read as they were written."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

from hypothesis import given
from hypothesis import strategies as st

from lambdas.common.clock import moment, now, stamp

_millisecond = timedelta(milliseconds=1)
moments = st.datetimes(
    min_value=datetime(2020, 1, 1),
    max_value=datetime(2100, 1, 1),
    timezones=st.sampled_from([UTC, timezone(timedelta(hours=5, minutes=30))]),
)


@given(moments, moments)
def test_stamps_sort_as_moments_do(one: datetime, other: datetime) -> None:
    if one <= other:
        assert stamp(one) <= stamp(other)


@given(moments)
def test_a_stamp_is_read_back_to_the_millisecond(one: datetime) -> None:
    assert timedelta(0) <= one - moment(stamp(one)) < _millisecond


def test_now_is_aware() -> None:
    assert now().tzinfo is UTC
