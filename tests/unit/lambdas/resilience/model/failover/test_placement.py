"""Switches and weights together answer with the Region that the table says."""

from __future__ import annotations

import pytest

from lambdas.resilience.model.failover.catalogue import Catalogue, Group, Mode
from lambdas.resilience.model.failover.placement import (
    Placement,
    answers,
    completed,
    initial,
    moved,
    taken_out,
)
from lambdas.resilience.model.failover.request import RefusedError, Request
from lambdas.resilience.model.failover.steps import steps_of

_A, _B = "us-east-1", "eu-west-1"
_GROUP = Group(name="shop", primary=_A, mode=Mode.SWITCH, alarms={})
_CATALOGUE = Catalogue(regions=(_A, _B), groups=(_GROUP,))
_HOME = initial(_GROUP)


def _request(to: str, *applications: str, mode: Mode = Mode.SWITCH) -> Request:
    return Request(
        id="r",
        group="shop",
        origin=_CATALOGUE.other(to),
        to=to,
        reason="x",
        actor="y",
        at="2026-11-29T00:00:00.000+00:00",
        mode=mode,
        applications=applications,
    )


def _after(placement: Placement, request: Request, *, is_out: bool = False) -> tuple[Request, Placement]:
    request = completed(request, placement, is_out=is_out)
    return request, moved(placement, request, may_be_out=is_out)


@pytest.mark.parametrize(
    ("favourite", "out", "answer"),
    [
        (_A, set(), _A),
        (_A, {_A}, _B),
        (_A, {_B}, _A),
        (_A, {_A, _B}, _A),  # all unhealthy: all are taken for healthy
        (_B, {_A, _B}, _B),
    ],
)
def test_what_route_53_answers(favourite: str, out: set[str], answer: str) -> None:
    assert answers(favourite, out, _CATALOGUE) == answer


@pytest.mark.parametrize("mode", list(Mode))
@pytest.mark.parametrize("is_open", [True, False])
def test_there_and_back_and_everything_is_where_it_should_be(mode: Mode, is_open: bool) -> None:
    placement = _HOME
    for to in (_B, _A, _B):
        _, placement = _after(placement, _request(to, mode=mode))
        out = taken_out(placement, is_open=is_open, catalogue=_CATALOGUE)
        assert len(out) < 2
        assert answers(placement.favourite, out, _CATALOGUE) == to


def test_at_rest_no_region_is_out_but_the_one_that_was_left() -> None:
    _, there = _after(_HOME, _request(_B))
    assert taken_out(there, is_open=False, catalogue=_CATALOGUE) == {_A}
    _, back = _after(there, _request(_A))
    assert taken_out(back, is_open=True, catalogue=_CATALOGUE) == {_B}, "until it is let in again"
    assert taken_out(back, is_open=False, catalogue=_CATALOGUE) == frozenset()
    assert [one.name for one in steps_of(_request(_A), _GROUP, back)] == ["switch", "readmit"]


def test_a_region_whose_own_switch_is_stuck_is_reached_by_weights() -> None:
    request, placement = _after(_HOME, _request(_B), is_out=True)
    assert request.mode is Mode.WEIGHTS
    assert request.every
    assert placement.favourite == _B
    assert [one.name for one in steps_of(request, _GROUP, placement)] == ["switch", "weights", "readmit"]
    # Both are out then, and weights decide.
    assert taken_out(placement, is_open=True, catalogue=_CATALOGUE) == {_A}
    assert answers(placement.favourite, {_A, _B}, _CATALOGUE) == _B


def test_what_was_alone_goes_home_with_the_group() -> None:
    _, placement = _after(_HOME, _request(_B, "web"))
    assert placement.favourite_of("web") == _B
    _, there = _after(placement, _request(_B))
    request, back = _after(there, _request(_A))
    assert request.weights == ("web",)
    assert back.alone == {}


def test_what_is_alone_comes_home_alone() -> None:
    _, placement = _after(_HOME, _request(_B, "web", "api"))
    _, placement = _after(placement, _request(_A, "web"))
    assert placement.alone == {"api": _B}


def test_nothing_goes_alone_where_the_switch_has_taken_all_out() -> None:
    _, there = _after(_HOME, _request(_B))
    with pytest.raises(RefusedError, match="has taken us-east-1 out"):
        _after(there, _request(_A, "web"))
