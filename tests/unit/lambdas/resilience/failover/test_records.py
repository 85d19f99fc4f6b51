"""Records of groups that go by weights: what cannot be read or written, and Regions that hear nothing of each other."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError

from lambdas.common.errors import GranaryError
from lambdas.resilience.model.failover.catalogue import Database, Group, Mode
from tests.unit.lambdas.resilience.failover.aws import A, B, KilledError
from tests.unit.lambdas.resilience.failover.planes import Planes, application, catalogue, group


def _weighted(*groups: Group, **more: Any) -> Planes:
    planes = Planes(catalogue=catalogue(*(groups or [group(mode=Mode.WEIGHTS)]), **more))
    planes.minutes(2)
    return planes


def _minute_that_fails(planes: Planes, why: str) -> None:
    """It tells at its end what could not be done."""
    with pytest.raises(GranaryError, match=why):
        planes.minute(B)
    planes.world.replicate()
    planes.world.pass_time(60)


def _problem(planes: Planes) -> str:
    (request,) = planes.region(B).table.requests("shop")
    return planes.region(B).table.progress(request).problem


def test_a_record_that_route_53_refuses_holds_up_no_other() -> None:
    planes = _weighted(applications=[application(number) for number in range(40)] + [application(40, zone="Z2")])
    planes.world.route53.poisoned.add("app1.shop.example.com.")
    planes.start(B, "r1", B)
    for _ in range(3):
        _minute_that_fails(planes, "app1.shop.example.com. cannot be written")
    assert {name for name, at in planes.seen().items() if at == A} == {"app1"}
    assert planes.states(B) == {"r1": "OPEN"}
    assert _problem(planes).startswith("weights: app1.shop.example.com. cannot be written: ClientError: ")
    assert "InvalidChangeBatch" in _problem(planes)
    planes.world.route53.poisoned.clear()
    planes.minutes(2)
    assert (set(planes.seen().values()), planes.states(B)) == ({B}, {"r1": "DONE"})


def test_a_zone_that_cannot_be_read_holds_up_no_other() -> None:
    planes = _weighted()
    planes.world.route53.unreadable.add("Z1")
    planes.start(B, "r1", B)
    for _ in range(3):
        _minute_that_fails(planes, "zone Z1 cannot be read")
    assert planes.seen() == {"app1": A, "app2": A, "app3": B}
    assert _problem(planes).startswith("weights: zone Z1 cannot be read: ClientError: ")
    planes.world.route53.unreadable.clear()
    planes.minutes(2)
    assert (set(planes.seen().values()), planes.states(B)) == ({B}, {"r1": "DONE"})


def test_the_reconciler_puts_right_what_it_can() -> None:
    planes = _weighted(applications=[*map(application, range(5)), application(5, zone="Z2"), application(6, zone="Z3")])
    for zone in planes.world.route53.zones.values():
        for (_, _, region), record in zone.items():
            record["Weight"] = 100 if region == B else 0
    planes.world.route53.poisoned.add("app1.shop.example.com.")
    planes.world.route53.unreadable.add("Z2")
    with pytest.raises(
        GranaryError, match=r"comparing group shop .*zone Z2 cannot be read.*app1\..* cannot be written"
    ):
        planes.minutes(16)
    assert {name for name, at in planes.seen().items() if at == B} == {"app1", "app5"}
    (line,) = planes.commands(A).run("history", {"group": "shop"}, actor="x")["history"]
    assert "app6.shop.example.com. had other weights than the table: written again" in line["message"]
    assert "app1.shop.example.com. cannot be written: ClientError" in line["message"]
    assert "zone Z2 cannot be read: ClientError" in line["message"]


def test_no_run_is_in_vain_however_long_it_takes_to_read() -> None:
    """A run of a second reads five zones; each writes at least one, and the last reads them all."""
    planes = _weighted(applications=[application(number, zone=f"Z{number:02}") for number in range(12)])
    planes.seconds = 1
    planes.start(B, "r1", B)
    planes.minutes(15)
    assert (set(planes.seen().values()), planes.states(B)) == ({B}, {"r1": "DONE"})


def test_a_group_that_waits_for_long_takes_no_time_from_the_others() -> None:
    """The first one's database is on its way for longer than a run takes; the other is compared all the same."""
    shop = group(databases=(Database(name="orders", global_cluster="orders"),))
    planes = _weighted(shop, group("other"), applications=[application(1), application(2, "other", "Z2")])
    planes.world.rds.looks = 10_000
    planes.world.route53.zones["Z2"].clear()
    planes.start(B, "r1", B)
    for _ in range(16):
        planes.minute(B)
        planes.world.pass_time(10)
    assert planes.region(B).table.unfinished("shop")
    (line,) = planes.commands(B).run("history", {"group": "other"}, actor="x")["history"]
    assert line["message"] == "there are no records of app2: deploy their stack"


