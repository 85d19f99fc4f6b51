"""Reading rows: what is accepted, and what is said of the rest."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given

from lambdas.common import names
from lambdas.common.record import DeploymentRecord, InvalidRow, TargetPolicy, parse_row
from tests.unit.lambdas.strategies import POLICY, records, rows

ROW = {"id": "silo1", "type": "silo", "account": "222222222222", "region": "eu-west-1"}
LONGEST_ROLE_SUFFIX = "infrastructure"


def derived_names(record: DeploymentRecord) -> dict[str, int]:
    """Every name derived from a record, with the limit that it must keep."""
    kept = names.Names(prefix="granary")
    return {
        names.pipeline_name(record.type, record.id): names.PIPELINE_NAME_LIMIT,
        names.component_stack_name(record.type, record.id): names.STACK_NAME_LIMIT,
        kept.tenant_project(record.type, record.id, "self-mutate"): names.PROJECT_NAME_LIMIT,
        f"{record.type}-{record.id}-{LONGEST_ROLE_SUFFIX}": names.ROLE_NAME_LIMIT,
    }


@given(rows)
def test_any_row_is_read_and_only_usable_ones_are_accepted(row: dict[str, Any]) -> None:
    parsed = parse_row(row, POLICY)
    if isinstance(parsed, InvalidRow):
        assert parsed.reasons
        assert all(reason.strip() for reason in parsed.reasons)
        return
    assert (parsed.id, parsed.type, parsed.account, parsed.region) == (
        row["id"],
        row["type"],
        row["account"],
        row["region"],
    )
    for name, limit in derived_names(parsed).items():
        assert re.fullmatch(r"[a-z0-9-]+", name)
        assert len(name) <= limit


@given(records)
def test_every_good_record_is_accepted(record: DeploymentRecord) -> None:
    row = {
        "id": record.id,
        "type": record.type,
        "account": record.account,
        "region": record.region,
        "note": "others' attributes are left alone",
    }
    assert parse_row(row, POLICY) == record


@given(records)
def test_the_digest_tells_wishes_apart(record: DeploymentRecord) -> None:
    assert record.digest() == replace(record).digest()
    other = "pool" if record.type == "silo" else "silo"
    assert record.digest() != replace(record, type=other).digest()


@pytest.mark.parametrize("character", [*"$`;|&<>(){}[]'\"\\*?~#! \n\t/.:_@%A", "\u00e9", "\u0661"])
def test_an_id_has_no_character_that_means_something_elsewhere(character: str) -> None:
    for text in (f"a{character}b", f"{character}ab", f"ab{character}"):
        parsed = parse_row({**ROW, "id": text}, POLICY)
        assert isinstance(parsed, InvalidRow)
        assert "use lower-case letters, digits and single hyphens" in parsed.reason


@pytest.mark.parametrize(
    ("attribute", "value", "said"),
    [
        ("id", None, 'id is missing: add "id": {"S": "silo1"}'),
        ("id", "", 'id "" is not usable in names'),
        ("id", 7, "id must be a string, not 7"),
        ("id", "a" * 41, "has 41 characters"),
        ("id", "-a", "beginning with a letter"),
        ("id", "a--b", "single hyphens"),
        ("type", "tenant", 'type "tenant" is unknown: use silo or pool'),
        ("type", True, "type must be a string, not true"),
        ("account", "12345", "use its 12 digits"),
        ("account", "\uff12" * 12, "use its 12 digits"),
        ("account", 222222222222, 'write it as {"S": "222222222222"}'),
        ("account", "444444444444", "add it to `accounts` in config/workloads.yaml"),
        ("region", "Frankfurt", "is not the id of an AWS Region"),
        ("region", "cn-north-1", "is in partition aws-cn, this toolchain is in aws"),
        ("region", "eu-north-1", "use one of eu-west-1, us-east-1"),
    ],
)
def test_a_bad_attribute_is_named_with_its_remedy(attribute: str, value: object, said: str) -> None:
    row = {name: given for name, given in {**ROW, attribute: value}.items() if given is not None}
    parsed = parse_row(row, POLICY)
    assert isinstance(parsed, InvalidRow)
    assert said in parsed.reason
    assert len(parsed.reasons) == 1


def test_every_reason_is_given_at_once() -> None:
    parsed = parse_row({}, POLICY)
    assert isinstance(parsed, InvalidRow)
    assert len(parsed.reasons) == 4
    assert parsed.id == ""


def test_long_values_are_cut() -> None:
    parsed = parse_row({**ROW, "type": "x" * 10_000}, POLICY)
    assert isinstance(parsed, InvalidRow)
    assert len(parsed.reason) < 200


@pytest.mark.parametrize("accounts", [None, frozenset({"222222222222"})])
def test_the_policy_survives_its_journey(accounts: frozenset[str] | None) -> None:
    policy = replace(POLICY, accounts=accounts)
    assert TargetPolicy.from_json(policy.to_json()) == policy


def test_without_a_list_any_account_is_accepted() -> None:
    parsed = parse_row({**ROW, "account": "999999999999"}, replace(POLICY, accounts=None))
    assert isinstance(parsed, DeploymentRecord)
