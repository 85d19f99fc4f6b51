"""A round that dies at any of its calls, while wishes change: the next rounds find all that it has left behind."""

from __future__ import annotations

from itertools import count
from typing import Any

import pytest

from lambdas.resilience.model.failover.catalogue import Mode
from tests.unit.lambdas.resilience.failover.aws import A, B, KilledError
from tests.unit.lambdas.resilience.failover.planes import Planes
from tests.unit.lambdas.resilience.failover_tenants.places import FAR, SHOP, Places, catalogue, name_of, standby

_WRITES = frozenset({"PutItem", "DeleteItem", "ChangeResourceRecordSets"})
_Wish = dict[str, Any] | None
_NEW, _NEWER = standby("acme", number=1), standby("acme", number=2)
_SWAPPED, _SWAPPED_NEWER = standby("acme", number=1, region=B), standby("acme", number=2, region=B)


def _places(wish: _Wish) -> Places:
    places = Places(planes=Planes(catalogue=catalogue(mode=Mode.SWITCH)))
    _wish(places, wish)
    places.round()
    return places


def _wish(places: Places, wish: _Wish) -> None:
    places.tenants = {"acme": wish} if wish else {}


def _dies(places: Places, at: int) -> bool:
    """A round that dies before one of its writes; whether it came so far."""
    writes, is_dead = count(), False

    def kills(_region: str, call: str) -> None:
        nonlocal is_dead
        is_dead = is_dead or (call in _WRITES and next(writes) == at)
        if is_dead:
            raise KilledError

    places.planes.world.fault = kills
    try:
        places.round()
    except KilledError:
        return True
    finally:
        places.planes.world.fault = lambda _region, _call: None
        places.planes.world.pass_time(360)
        places.planes.minutes()
    return False


def _is_as(places: Places, wish: _Wish) -> None:
    """Table, claims and zone are as they were wished, or all are empty."""
    found, led = places.applications(), places.led("acme")
    assert found.keys() == places.claims() == ({name_of("acme")} if wish else set())
    assert len(places.zone) == (2 if wish else 0)
    if wish:
        group = SHOP if wish["region"] == A else FAR
        (one,) = found.values()
        assert one.group == group
        endpoints = {at: wish["outputs"][at]["Endpoint"].split("/")[2] for at in (A, B)}
        assert {at: its.dns_name for at, its in one.endpoints.items()} == endpoints
        weights = {at: 100 if at == wish["region"] else 0 for at in (A, B)}
        assert led == {at: (endpoints[at], weights[at], f"{group}/{at}") for at in (A, B)}


@pytest.mark.parametrize("before", [None, standby("acme")], ids=["none", "one"])
@pytest.mark.parametrize("then", [_NEW, _SWAPPED, None], ids=["changed", "swapped", "dropped"])
@pytest.mark.parametrize("last", [_NEWER, _SWAPPED_NEWER, None], ids=["changed", "swapped", "dropped"])
def test_the_next_rounds_find_what_one_has_left_behind(before: _Wish, then: _Wish, last: _Wish) -> None:
    for at in count():
        places = _places(before)
        has_died = _dies_of(places, then, at)
        _ends(places, last)
        if not has_died:
            return


@pytest.mark.parametrize(("then", "last"), [(_NEW, _NEWER), (_SWAPPED, _NEWER), (_NEW, None)])
def test_and_what_two_that_wanted_something_else_have_left_behind(then: _Wish, last: _Wish) -> None:
    for at in count():
        has_died = False
        for later in count():
            places = _places(standby("acme"))
            has_died = _dies_of(places, then, at)
            dies_again = _dies_of(places, last, later)
            _ends(places, last)
            if not dies_again:
                break
        if not has_died:
            return


def _dies_of(places: Places, wish: _Wish, at: int) -> bool:
    _wish(places, wish)
    return _dies(places, at)


def _ends(places: Places, wish: _Wish) -> None:
    """Of a name that is given up a claim, of one that is wanted anew first the group and then the endpoints."""
    _wish(places, wish)
    for _ in range(4):
        places.round()
    _is_as(places, wish)
