"""Route 53's limits are kept: five calls a second, one change of a zone at a time, pages of records."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

from lambdas.resilience.model.failover.packing import Batch
from lambdas.resilience.store.failover.dns import Dns
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
    records = _dns(planes.world).records(["Z1", "Z1"])
    assert len(records) == 80
    assert ("app0.shop.example.com", "CNAME", A) in records
    pages = [name for _, name in planes.world.calls if name == "ListResourceRecordSets"]
    assert len(pages) == 12
    assert planes.world.watch() - began == pytest.approx(11 * 0.2)
    assert planes.world.route53.refused == 0


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
    assert told == [False, True]
    assert len(planes.world.route53.changes) == 1
