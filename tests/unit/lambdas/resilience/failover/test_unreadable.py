"""Items that cannot be read: each harms itself only, is named, and force goes on without it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest

from lambdas.common.errors import GranaryError, UnreadableError
from lambdas.resilience.model.failover.request import RefusedError
from tests.unit.lambdas.resilience.failover.aws import A, B
from tests.unit.lambdas.resilience.failover.planes import Planes, application, catalogue, group

_APPLICATIONS = [application(1), application(2), application(9, "other", "Z2")]


@pytest.fixture
def planes() -> Planes:
    made = Planes(catalogue=catalogue(group(), group("other"), applications=_APPLICATIONS))
    made.minutes(2)
    return made


def _spoil(planes: Planes, item: str, text: str | None = "{") -> None:
    planes.world.replicate()
    for region in (A, B):
        assert planes.world.tables[region].spoil(item, 0, text), f"there is no {item}"


@contextmanager
def _named(item: str) -> Iterator[None]:
    """The message has the table, the item's id and its sort."""
    with pytest.raises(GranaryError, match=rf"{item} in table granary-resilience-failover of \S+ cannot be read \("):
        yield


def _status(planes: Planes, at: str = B) -> dict[str, Any]:
    return planes.commands(at).run("status", {}, actor="x")


def test_facts_of_a_region_are_as_none_and_written_again(planes: Planes) -> None:
    _spoil(planes, f"facts/{A}", '{"at": 5}')
    with _named(f"facts {A}"):
        planes.minute(A)
    planes.minute(A)
    _spoil(planes, f"facts/{B}", '{"at": 5}')
    with pytest.raises(RefusedError, match=f"{B} has said nothing of itself"):
        planes.start(B, "r1", B)
    planes.start(B, "r1", B, force=True)


def test_how_far_the_last_request_is_speaks_against_the_next_and_force_goes_on(planes: Planes) -> None:
    planes.start(B, "r1", B)
    _spoil(planes, "progress/shop", '{"state": "PAUSED"}')
    with _named("progress/shop .*/r1"):
        planes.minute(B)
    last = _status(planes)["groups"][0]["requests"][0]["progress"]
    assert (last["state"], "'PAUSED' is unknown to this version" in last["problem"]) == ("UNREADABLE", True)
    with pytest.raises(RefusedError, match=r"request r1 of .* is under way: progress/shop"):
        planes.start(A, "r2", A)
    planes.start(A, "r2", A, force=True)
    for _ in range(3):
        for at in (A, B):
            with _named("progress/shop .*/r1"):
                planes.minute(at)
            planes.world.replicate()
        planes.world.pass_time(60)
    assert planes.seen()["app1"] == A


def test_what_a_later_version_keeps_of_a_request_is_left_as_it_is(planes: Planes) -> None:
    planes.start(B, "r1", B)
    _spoil(planes, "progress/shop", '{"state": "PAUSED"}')
    before = {key: it for key, it in planes.world.tables[B].items.items() if key[0] == "progress/shop"}
    with _named("progress/shop .*/r1"):
        planes.minute(B)
    assert before == {key: it for key, it in planes.world.tables[B].items.items() if key[0] == "progress/shop"}


def test_an_old_request_holds_up_no_other(planes: Planes) -> None:
    planes.start(B, "a", B)
    planes.minutes(3)
    planes.start(B, "b", A)
    planes.minutes(3)
    _spoil(planes, "requests/shop/a", '{"mode": "anycast"}')
    told = _status(planes)
    assert [one["request"]["id"] for one in told["groups"][0]["requests"]] == ["b"]
    assert [one.partition(" in table")[0] for one in told["unread"]] == ["requests/shop a"]
    planes.start(B, "c", B)
    for _ in range(3):
        with _named("requests/shop a"):
            planes.minute(B)
        planes.world.pass_time(60)
    assert planes.seen()["app1"] == B


def test_the_last_request_speaks_against_the_next_and_its_id_is_taken(planes: Planes) -> None:
    planes.start(B, "r1", B)
    _spoil(planes, "requests/shop/r1")
    with pytest.raises(RefusedError, match="no go: requests/shop r1 in table"):
        planes.start(A, "r2", A)
    with pytest.raises(UnreadableError, match="requests/shop r1"):
        planes.start(A, "r1", A, force=True)
    planes.start(A, "r2", A, force=True)


@pytest.mark.parametrize("text", [None, "{"])
def test_an_application_keeps_no_other_from_being_written_down(planes: Planes, text: str | None) -> None:
    _spoil(planes, "applications/other", text)
    planes.catalogue = catalogue(
        group(), group("other"), applications=[application(1), application(3), *_APPLICATIONS[2:]]
    )
    with _named("applications/other app9"):
        planes.minute(A)
    planes.minute(A)
    table = planes.region(A).table
    assert [one.name for one in table.applications("shop")] == ["app1", "app3"]
    assert [one.name for one in table.applications("other")] == ["app9"], "it is the configuration's: written again"


@pytest.mark.parametrize("item", ["requests/shop/s1", "progress/shop"])
def test_a_request_for_one_application_holds_up_no_comparison(planes: Planes, item: str) -> None:
    planes.start(B, "s1", B, "app2")
    planes.minutes(3)
    _spoil(planes, item)
    zone = planes.world.route53.zones["Z1"]
    for region, weight in ((A, 0), (B, 100)):
        zone[("app1.shop.example.com.", "CNAME", region)]["Weight"] = weight
    for _ in range(16):
        for at in (A, B):
            with suppress(GranaryError):
                planes.minute(at)
            planes.world.replicate()
        planes.world.pass_time(60)
    assert planes.seen() == {"app1": A, "app2": B, "app9": A}


def test_where_a_group_is_can_be_said_anew_by_weights_and_by_force_alone(planes: Planes) -> None:
    planes.start(B, "r1", B)
    planes.minutes(3)
    _spoil(planes, "placements/shop", '{"active": "x"}')
    forced: dict[str, Any] = {"mode": "weights", "force": True}
    for more in ({}, {"force": True}, {"mode": "weights"}, {**forced, "applications": ["app1"]}):
        with pytest.raises(UnreadableError, match=r"placements shop in .*`--mode weights --force` says anew"):
            planes.start(A, "r2", A, **more)
    assert _status(planes)["groups"][0]["active"] == "an unknown Region"
    with _named("placements shop"):
        planes.minute(B)
    assert planes.seen()["app1"] == B, "the switch stays as it is"
    told = planes.start(A, "r2", A, **forced)
    assert "group shop is served from an unknown Region, not from eu-west-1" in told["request"]["overridden"]
    planes.minutes(5)
    assert planes.seen()["app1"] == A
    assert _status(planes)["groups"][0]["active"] == A


def test_a_drill_that_nobody_can_read_is_none() -> None:
    planes = Planes(catalogue=catalogue(group(drill_days=90)))
    planes.minutes(2)
    planes.commands(B).run("drill", {"group": "shop", "id": "d1"}, actor="ann")
    planes.minutes(4)
    _spoil(planes, "drills/shop", "soon")
    with pytest.raises(RefusedError, match="there was no drill yet"):
        planes.start(B, "r1", A)


def test_a_line_of_the_history_is_left_out_and_told(planes: Planes) -> None:
    planes.start(B, "r1", B)
    planes.minutes(3)
    _spoil(planes, "history/shop", '{"what": {"at": 5}}')
    told = planes.commands(B).run("history", {"group": "shop"}, actor="x")
    assert len(told["history"]) == 1
    assert told["unread"][0].startswith("history/shop 2026-")
