"""Route 53's limits are kept: half its calls a second, one change of a zone at a time, pages of records."""

from __future__ import annotations

from dataclasses import replace

import pytest
from botocore.exceptions import ClientError

from lambdas.resilience.model.failover.packing import Batch
from lambdas.resilience.store.failover.dns import Dns
from tests.unit.lambdas.resilience.failover import aws
from tests.unit.lambdas.resilience.failover.aws import A, B, World, refusal
from tests.unit.lambdas.resilience.failover.checked import Checked
from tests.unit.lambdas.resilience.failover.planes import Planes, application, catalogue


def _dns(world: World) -> Dns:
    return Dns(client=Checked(world.route53, "route53"), pause=world.pause, watch=world.watch)


def test_records_come_in_pages_and_no_faster_than_five_a_second() -> None:
    planes = Planes(catalogue=catalogue(applications=[application(number) for number in range(40)]))
    planes.world.route53.page = 7
    planes.world.route53.zones["Z1"][("other.example.com.", "TXT", "")] = {"Name": "other.example.com.", "Type": "TXT"}
    began = planes.world.watch()
    names = [f"app{number}.shop.example.com" for number in range(40)]
    records = _dns(planes.world).records("Z1", names)
    assert len(records) == 80
    assert ("app0.shop.example.com", "CNAME", A) in records
    pages = [name for _, name in planes.world.calls if name == "ListResourceRecordSets"]
    assert len(pages) == 12
    assert planes.world.watch() - began == pytest.approx(11 * 0.2)
    assert planes.world.route53.refused == 0


def test_records_of_others_in_between_are_passed_over() -> None:
    """However many: a call for each name is the most that they cost."""
    names = ("a", "a-b", "b", "z.b", "m", "zz")
    planes = Planes(
        catalogue=catalogue(
            applications=[replace(application(1), name=one, record=f"{one}.example.com") for one in names]
        )
    )
    zone = planes.world.route53.zones["Z1"]
    for one in names:
        for number in range(400):
            name = f"x{number}.{one}.example.com."
            zone[(name, "A", "")] = {"Name": name, "Type": "A"}
    records = _dns(planes.world).records("Z1", [f"{one}.example.com" for one in names])
    assert {(name, region) for name, _, region in records} == {
        (f"{one}.example.com", region) for one in names for region in (A, B)
    }
    assert len([name for _, name in planes.world.calls if name == "ListResourceRecordSets"]) <= len(names)


def test_reading_ends_whatever_order_a_zone_is_listed_in(monkeypatch: pytest.MonkeyPatch) -> None:
    planes = Planes()
    planes.world.route53.page = 5
    monkeypatch.setattr(aws, "_listed", lambda key: key)
    zone = planes.world.route53.zones["Z1"]
    zone |= {
        (f"x{number}.a.example.com.", "A", ""): {"Name": f"x{number}.a.example.com.", "Type": "A"}
        for number in range(9)
    }

    def ends(_region: str, _call: str) -> None:
        assert len(planes.world.calls) < 20, "it goes on and on"

    planes.world.fault = ends
    assert len(_dns(planes.world).records("Z1", ["app1.shop.example.com", "app2.shop.example.com"])) == 4


def test_a_name_with_more_records_than_a_page_is_read_whole() -> None:
    planes = Planes()
    zone, planes.world.route53.page = planes.world.route53.zones["Z1"], 3
    for number in range(10):
        zone[("app1.shop.example.com.", "A", f"other{number}")] = {"Name": "app1.shop.example.com.", "Type": "A"}
    records = _dns(planes.world).records("Z1", ["app1.shop.example.com", "app2.shop.example.com"])
    assert len(records) == 4


def test_a_zone_that_is_busy_is_asked_again_later() -> None:
    planes = Planes()
    dns = _dns(planes.world)
    record = planes.world.route53.zones["Z1"][("app1.shop.example.com.", "CNAME", B)]
    batch = Batch(zone="Z1", records=(record,))
    change = dns.change(batch, comment="x")
    assert change
    assert dns.change(batch, comment="x") is None
    planes.world.pass_time(1)
    assert dns.change(batch, comment="x")
    assert not dns.is_everywhere(change)
    planes.world.pass_time(30)
    assert dns.is_everywhere(change)


def test_what_route_53_will_never_take_is_raised() -> None:
    planes = Planes()

    def refuse(_region: str, _call: str) -> None:
        raise refusal("AccessDenied", status=403)

    planes.world.fault = refuse
    with pytest.raises(ClientError, match="AccessDenied"):
        _dns(planes.world).change(Batch(zone="Z1", records=({"Name": "a.example.com", "Type": "CNAME"},)), comment="x")


def test_a_name_leads_to_its_database_once() -> None:
    planes = Planes()
    dns = _dns(planes.world)
    told = [dns.point(zone="Z1", record="db.example.com", to="new.rds.example.com") for _ in range(2)]
    assert told == ["db.example.com has been told to lead to new.rds.example.com", ""]
    assert len(planes.world.route53.changes) == 1


def test_what_route_53_was_too_busy_for_is_not_said_to_be_told() -> None:
    planes = Planes()
    planes.world.route53.last["Z1"] = planes.world.watch() + 60
    waits = _dns(planes.world).point(zone="Z1", record="db.example.com", to="new.rds.example.com")
    assert waits == "Route 53 is busy with zone Z1"
    assert planes.world.route53.changes == {}
