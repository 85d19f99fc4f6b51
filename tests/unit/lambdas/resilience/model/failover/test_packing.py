"""Packing changes of records into as few requests as Route 53 takes."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from lambdas.resilience.model.failover.catalogue import Application, Endpoint
from lambdas.resilience.model.failover.packing import Batch, difference, key_of, pack

_REGIONS = ("us-east-1", "eu-west-1")


def _changes(zone: str, number: int, letters: int) -> tuple[str, tuple[dict[str, Any], ...]]:
    return zone, tuple(
        {
            "Name": f"app{number}.example.com.",
            "Type": "CNAME",
            "SetIdentifier": region,
            "Weight": 0,
            "ResourceRecords": [{"Value": "x" * letters}],
        }
        for region in _REGIONS
    )


@given(st.lists(st.tuples(st.sampled_from(["Z1", "Z2", "Z3"]), st.integers(1, 400)), max_size=900))
def test_every_request_is_one_that_route_53_takes_and_nothing_is_lost(asked: list[tuple[str, int]]) -> None:
    changes = [_changes(zone, number, letters) for number, (zone, letters) in enumerate(asked)]
    batches = pack(changes)
    for one in batches:
        values = sum(len(it["Value"]) for record in one.records for it in record["ResourceRecords"])
        assert 2 * len(one.records) <= 1000
        assert 2 * values <= 32_000
        # All of an application, or nothing of it.
        names = [record["Name"] for record in one.records]
        assert all(names.count(name) == 2 for name in set(names))
    packed = sorted((one.zone, key_of(record)) for one in batches for record in one.records)
    assert packed == sorted((zone, key_of(record)) for zone, records in changes for record in records)


def test_as_few_as_can_be_and_the_zones_in_turn() -> None:
    batches = pack([_changes(zone, number, 20) for zone in ("Z1", "Z2") for number in range(501)])
    assert [(one.zone, len(one.records)) for one in batches] == [
        ("Z1", 500),
        ("Z2", 500),
        ("Z1", 500),
        ("Z2", 500),
        ("Z1", 2),
        ("Z2", 2),
    ]


def test_an_alias_counts_as_a_record() -> None:
    alias = {"Name": "a.", "Type": "A", "SetIdentifier": "x", "Weight": 0, "AliasTarget": {"DNSName": "y"}}
    assert [len(one.records) for one in pack([("Z1", (alias, alias))] * 300)] == [500, 100]


def _application() -> Application:
    endpoints = {region: Endpoint(dns_name=f"{region}.example.net") for region in _REGIONS}
    return Application(name="a", group="g", record="A.Example.com", zone="Z1", endpoints=endpoints)


def _record(region: str, weight: int) -> dict[str, Any]:
    return {
        "Name": "a.example.com.",
        "Type": "CNAME",
        "SetIdentifier": region,
        "Weight": weight,
        "HealthCheckId": "h",
        "TTL": 60,
    }


def test_a_record_keeps_all_but_its_weight() -> None:
    """An UPSERT replaces the whole record: its health check would be gone."""
    records = {key_of(one): one for one in (_record("us-east-1", 100), _record("eu-west-1", 0))}
    found = difference([_application()], records, lambda _: "eu-west-1")
    assert found.changes == (("Z1", (_record("us-east-1", 0), _record("eu-west-1", 100))),)
    assert difference([_application()], records, lambda _: "us-east-1").changes == ()
    assert pack(found.changes) == [Batch(zone="Z1", records=found.changes[0][1])]


def test_an_application_without_a_record_is_told() -> None:
    records = {key_of(one): one for one in (_record("us-east-1", 0),)}
    found = difference([_application()], records, lambda _: "us-east-1")
    assert found.missing == ("a",)
    assert found.changes == (("Z1", (_record("us-east-1", 100),)),)
