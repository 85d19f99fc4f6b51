"""The function itself, on moto: whom it asks, which health checks its records have, and what a person confirms."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import boto3
import pytest

from lambdas.common import clients, clock
from lambdas.common.clock import stamp
from lambdas.resilience.failover_tenants import handler as module
from lambdas.resilience.failover_tenants.handler import handler
from lambdas.resilience.model.failover.catalogue import Mode
from lambdas.resilience.model.failover.readiness import Facts
from lambdas.resilience.store.failover.table import FailoverTable
from tests.unit.lambdas.resilience.failover.aws import A, B
from tests.unit.lambdas.resilience.failover_tenants.places import catalogue, entry, standby


class Context:
    """As much time as a function has."""

    aws_request_id = "round-1"

    def get_remaining_time_in_millis(self) -> int:
        return 300_000


@pytest.fixture
def tenants() -> dict[str, Any]:
    return {f"t{number}": standby(f"t{number}") for number in range(7)}


@pytest.fixture
def asked() -> list[tuple[str, Mapping[str, Any]]]:
    return []


@pytest.fixture
def zone(
    aws: None,
    give_settings: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
    tenants: dict[str, Any],
    asked: list[tuple[str, Mapping[str, Any]]],
) -> Iterator[str]:
    """The function of the toolchain's Region, with its table, bus, health checks and an empty zone."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", A)
    clients.client.cache_clear()
    table = "granary-resilience-failover"
    boto3.client("dynamodb", A).create_table(
        TableName=table,
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}, {"AttributeName": "sort", "KeyType": "RANGE"}],
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("id", "sort")],
        BillingMode="PAY_PER_REQUEST",
    )
    # The other half has said something of itself.
    other = FailoverTable(client=boto3.client("dynamodb", A), name=table, region=B)
    other.tell_facts(Facts(at=stamp(clock.now())))
    boto3.client("events", A).create_event_bus(Name=table)
    for region in (A, B):
        name = f"/granary/resilience/failover/checks/shop/{region}"
        boto3.client("ssm", A).put_parameter(Name=name, Value=f"check-{region}", Type="String")
    made = boto3.client("route53").create_hosted_zone(Name="example.com", CallerReference="x")
    found = str(made["HostedZone"]["Id"].rsplit("/", 1)[-1])

    def ask(function: str, question: Mapping[str, Any], _client: Any) -> dict[str, Any]:
        asked.append((function, question))
        return {"standbys": list(tenants.values()), "unreadable": [], "after": ""}

    monkeypatch.setattr(module, "ask", ask)
    text = catalogue(entry(zone=found), mode=Mode.SWITCH).to_json()
    give_settings({"AWS_REGION": A, "FACTORY": "granary"}, catalogue=text)
    yield found
    clients.client.cache_clear()


def _records(zone: str) -> list[dict[str, Any]]:
    found: Any = boto3.client("route53").list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"]
    return [one for one in found if one["Type"] == "CNAME"]


def test_it_asks_the_room_saas_and_makes_records_with_the_groups_health_checks(
    zone: str, asked: list[tuple[str, Mapping[str, Any]]]
) -> None:
    handler({}, Context())
    assert asked == [("granary-tenants", {"standbys": True, "after": ""})]
    records = _records(zone)
    assert len(records) == 14
    assert {(one["SetIdentifier"], one["HealthCheckId"], one["Weight"]) for one in records} == {
        (A, f"check-{A}", 100),
        (B, f"check-{B}", 0),
    }


@pytest.mark.parametrize(
    ("event", "left"), [({}, 14), ({"take_away": "7"}, 14), ({"take_away": 6}, 14), ({"take_away": 7}, 7)]
)
def test_so_many_go_as_a_person_has_confirmed(
    zone: str, tenants: dict[str, Any], event: dict[str, Any], left: int
) -> None:
    handler({}, Context())
    tenants.clear()
    handler(event, Context())
    assert len(_records(zone)) == left
