"""What Route 53 refuses of a batch, reason by reason, and what a zone is after one that it takes."""

from __future__ import annotations

import re
from typing import Any

import pytest

from local_cloud.route53.records import Change, RefusedError, applied

_ZONE = {"id": "Z1", "name": "shop.example."}
_APEX = [
    {"Name": "shop.example.", "Type": "SOA", "TTL": "900", "ResourceRecords": ["ns. admin. 1 1 1 1 1"]},
    {"Name": "shop.example.", "Type": "NS", "TTL": "900", "ResourceRecords": ["ns."]},
]


def _record(name: str = "app", kind: str = "CNAME", **more: Any) -> dict[str, Any]:
    values = {"CNAME": "place.example.net", "A": "192.0.2.1", "TXT": '"text"'}
    full = f"{name}.shop.example." if name else "shop.example."
    record = {"Name": full, "Type": kind, "TTL": "60", "ResourceRecords": [values[kind]], **more}
    return {key: value for key, value in record.items() if value is not None}


def _weighted(identifier: str, weight: int = 1, **more: Any) -> dict[str, Any]:
    return _record(SetIdentifier=identifier, Weight=weight, **more)


def _alias(target: str, **more: Any) -> dict[str, Any]:
    there = {"HostedZoneId": "Z1", "DNSName": target, "EvaluateTargetHealth": False}
    return _record(kind="A", **{"AliasTarget": there, "TTL": None, "ResourceRecords": None, **more})


def _changed(records: list[dict[str, Any]], *changes: tuple[str, dict[str, Any]]) -> list[dict[str, Any]]:
    asked = [Change(action=action, record=record) for action, record in changes]
    return applied(_ZONE, [*_APEX, *records], asked, checks={"check"})[len(_APEX) :]


def _refusal(records: list[dict[str, Any]], *changes: tuple[str, dict[str, Any]]) -> str:
    with pytest.raises(RefusedError) as caught:
        _changed(records, *changes)
    return f"{caught.value.code}: {caught.value.message}"


@pytest.mark.parametrize(
    ("there", "record", "reason"),
    [
        ([], _weighted("one", 256), "InvalidInput: Invalid XML ; cvc-maxInclusive-valid: Value '256'"),
        ([], _weighted("one", -1), "InvalidInput: Invalid XML"),
        ([], _record(Weight=1), "InvalidInput: Invalid request: Missing field 'SetIdentifier'"),
        ([], _record(SetIdentifier="one"), "InvalidInput: Invalid request: Missing field 'Weight'"),
        ([], _record(TTL=None), "InvalidInput: Invalid request: Expected exactly one of .* but found none"),
        ([], _record(ResourceRecords=[]), "but found none"),
        ([], _alias("app.shop.example.", TTL="60"), "but found more than one"),
        ([], _alias("app.shop.example.", ResourceRecords=["192.0.2.1"]), "but found more than one"),
        ([], _record(Region="eu-west-1", SetIdentifier="one"), "and none with Region"),
        ([], _record(HealthCheckId="gone"), "NoSuchHealthCheck: No health check exists with the specified ID gone"),
        (
            [],
            _record(Name="app.other.example."),
            r"InvalidChangeBatch: \[RRSet with DNS name app.other.example. is not p",
        ),
        ([], _record(Name="workshop.example."), "is not permitted in zone shop.example."),
        ([], _record(""), "RRSet of type CNAME with DNS name shop.example. is not permitted at apex"),
        ([_record(kind="A")], _record(), "CNAME .* is not permitted as it conflicts with other records"),
        ([_record()], _record(kind="TXT"), "TXT .* a conflicting RRSet of type  CNAME"),
        (
            [_weighted("one")],
            _record(),
            "type CNAME cannot be created as other RRSets exist with the same name and type",
        ),
        ([_record()], _weighted("one"), "SetIdentifier one cannot be created as a non-weighted set exists"),
        ([_weighted("one")], _weighted("one"), "set-identifier='one'] but it already exists"),
        ([_weighted("one")], _weighted("two", TTL="61"), "weighted sets must contain the same TTL"),
        ([], _alias("gone.shop.example."), "but that target was not found"),
        ([], _record(kind="A", ResourceRecords=["here"]), "Invalid Resource Record: 'here'"),
    ],
)
def test_what_is_refused(there: list[dict[str, Any]], record: dict[str, Any], reason: str) -> None:
    assert re.search(reason, _refusal(there, ("CREATE", record)))


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        (_weighted("two"), "set-identifier='two'] but it was not found"),
        (_weighted("one", 2), "but the values provided do not match the current values"),
        (_weighted("one", TTL="1"), "but the values provided do not match the current values"),
        (_weighted("one", HealthCheckId="check"), "but the values provided do not match the current values"),
        (_APEX[1], "must contain at least one NS record"),
    ],
)
def test_what_is_deleted_is_given_exactly(record: dict[str, Any], reason: str) -> None:
    assert reason in _refusal([_weighted("one")], ("DELETE", record))


def test_the_order_of_values_is_no_difference() -> None:
    values = ["192.0.2.1", "192.0.2.2"]
    there = _record(kind="A", ResourceRecords=values)
    assert _changed([there], ("DELETE", {**there, "ResourceRecords": values[::-1]})) == []


def test_all_reasons_are_told() -> None:
    said = _refusal([_record()], ("CREATE", _record()), ("DELETE", _record("www")), ("CREATE", _record("")))
    assert [part in said for part in ("already exists", "was not found", "at apex")] == [True] * 3


def test_changes_are_made_in_their_order() -> None:
    alias = _record(kind="A")
    assert _changed([_record()], ("DELETE", _record()), ("CREATE", alias)) == [alias]
    assert "conflicting RRSet" in _refusal([_record()], ("CREATE", alias), ("DELETE", _record()))
    assert _changed([_record()], ("DELETE", _record()), ("CREATE", _record(TTL="1"))) == [_record(TTL="1")]


def test_a_record_is_changed_once() -> None:
    assert "invalid set of changes" in _refusal([], ("UPSERT", _record()), ("UPSERT", _record(TTL="1")))


def test_weighted_records_change_their_ttl_together() -> None:
    there, after = ([_weighted(one, TTL=ttl) for one in "ab"] for ttl in ("60", "1"))
    assert _changed(there, *(("UPSERT", one) for one in after)) == after
    assert "must contain the same TTL" in _refusal(there, ("UPSERT", after[0]))


def test_an_upsert_counts_twice() -> None:
    many = [_record(f"app{number}") for number in range(1_001)]
    assert len(_changed([], *(("CREATE", one) for one in many[:1_000]))) == 1_000
    assert len(_changed([], *(("UPSERT", one) for one in many[:500]))) == 500
    for action, count in (("CREATE", 1_001), ("UPSERT", 501)):
        assert "records limit of 1000" in _refusal([], *((action, one) for one in many[:count]))


def test_characters_count_twice_too() -> None:
    values = [f'"{"x" * 248}{number:03}"' for number in range(63)]  # 253 characters each
    assert _changed([], ("UPSERT", _record(kind="TXT", ResourceRecords=values)))
    assert "characters limit of 32000" in _refusal(
        [], ("UPSERT", _record(kind="TXT", ResourceRecords=[*values, "x" * 62]))
    )


def test_a_batch_can_make_an_alias_and_its_target() -> None:
    target = _record("place", kind="A")
    assert _changed([], ("CREATE", _alias("place.shop.example.")), ("CREATE", target))