def test_a_request_that_fails_holds_up_no_other_of_its_group() -> None:
    """The group is on its way home, by its switch; one application is asked for, and Route 53 cannot be reached."""

    def unreachable(_region: str, call: str) -> None:
        if call == "ListResourceRecordSets":
            raise EndpointConnectionError(endpoint_url="https://route53")

    planes = Planes()
    planes.minutes(2)
    planes.start(B, "r1", B)
    planes.minutes(4)
    planes.world.rds.looks, planes.world.fault = 40, unreachable
    planes.start(A, "r2", A)
    planes.start(A, "r3", A, "app2", force=True)
    for _ in range(8):
        with pytest.raises(GranaryError, match="request r3 of group shop"):
            planes.minute(A)
        planes.world.replicate()
        planes.minute(B)
        planes.world.replicate()
        planes.world.pass_time(60)
    assert planes.states(A) == {"r1": "DONE", "r2": "DONE", "r3": "OPEN"}
    assert set(planes.seen().values()) == {A}


def test_a_region_that_comes_back_does_not_pull_traffic_home() -> None:
    """Its first run is before it has heard what happened meanwhile."""
    planes = _weighted()
    planes.world.down.add(A)
    planes.minutes(16)
    planes.start(B, "r1", B, unplanned=True, force=True)
    planes.minutes(5)
    planes.world.down.clear()
    planes.minute(A)
    assert set(planes.seen().values()) == {B}
    (line,) = planes.commands(A).run("history", {"group": "shop"}, actor="x")["history"]
    assert (
        "app1.shop.example.com. has other weights than the table, and keeps them while eu-west-1 is not"
        in line["message"]
    )
    planes.minutes(32)
    assert set(planes.seen().values()) == {B}
    assert "written again" not in str(planes.commands(A).run("history", {"group": "shop"}, actor="x"))


def test_two_regions_that_do_not_hear_each_other_do_not_undo_each_others_work() -> None:
    planes = _weighted()
    planes.world.parted = True
    planes.minutes(5)
    planes.start(B, "r1", B, force=True)
    planes.minutes(3)
    for _ in range(65):
        for at in (B, A):
            planes.minute(at)
            assert set(planes.seen().values()) == {B}
        planes.world.pass_time(60)
    planes.world.parted = False
    planes.minutes(20)
    assert set(planes.seen().values()) == {B}


def test_a_turned_weight_is_told_while_a_region_that_is_down_has_still_to_let_in() -> None:
    planes = Planes()
    planes.minutes(2)
    planes.start(B, "r1", B)
    planes.minutes(4)
    planes.world.down.add(B)
    planes.start(A, "r2", A, unplanned=True, force=True)
    planes.minutes(4)
    assert planes.states(A)["r2"] == "OPEN"
    for (_, _, region), record in planes.world.route53.zones["Z1"].items():
        record["Weight"] = 100 if region == B else 0
    planes.minutes(16)
    *_, line = planes.commands(A).run("history", {"group": "shop"}, actor="x")["history"]
    assert "app1.shop.example.com. has other weights than the table" in line["message"]
    planes.world.down.clear()
    planes.minutes(20)
    assert set(planes.seen().values()) == {A}


def test_a_group_that_loses_its_switch_while_it_is_away_stays_where_it_is() -> None:
    """Its records are written anew, at home and without a health check; the table goes on saying where it is served."""
    planes = Planes(catalogue=catalogue(group()))
    planes.minutes(2)
    planes.start(B, "r1", B)
    planes.minutes(4)
    planes.catalogue = catalogue(group(mode=Mode.WEIGHTS))
    for watch in planes.world.watches.values():
        watch.states = {name: state for name, state in watch.states.items() if not name.endswith("-out")}
    assert set(planes.seen().values()) == {A}
    planes.minutes(20)
    assert set(planes.seen().values()) == {B}
    planes.start(A, "r2", A)
    planes.minutes(3)
    assert (set(planes.seen().values()), planes.states(A)["r2"]) == ({A}, "DONE")


def test_who_asked_is_said_by_the_repetition_when_the_first_died_before_it() -> None:
    planes = _weighted()

    def dies(_region: str, call: str) -> None:
        if call == "PutItem":
            raise KilledError

    planes.world.watches[B].set("healthy", "ALARM")
    planes.minutes(1)
    planes.world.fault = dies
    with pytest.raises(KilledError):
        planes.start(B, "r1", B, force=True)
    planes.world.fault = lambda _region, _call: None
    for _ in range(2):
        planes.start(B, "r1", B)
    (line,) = planes.commands(B).run("history", {"group": "shop"}, actor="x")["history"]
    assert "user/ann asked for eu-west-1 (test); overridden: alarm healthy in eu-west-1 is ALARM" in line["message"]
    assert len(planes.world.said) == 1


def test_applications_of_a_request_that_was_superseded_follow_the_table_and_it_says_so() -> None:
    planes = _weighted()
    planes.start(A, "s1", B, "app1", force=True)
    planes.start(A, "s2", B, "app2", force=True)
    planes.minutes(4)
    assert planes.states(A) == {"s1": "SUPERSEDED", "s2": "DONE"}
    history = str(planes.commands(A).run("history", {"group": "shop"}, actor="x"))
    assert "its applications that the later one does not name follow within 15 minutes" in history
    planes.minutes(20)
    assert planes.seen() == {"app1": B, "app2": B, "app3": A}
