"""Failing over by itself: when, and never back; pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from lambdas.common.clock import since, stamp
from lambdas.resilience.model.failover.catalogue import Group
from lambdas.resilience.model.failover.placement import Placement

# The actor of such a request.
ACTOR = "automatic"


def begun(
    group: Group, placement: Placement, *, ringing: Mapping[str, datetime], last: str, now: datetime
) -> datetime | None:
    """Since when a group is to fail over by itself; None when it is not.

    `ringing` are the alarms in ALARM, with when they began, and `last` is when the last request of the group came. All
    alarms ring for long enough (that is the hysteresis), the cool-down is over, and the group is where it is at home:
    what has failed over does not come back by itself.
    """
    wanted = group.automatic
    if wanted is None or placement.active != group.primary:
        return None
    if not all(name in ringing for name in wanted.alarms):
        return None
    latest = max(ringing[name] for name in wanted.alarms)
    if now - latest < timedelta(minutes=wanted.after_minutes):
        return None
    return latest if since(last, now) >= timedelta(minutes=wanted.cool_down_minutes) else None


def request_id(began: datetime, last: str) -> str:
    """The same id for the same outage, however often it is seen; another one after a request in the midst of it."""
    return f"{ACTOR}-{max(stamp(began), last)}"
