"""Tenants that stand in both Regions become applications of their group, and cease to be."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from lambdas.resilience.model.failover.catalogue import Mode
from tests.unit.lambdas.resilience.failover.aws import A, B
from tests.unit.lambdas.resilience.failover.planes import Planes
from tests.unit.lambdas.resilience.failover_tenants.places import (
    FAR,
    SHOP,
    Places,
    catalogue,
    entry,
    name_of,
    standby,
)


def _places(*tenants: dict[str, Any], mode: Mode = Mode.WEIGHTS, **more: Any) -> Places:
    places = Places(planes=Planes(catalogue=catalogue(mode=mode, **more)))
    places.tenants |= {one["id"]: one for one in tenants}
    places.rounds()
    return places


def _home(tenant: str, number: int = 0, *, check: str = "") -> dict[str, tuple[str, int, str]]:
    return {
        at: (f"{tenant}-{number}.{at}.example.net", 100 if at == A else 0, check and f"{check}/{at}") for at in (A, B)
    }


def test_a_tenant_with_a_standby_is_an_application_of_its_group() -> None:
    places = _places(standby("acme"), mode=Mode.SWITCH)
    assert places.led("acme") == _home("acme", check=SHOP)
    (one,) = places.applications(B).values()
    assert (one.name, one.group, one.source, one.ttl) == ("acme.tenants.example.com", SHOP, "tenants", 60)
    assert {at: its.dns_name for at, its in one.endpoints.items()} == {at: f"acme-0.{at}.example.net" for at in (A, B)}
    assert places.history() == ["applications of tenants: 1 added (acme.tenants.example.com)"]
    places.rounds(2)
    assert len(places.history()) == 1, "nothing changes any more"


def test_the_configuration_that_changes_leaves_it() -> None:
    """`register` takes away what the configuration has no more, and only that."""
    places = _places(standby("acme"))
    places.planes.catalogue = replace(places.planes.catalogue, applications=())
    places.rounds()
    assert set(places.planes.region(A).table.by_name("applications/shop")) == {name_of("acme")}


@pytest.mark.parametrize("mode", list(Mode))
def test_it_fails_over_with_its_group_and_who_comes_later_is_where_the_group_is(mode: Mode) -> None:
    places = _places(standby("acme"), mode=mode)
    places.planes.start(B, "r1", B)
    places.planes.minutes(4)
    assert places.planes.states(B) == {"r1": "DONE"}
    places.tenants["later"] = standby("later")
    places.rounds()
    weights = {at: weight for at, (_, weight, _) in places.led("later").items()}
    assert weights == ({A: 0, B: 100} if mode is Mode.WEIGHTS else {A: 100, B: 0})
    assert weights == {at: weight for at, (_, weight, _) in places.led("acme").items()}
    assert not places.planes.differing(A)


def test_an_endpoint_that_changes_is_followed_and_the_weight_stays() -> None:
    places = _places(standby("acme"))
    places.planes.start(B, "r1", B)
    places.planes.minutes(4)
    places.tenants["acme"] = standby("acme", number=1)
    places.rounds()
    assert places.led("acme") == {A: (f"acme-1.{A}.example.net", 0, ""), B: (f"acme-1.{B}.example.net", 100, "")}
    assert places.history()[-1] == "applications of tenants: 1 changed (acme.tenants.example.com)"


def test_a_failover_that_was_faster_is_not_undone() -> None:
    """It moves the weights between the look at the table and the change."""
    places = _places(standby("acme"))
    places.tenants["acme"] = standby("acme", number=1)

    def moves(_region: str, call: str) -> None:
        if call == "ChangeResourceRecordSets":
            for (_, _, at), record in places.zone.items():
                record["Weight"] = 100 if at == B else 0

    places.planes.world.fault = moves
    assert "acme.tenants.example.com. cannot be written" in places.fails()
    assert {at: weight for at, (_, weight, _) in places.led("acme").items()} == {A: 0, B: 100}


def test_without_an_output_in_both_regions_it_is_not_half_an_application() -> None:
    new = standby("acme")
    del new["outputs"][B]
    places = _places(new)
    assert (places.led("acme"), places.applications(), places.claims()) == ({}, {}, set())
    assert places.seen() == ({name_of("acme"): f"it has no public output Endpoint in {B} yet"}, {})
    places.tenants["acme"] = standby("acme")
    places.rounds()
    assert places.led("acme") == _home("acme")
    assert places.seen() == ({}, {})
    places.tenants["acme"] = new
    places.rounds(2)
    assert places.led("acme") == _home("acme"), "what is there stays"


@pytest.mark.parametrize("mode", list(Mode))
@pytest.mark.parametrize("at", [A, B])
def test_who_has_no_standby_any_more_is_led_home_and_then_has_no_name(mode: Mode, at: str) -> None:
    places = _places(standby("acme"), mode=mode)
    if at == B:
        places.planes.start(B, "r1", B)
        places.planes.minutes(4)
    del places.tenants["acme"]
    places.rounds()
    assert set(places.led("acme")) == {A}, "the only record there is is the answer, whatever its weight and health"
    assert places.applications() == {}
    assert places.seen() == ({name_of("acme"): "its records are being taken away"}, {})
    places.rounds()
    assert (places.led("acme"), places.claims()) == ({}, set())
    assert places.seen() == ({}, {})
    assert places.history()[-1] == "applications of tenants: 1 taken away (acme.tenants.example.com)"


def test_a_standby_that_comes_back_meanwhile_is_an_application_again() -> None:
    places = _places(standby("acme"))
    del places.tenants["acme"]
    places.rounds()
    places.tenants["acme"] = standby("acme")
    places.rounds()
    assert places.led("acme") == _home("acme")
    assert set(places.applications()) == {name_of("acme")}


def test_who_is_being_retired_keeps_its_name_until_it_is_gone() -> None:
    places = _places(standby("acme"))
    places.tenants["acme"]["phase"] = "RETIRING"
    places.tenants["late"] = standby("late", phase="RETIRING")
    places.rounds(2)
    assert (places.led("acme"), places.led("late")) == (_home("acme"), {})
    places.tenants["acme"]["phase"] = "RETIRED"
    places.rounds(2)
    assert places.led("acme") == {}


def test_who_swaps_its_places_goes_to_the_group_that_is_at_home_there() -> None:
    places = _places(standby("acme"), mode=Mode.SWITCH)
    places.tenants["acme"] = standby("acme", number=1, region=B)
    places.rounds(2)
    (one,) = places.applications().values()
    assert one.group == FAR
    assert places.led("acme") == {
        at: (f"acme-1.{at}.example.net", 100 if at == B else 0, f"{FAR}/{at}") for at in (A, B)
    }


def test_whose_primary_is_no_groups_is_told_and_left_as_it_is() -> None:
    places = Places(planes=Planes(catalogue=catalogue(entry())))
    places.tenants["acme"] = standby("acme", region=B)
    places.rounds()
    assert places.led("acme") == {}
    (wrong,) = places.seen()[1].values()
    assert wrong == f"its primary is {B}, and that of group shop is {A}: give it an entry of its own"
    places.tenants["acme"] = standby("acme")
    places.rounds()
    places.tenants["acme"] = standby("acme", region=B)
    places.rounds(2)
    assert places.led("acme") == _home("acme")


def test_the_status_of_either_region_tells_of_tenants() -> None:
    places = _places(standby("acme"), standby("new", outputs={}))
    for at in (A, B):
        shop, far = places.planes.commands(at).run("status", {}, actor="x")["groups"]
        assert shop["tenants"].pop("at")
        waiting = {name_of("new"): f"it has no public output Endpoint in {A} and {B} yet"}
        assert shop["tenants"] == {"applications": 1, "waits": 1, "waiting": waiting}
        assert "tenants" not in far


def test_who_stands_elsewhere_is_none_of_it() -> None:
    places = _places(standby("acme", standby_region="ap-south-1"))
    assert (places.led("acme"), places.seen()) == ({}, ({}, {}))


@pytest.mark.parametrize(
    ("output", "why"),
    [
        ("https://203.0.113.7/", "no address"),
        ("https://127.0.0.1:49152", "no address"),  # as the local cloud's Express services have it
        ("http://[bad", "no address"),
        ("a" * 300 + ".example.com", "no address"),
        ("x.example.com\nevil", "no address"),
        ("nodots", "no address"),
    ],
)
def test_what_is_no_address_is_told_in_one_line(output: str, why: str) -> None:
    bad = standby("acme")
    bad["outputs"][B]["Endpoint"] = output
    places = _places(bad)
    (wrong,) = places.seen()[1].values()
    assert why in wrong
    assert "\n" not in wrong
    assert places.led("acme") == {}


@pytest.mark.parametrize("tenant", ["a.b", "a*", "-a", "a" * 70, "ä", "a\n"])
def test_an_id_that_is_no_label_is_told_and_nothing_of_it_is_made(tenant: str) -> None:
    places = _places(standby(tenant), standby("acme"))
    assert places.led("acme") == _home("acme")
    assert places.claims() == set(places.applications()) == {name_of("acme")}
    ((_, wrong),) = places.seen()[1].items()
    assert wrong.endswith("is no name in DNS")


def test_a_name_of_the_configuration_is_its_own() -> None:
    at_work = catalogue(entry(record="{id}.shop.example.com", zone="Z1"))
    places = Places(planes=Planes(catalogue=at_work))
    places.tenants["app1"] = standby("app1")
    before = dict(places.planes.world.route53.zones["Z1"])
    places.rounds()
    assert places.planes.world.route53.zones["Z1"] == before
    assert "have the name app1.shop.example.com" in places.seen()[1]["app1.shop.example.com"]


@pytest.mark.parametrize(
    "stranger",
    [
        {"Type": "TXT", "TTL": 5, "ResourceRecords": [{"Value": '"x"'}]},
        {"Type": "CNAME", "TTL": 5, "ResourceRecords": [{"Value": "x.example.org"}]},
        {"Type": "CNAME", "SetIdentifier": "x", "Weight": 1, "TTL": 5, "ResourceRecords": [{"Value": "x.example.org"}]},
        {"Type": "CNAME", "SetIdentifier": A, "Weight": 1, "TTL": 5, "ResourceRecords": [{"Value": "x.example.org"}]},
        # It is as ours would be, and nobody has claimed it.
        {
            "Type": "CNAME",
            "SetIdentifier": A,
            "Weight": 100,
            "TTL": 60,
            "ResourceRecords": [{"Value": f"acme-0.{A}.example.net"}],
        },
    ],
)
def test_a_record_of_somebody_else_is_never_touched(stranger: dict[str, Any]) -> None:
    places = Places()
    record = {"Name": f"{name_of('acme')}.", **stranger}
    key = (record["Name"], record["Type"], record.get("SetIdentifier", ""))
    places.zone[key] = record
    places.tenants |= {"acme": standby("acme"), "other": standby("other")}
    places.rounds(2)
    assert places.led("other") == _home("other")
    assert {name: one for name, one in places.zone.items() if name[0] == record["Name"]} == {key: record}
    assert "is not Granary's: take it away" in places.seen()[1][name_of("acme")]
    assert [one for one in places.history() if "left as they are" in one] == [
        one for one in places.history() if "is not Granary's" in one
    ]
    assert len([one for one in places.history() if "left as they are" in one]) == 1, "told once"
    del places.zone[key]
    places.rounds()
    assert places.led("acme") == _home("acme")


@pytest.mark.parametrize("policy", [{"Region": A}, {"Failover": "PRIMARY"}, {"MultiValueAnswer": True}])
def test_a_record_of_another_routing_policy_harms_no_other_tenant(policy: dict[str, Any]) -> None:
    """It leads where ours did, and has no weight."""
    places = _places(standby("acme"), standby("other"))
    key = (f"{name_of('acme')}.", "CNAME", A)
    del places.zone[(key[0], "CNAME", B)]
    del places.zone[key]["Weight"]
    places.zone[key] |= policy
    changed = dict(places.zone[key])
    places.tenants = {"acme": standby("acme", number=1), "other": standby("other", number=1)}
    places.planes.minutes(5)
    places.round()
    assert (places.zone[key], places.led("other")) == (changed, _home("other", 1))
    assert f"the zone has a record CNAME {A} acme-0.{A}.example.net" in places.seen()[1][name_of("acme")]


def test_a_record_that_somebody_has_led_elsewhere_is_told_and_stays() -> None:
    places = _places(standby("acme"))
    key = (f"{name_of('acme')}.", "CNAME", B)
    places.zone[key] |= {"ResourceRecords": [{"Value": "by.hand.example.org"}]}
    changed = dict(places.zone[key])
    places.tenants["acme"] = standby("acme", number=1)
    places.rounds()
    del places.tenants["acme"]
    places.rounds(3)
    assert places.zone == {key: changed}
    assert places.claims() == {name_of("acme")}
    assert "it is to go, and the zone has a record" in places.seen()[1][name_of("acme")]
    del places.zone[key]
    places.rounds()
    assert places.claims() == set()


def test_a_record_that_is_missing_is_made_again() -> None:
    places = _places(standby("acme"))
    del places.zone[(f"{name_of('acme')}.", "CNAME", A)]
    places.rounds()
    assert places.led("acme") == _home("acme")


def test_nobody_goes_while_the_list_is_not_whole() -> None:
    places = _places(standby("acme"), standby("other"), standby("third"))
    del places.tenants["acme"]
    places.unreadable.append("broken")
    places.tenants["new"] = standby("new")
    for _ in range(2):
        places.planes.minutes(5)
        assert "the status of 'broken' cannot be read" in places.fails()
    assert places.led("acme") == _home("acme")
    assert places.led("new") == _home("new")
    places.unreadable.clear()
    places.rounds(2)
    assert places.led("acme") == {}


def test_a_tenant_that_cannot_be_read_is_told_and_nobody_goes() -> None:
    places = _places(standby("acme"))
    del places.tenants["acme"]
    places.tenants["bad"] = {**standby("bad"), "outputs": ["x"]}
    places.planes.minutes(5)
    assert "outputs: " in places.fails()
    assert places.led("acme") == _home("acme")


def test_many_go_when_a_person_has_confirmed_it() -> None:
    places = _places(*(standby(f"t{number}") for number in range(8)))
    for number in range(6):
        del places.tenants[f"t{number}"]
    places.rounds(2)
    assert len(places.applications()) == 8
    assert "6 of 8 applications of tenants would go, and none does" in places.history()[-1]
    places.planes.minutes(5)
    places.round(confirmed=5)
    assert len(places.applications()) == 8
    places.round(confirmed=6)
    places.rounds()
    assert (len(places.applications()), len(places.zone)) == (2, 4)


def test_an_entry_that_is_withdrawn_takes_its_applications_along() -> None:
    places = _places(*(standby(f"t{number}") for number in range(8)), standby("far", region=B))
    places.planes.catalogue = catalogue(entry(withdrawn=True), entry(FAR))
    places.rounds(2)
    assert set(places.applications()) == {name_of("far")}
    assert len(places.zone) == 2


def test_while_the_other_region_is_silent_nothing_is_written() -> None:
    places = _places(standby("acme"))
    places.planes.world.down.add(B)
    places.planes.minutes(3)
    places.tenants = {"acme": standby("acme", number=1), "new": standby("new")}
    places.rounds(2)
    assert (places.led("acme"), places.led("new")) == (_home("acme"), {})
    assert places.seen()[0][name_of("new")] == f"nothing is heard of {B}, and what was asked for there counts"


def test_while_a_request_is_open_its_group_is_left_alone() -> None:
    places = _places(standby("acme"))
    places.planes.world.route53.unreadable.add("Z1")
    places.planes.start(B, "r1", B)
    places.planes.world.replicate()
    places.tenants |= {"new": standby("new"), "far": standby("far", region=B)}
    places.round()
    assert (places.led("new"), places.led("far")[B][1]) == ({}, 100)
    assert places.seen()[0] == {
        name_of("acme"): "request r1 of its group is under way",
        name_of("new"): "request r1 of its group is under way",
    }


def test_while_a_request_is_open_no_record_is_made_without_its_health_check() -> None:
    places = _places(standby("acme"), mode=Mode.SWITCH)
    del places.zone[(f"{name_of('acme')}.", "CNAME", A)]
    places.planes.world.route53.unreadable.add("Z1")
    places.planes.start(B, "r1", B)
    places.planes.world.replicate()
    places.checked = (B,)
    places.round()
    assert set(places.led("acme")) == {B}
    places.checked = (A, B)
    places.round()
    assert places.led("acme") == _home("acme", check=SHOP)


def test_what_cannot_be_read_is_left_alone_and_harms_no_other() -> None:
    places = _places(standby("acme"), standby("other"))
    assert places.planes.world.tables[A].spoil(f"claims/{name_of('acme')}", 0, '{"name": 5}')
    places.tenants |= {"acme": standby("acme", number=1), "other": standby("other", number=1)}
    places.planes.minutes(5)
    assert f"claims {name_of('acme')} in table" in places.fails()
    assert (places.led("acme"), places.led("other")) == (_home("acme"), _home("other", 1))


def test_a_request_that_cannot_be_read_may_be_open_and_its_group_is_left_alone() -> None:
    places = _places(standby("acme"))
    places.planes.start(B, "r1", B)
    places.planes.minutes(4)
    assert places.planes.world.tables[A].spoil("requests/shop", 0, "{")
    places.tenants |= {"new": standby("new"), "far": standby("far", region=B)}
    assert "requests/shop r1 in table" in places.fails()
    assert (places.led("new"), places.led("far")[B][1]) == ({}, 100)
    assert places.seen()[0][name_of("new")] == "request r1 of its group is under way"


def test_a_zone_that_cannot_be_read_is_told() -> None:
    places = _places(standby("acme"))
    places.planes.world.route53.unreadable.add("Z9")
    assert "zone Z9 cannot be read" in places.fails()


def test_another_round_at_work_is_told_and_nothing_is_done() -> None:
    places = _places()
    places.tenants["acme"] = standby("acme")
    table, now = places.planes.region(A).table, places.planes.world.now
    assert table.lease("tenants", "another", now=now, lasts=timedelta(minutes=6))
    assert places.fails().startswith("another round is at work, or has died less than six minutes ago")
    assert places.led("acme") == {}
    places.planes.minutes(7)
    places.round()
    assert places.led("acme") == _home("acme")


def test_many_are_few_changes_and_they_are_paced() -> None:
    places = _places(*(standby(f"t{number:03}") for number in range(300)))
    assert len(places.zone) == 600
    assert (len(places.planes.world.route53.changes), places.planes.world.route53.refused) == (2, 0)


def test_a_request_does_not_wait_for_ever_for_a_record_that_somebody_took_away() -> None:
    places = _places(standby("acme"))
    del places.zone[(f"{name_of('acme')}.", "CNAME", A)]
    places.planes.start(B, "r1", B)
    places.planes.minutes(2)
    assert places.planes.states(B) == {"r1": "OPEN"}
    places.tenants["acme"] = standby("acme", number=1)
    places.round()
    assert places.led("acme") == {A: (f"acme-0.{A}.example.net", 0, ""), B: (f"acme-0.{B}.example.net", 100, "")}
    places.planes.minutes(2)
    assert places.planes.states(B) == {"r1": "DONE"}
    places.round()
    assert places.led("acme")[B] == (f"acme-1.{B}.example.net", 100, "")
