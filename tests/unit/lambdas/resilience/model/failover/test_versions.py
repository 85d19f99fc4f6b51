"""N reads what N+1 has written: what it does not know is left alone, and what is missing has its default."""

from __future__ import annotations

import json

import pytest

from lambdas.common.versioned_json import Text
from lambdas.resilience.model.failover.catalogue import Application, Catalogue, Endpoint, Group, Mode
from lambdas.resilience.model.failover.placement import Placement
from lambdas.resilience.model.failover.readiness import Facts, GroupFacts
from lambdas.resilience.model.failover.request import Progress, Request, State

_AT = "2026-11-29T00:00:00.000+00:00"
_APPLICATION = Application(
    name="web",
    group="shop",
    record="www.example.com",
    zone="Z1",
    endpoints={"us-east-1": Endpoint(dns_name="x.example")},
)
_GROUP = Group(name="shop", primary="us-east-1", mode=Mode.SWITCH, alarms={"us-east-1": ("up",)})
_KEPT = [
    _APPLICATION,
    Placement(active="a", favourite="b", alone={"web": "a"}, version=3),
    Request(id="r", group="shop", origin="a", to="b", reason="x", actor="y", at=_AT, applications=("web",)),
    Progress(state=State.DONE, done=("switch",), shifted_at=_AT, lag_seconds=3),
    Facts(at=_AT, groups={"shop": GroupFacts(alarms={"up": "OK"}, lag=3)}),
    Catalogue(regions=("a", "b"), groups=(_GROUP,), applications=(_APPLICATION,)),
]


@pytest.mark.parametrize("kept", _KEPT, ids=lambda one: type(one).__name__)
def test_a_field_of_a_later_version_is_left_alone(kept: Text) -> None:
    later = {**json.loads(kept.to_json()), "added_later": {"by": ["N+1"]}}
    assert type(kept).from_json(json.dumps(later)) == kept


def test_what_an_earlier_version_wrote_is_read() -> None:
    """Before anything but this was known."""
    assert Placement.from_json('{"active": "a", "favourite": "a"}').version == 0
    assert Progress.from_json("{}").state is State.OPEN
    least = {"id": "r", "group": "g", "origin": "a", "to": "b", "reason": "x", "actor": "y", "at": _AT}
    assert Request.from_json(json.dumps(least)).mode is Mode.SWITCH
