"""What may be asked for, by whom, and what is taken of it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from lambdas.common.errors import GranaryError
from lambdas.resilience.model.failover.request import RefusedError
from tests.unit.lambdas.resilience.failover.aws import A, B
from tests.unit.lambdas.resilience.failover.planes import Planes


@pytest.fixture
def planes() -> Planes:
    made = Planes()
    made.minutes(2)
    return made


@pytest.mark.parametrize(
    "more", [{"force": True}, {"unplanned": True}, {"applications": ["app1"]}, {"mode": "weights"}]
)
def test_who_may_only_drill_can_ask_for_nothing_else(planes: Planes, more: dict[str, Any]) -> None:
    body = {"group": "shop", "id": "d1", **more}
    request = planes.commands(B).run("drill", body, actor="ann")["request"]
    assert {"unplanned", "applications", "mode"} & set(request) == set()
    planes.minutes(4)
    assert planes.world.rds.begun == [("SwitchoverGlobalCluster", B)]
    assert set(planes.seen().values()) == {B}


@pytest.mark.parametrize("command", ["", "starts", "stop\x1b" * 100])
def test_what_is_no_command_begins_nothing(planes: Planes, command: str) -> None:
    body = {"group": "shop", "id": "r1", "from": A, "to": B, "reason": "x", "force": True}
    with pytest.raises(
        GranaryError, match=r"there is no command .*there are plan, start, status, drill, history"
    ) as raised:
        planes.commands(B).run(command, body, actor="ann")
    assert not isinstance(raised.value, RefusedError)
    assert str(raised.value).isprintable()
    assert planes.states(B) == {}


def test_a_drill_is_never_forced(planes: Planes) -> None:
    planes.world.watches[B].set("healthy", "ALARM")
    planes.minutes(1)
    with pytest.raises(RefusedError, match="alarm healthy in eu-west-1 is ALARM"):
        planes.commands(B).run("drill", {"group": "shop", "id": "d1", "force": True}, actor="ann")


def test_the_same_id_with_another_mode_asks_for_something_else(planes: Planes) -> None:
    planes.start(B, "r1", B)
    with pytest.raises(RefusedError, match="r1 is there and asks for something else"):
        planes.start(B, "r1", B, mode="weights", force=True)
    assert planes.start(B, "r1", B, mode="switch")["request"]["id"] == "r1", "the mode of the group"


def test_a_mode_that_could_not_be_had_is_still_the_one_that_was_asked_for(planes: Planes) -> None:
    """Of some applications, and to a Region that is out, it goes by weights."""
    planes.start(B, "r1", B, "app1")
    assert planes.start(B, "r1", B, "app1")["request"]["mode"] == "weights"


def test_a_reason_is_one_line_that_no_terminal_obeys(planes: Planes) -> None:
    planes.start(B, "r1", B, reason="ok\n\x1b[31m\u202etxt ")
    planes.minutes(4)
    said = [json.loads(one["Detail"])["message"] for one in planes.world.said]
    assert r"(ok\n\x1b[31m\u202etxt)" in said[0]
    assert all(one.isprintable() for one in said)


def test_a_reason_is_bounded(planes: Planes) -> None:
    with pytest.raises(GranaryError, match="reason has at most 500 characters"):
        planes.start(B, "r1", B, reason="x" * 501)
    planes.start(B, "r1", B, reason="é" * 500)


def test_what_is_not_known_is_told_in_few_words(planes: Planes) -> None:
    for more in ({"group": "\x1b" * 1_000_000}, {"applications": ["\x1b" * 1_000_000]}):
        with pytest.raises(GranaryError) as raised:
            planes.start(B, "r1", B, **more)
        assert len(str(raised.value)) < 300
        assert str(raised.value).isprintable()
    with pytest.raises(GranaryError, match="applications are at most 100"):
        planes.start(B, "r1", B, *(f"app{number}" for number in range(101)))


@pytest.mark.parametrize("given", [{"applications": None}, {"applications": "app1"}, {"applications": 5}])
@pytest.mark.parametrize("more", [{}, {"reason": None}, {"id": ["r"]}])
def test_what_is_of_a_wrong_type_is_no_request(planes: Planes, given: dict[str, Any], more: dict[str, Any]) -> None:
    body = {"group": "shop", "id": "r1", "from": A, "to": B, "reason": "x", **given, **more}
    with pytest.raises(GranaryError, match="are texts, and applications are a list of names"):
        planes.commands(B).run("start", body, actor="ann")
