"""Reading rows: what is accepted, and what is said of the rest."""

from __future__ import annotations

import re
from dataclasses import fields, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdas.common.dynamo import read_item
from lambdas.saas.model import names
from lambdas.saas.model.record import DeploymentRecord, InvalidRow, parse_row
from lambdas.saas.model.row_rules import TAGS_CHARACTERS
from lambdas.saas.model.target_policy import TargetPolicy
from tests.name_limits import PIPELINE_NAME_LIMIT, PROJECT_NAME_LIMIT, ROLE_NAME_LIMIT, STACK_NAME_LIMIT
from tests.unit.lambdas.saas.strategies import POLICY, dynamo_values, records, rows

ATTRIBUTES = tuple(field.name for field in fields(DeploymentRecord))
ROW: dict[str, Any] = {"id": "silo1", "type": "silo", "account": "222222222222", "region": "eu-west-1"}
LONGEST_ROLE_SUFFIX = "infrastructure"


def derived_names(record: DeploymentRecord) -> dict[str, int]:
    """Every name derived from a record, with the limit that it must keep."""
    kept = names.SaasNames(prefix="granary")
    return {
        names.pipeline_name(record.type, record.id): PIPELINE_NAME_LIMIT,
        names.component_stack_name(record.type, record.id): STACK_NAME_LIMIT,
        kept.tenant_project(record.type, record.id, "self-mutate"): PROJECT_NAME_LIMIT,
        f"{record.type}-{record.id}-{LONGEST_ROLE_SUFFIX}": ROLE_NAME_LIMIT,
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
        assert re.fullmatch(r"[a-z][a-z0-9-]*", name), "ids may begin with a digit, names do not"
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
        ("id", 7, 'id must be a string, not {"N": "7"}'),
        ("id", "a" * 41, "has 41 characters"),
        ("id", "-a", "digits and single hyphens, such as a, and keep yours as external_id"),
        ("id", "a--b", "single hyphens, such as a-b,"),
        ("id", "acme_corp", "such as acme-corp, and keep yours as external_id"),
        ("id", "M\u00fcller & S\u00f6hne GmbH", "such as muller-sohne-gmbh,"),
        ("id", "9F8B7C6D-1234-4ABC-8DEF-0123456789AB", "such as 9f8b7c6d-1234-4abc-8def-0123456789ab,"),
        ("id", "tenant-" + "x" * 40, f"such as tenant-{'x' * 24}-28fd089a,"),
        ("id", "\u0661", "single hyphens"),
        ("type", "tenant", 'type "tenant" is unknown: use silo or pool'),
        ("type", True, 'type must be a string, not {"BOOL": true}'),
        ("account", "12345", "use its 12 digits"),
        ("account", "\uff12" * 12, "use its 12 digits"),
        ("account", 222222222222, 'write it as {"S": "222222222222"}'),
        ("account", "444444444444", "add it to `accounts` in config/workloads.yaml"),
        ("region", "Frankfurt", "is not the id of an AWS Region"),
        ("region", "cn-north-1", "is in partition aws-cn, this toolchain is in aws"),
        ("region", "eu-north-1", "use one of eu-west-1, us-east-1"),
        ("size", "huge", 'size "huge" is unknown: use small, medium or large'),
        ("size", 3, 'size must be a string, not {"N": "3"}'),
        ("state", "deleted", "use active, suspended or retired"),
        ("ring", "never", "use canary, early or general"),
        ("ring", 1, 'ring must be a string, not {"N": "1"}'),
        ("allow_move", "yes", 'allow_move must be a boolean, not {"S": "yes"}: write it as {"BOOL": true}'),
        ("tags", "a=b", 'tags must be a map of strings, not {"S": "a=b"}'),
        ("tags", {"aws:x": "y"}, "is no key that AWS takes"),
        ("tags", {"AWS:x": "y"}, "is no key that AWS takes"),
        ("tags", {"Granary:room": "granary/x"}, "is one of the factory's own"),
        ("tags", {"team": "a", "Team": "b"}, "tags name team more than once"),
        ("tags", {"team": 7}, 'tag team has a value that AWS does not take, {"N": "7"}'),
        ("tags", {"team": "x" * 257}, "at most 256"),
        ("tags", {str(number): "" for number in range(21)}, "use at most 20"),
        ("tags", {f"{number:02}": "x" * 256 for number in range(14)}, "tags have 3,612 characters together"),
    ],
)
def test_a_bad_attribute_is_named_with_its_remedy(attribute: str, value: object, said: str) -> None:
    row = {name: given for name, given in {**ROW, attribute: value}.items() if given is not None}
    parsed = parse_row(row, replace(POLICY, rings=("canary", "early", "general")))
    assert isinstance(parsed, InvalidRow)
    assert said in parsed.reason
    assert len(parsed.reasons) == 1


def test_the_largest_row_fits_into_a_variable_of_a_build() -> None:
    tags = {f"{number:02}": "x" * 173 for number in range(20)}
    row = {**ROW, "id": "a" * 40, "size": "medium", "tags": tags}
    parsed = parse_row(row, POLICY)
    assert isinstance(parsed, DeploymentRecord)
    assert sum(map(len, (*tags, *tags.values()))) == TAGS_CHARACTERS
    assert len(replace(parsed, region="ap-northeast-99").to_json()) <= 4096


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"N": "222222222222"}, '{"N": "222222222222"}'),
    ({"N": "1.50"}, '{"N": "1.50"}'),
    ({"N": "1.2345678901234567890123456789012345678E-130"}, '{"N": "1.2345678901234567890123456789012345678E-130"}'),
    ({"B": b"222"}, '{"B": "MjIy"}'),
    ({"BOOL": False}, '{"BOOL": false}'),
    ({"SS": ["b", "c", "a"]}, '{"SS": ["a", "b", "c"]}'),
    ({"NS": ["7", "5"]}, '{"NS": ["5", "7"]}'),
    ({"BS": [b"b", b"a"]}, '{"BS": ["YQ==", "Yg=="]}'),
    ({"L": [{"S": "x"}, {"B": b"x"}]}, '{"L": [{"S": "x"}, {"B": "eA=="}]}'),
    ({"M": {"a": {"NULL": True}}}, '{"M": {"a": {"NULL": true}}}'),
    ({"L": [{"S": "x" * 400_000}]}, '{"L": [{"S": "' + "x" * 46 + "..."),
]


@pytest.mark.parametrize(("written", "told"), [*WRONG, ({"NULL": True}, '{"NULL": true}')])
@pytest.mark.parametrize("attribute", ["type", "account", "region"])
def test_a_wrong_type_is_told_as_it_was_written(attribute: str, written: dict[str, Any], told: str) -> None:
    row = {**ROW, **read_item({attribute: written})}
    parsed = parse_row(row, POLICY)
    assert isinstance(parsed, InvalidRow)
    assert parsed.reason.startswith(f"{attribute} must be a string, not {told}: write it as ")


@pytest.mark.parametrize(("written", "told"), WRONG)
def test_a_standby_of_a_wrong_type_is_told_as_it_was_written(written: dict[str, Any], told: str) -> None:
    """A standby that is NULL is none."""
    parsed = parse_row({**ROW, **read_item({"standby_region": written})}, POLICY)
    assert isinstance(parsed, InvalidRow)
    assert parsed.reason.startswith(f"standby_region must be a string, not {told}: write it as ")


@pytest.mark.parametrize(("written", "told"), WRONG)
def test_a_wrong_type_deep_in_tags_is_told_as_it_was_written(written: dict[str, Any], told: str) -> None:
    row = {**ROW, **read_item({"tags": {"M": {"team": written, "name": {"S": "a"}}}})}
    parsed = parse_row(row, POLICY)
    assert isinstance(parsed, InvalidRow)
    assert parsed.reasons == (
        f"tag team has a value that AWS does not take, {told}: use a string of at most 256 such letters",
    )


@given(st.dictionaries(st.text(min_size=1, max_size=9).filter(lambda name: name not in ATTRIBUTES), dynamo_values))
def test_attributes_that_are_not_ours_may_hold_anything(others: dict[str, Any]) -> None:
    assert parse_row({**read_item(others), **ROW}, POLICY) == DeploymentRecord(**ROW)


@given(st.sampled_from(ATTRIBUTES), dynamo_values)
def test_a_reason_is_short_printable_and_always_the_same(attribute: str, value: dict[str, Any]) -> None:
    """Given sets that are read in another order, as each process does, then nothing else is said of them."""
    parsed = [parse_row({**ROW, **read_item({attribute: one})}, POLICY) for one in (value, turned(value))]
    assert parsed[0] == parsed[1]
    if isinstance(parsed[0], InvalidRow):
        assert all(reason.isprintable() and len(reason) < 400 for reason in parsed[0].reasons)


def turned(value: dict[str, Any]) -> dict[str, Any]:
    """The same value of DynamoDB's, with every set in another order."""
    ((kind, content),) = value.items()
    if kind in ("SS", "NS", "BS"):
        return {kind: [*reversed(content)]}
    if kind == "M":
        return {kind: {name: turned(one) for name, one in content.items()}}
    return {kind: [turned(one) for one in content]} if kind == "L" else value


def test_optional_fields_are_read() -> None:
    row = {
        **ROW,
        "size": "large",
        "tags": {"team": "a", "cost-center": "1234"},
        "ring": "canary",
        "state": "suspended",
        "allow_move": True,
    }
    assert parse_row(row, POLICY) == DeploymentRecord(
        **ROW,
        size="large",
        tags=(("cost-center", "1234"), ("team", "a")),
        ring="canary",
        state="suspended",
        allow_move=True,
    )


@pytest.mark.parametrize("name", ["size", "tags", "ring", "state", "allow_move"])
def test_an_optional_field_that_is_null_is_one_that_is_missing(name: str) -> None:
    assert parse_row({**ROW, name: None}, POLICY) == DeploymentRecord(**ROW)


def test_the_digest_is_of_what_is_deployed() -> None:
    """Given a field that decides nothing of what is deployed, then nothing is deployed anew for it."""
    record = DeploymentRecord(**ROW)
    same = replace(record, ring="canary", state="suspended", allow_move=True, size="small", tags=())
    assert same.digest() == record.digest()
    assert replace(record, size="large").digest() != record.digest()
    assert replace(record, tags=(("team", "a"),)).digest() != record.digest()


def test_rows_without_optional_fields_keep_the_digest_that_they_have() -> None:
    """A new optional field must not have the whole fleet provisioned again."""
    assert DeploymentRecord(**ROW).digest() == "cdc773ebed8a697c978cbfdfd176bd50"


@given(records)
def test_a_record_survives_its_journey(record: DeploymentRecord) -> None:
    tagged = replace(record, tags=(("a", "b"),), size="large", state="retired")
    assert DeploymentRecord.from_json(record.to_json()) == record
    assert DeploymentRecord.from_json(tagged.to_json()) == tagged


def test_every_reason_is_given_at_once() -> None:
    parsed = parse_row({}, POLICY)
    assert isinstance(parsed, InvalidRow)
    assert len(parsed.reasons) == 4
    assert parsed.id == ""


@pytest.mark.parametrize(
    ("state", "asked"),
    [
        ("retired", "retired"),
        ("suspended", "suspended"),
        ("active", "active"),
        ("gone", ""),
        (7, ""),
        (["retired"], ""),
    ],
)
def test_a_row_that_cannot_be_acted_on_tells_its_state_all_the_same(state: object, asked: str) -> None:
    """Given an account that has left the configuration, then what the row asks for is still known."""
    parsed = parse_row({**ROW, "account": "444444444444", "state": state}, POLICY)
    assert isinstance(parsed, InvalidRow)
    assert parsed.state == asked


def test_a_row_that_cannot_be_acted_on_and_names_no_state_asks_for_nothing() -> None:
    parsed = parse_row({}, POLICY)
    assert isinstance(parsed, InvalidRow)
    assert parsed.state == ""


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


@pytest.mark.parametrize(
    ("standby", "told"),
    [
        ("eu-west-1", 'standby_region "eu-west-1" is the region itself, where the primary stands: use another Region'),
        ("", 'standby_region "" is not the id of an AWS Region: use one like us-east-1'),
        ("eu-west-9", "standby_region eu-west-9 is no workload Region: use one of eu-west-1, us-east-1, or add it"),
        (
            "cn-north-1",
            "standby_region cn-north-1 is in partition aws-cn, this toolchain is in aws: use a Region of aws",
        ),
    ],
)
def test_a_standby_stands_in_another_workload_region_of_the_partition(standby: str, told: str) -> None:
    parsed = parse_row({**ROW, "standby_region": standby}, POLICY)
    assert isinstance(parsed, InvalidRow)
    assert parsed.reason.startswith(told)


def test_what_is_wrong_with_either_place_is_told_at_once() -> None:
    parsed = parse_row({**ROW, "region": "mars", "standby_region": "venus"}, POLICY)
    assert isinstance(parsed, InvalidRow)
    assert [reason.split()[0] for reason in parsed.reasons] == ["region", "standby_region"]


def test_a_record_with_a_standby_has_two_places_and_another_digest() -> None:
    plain, both = parse_row(ROW, POLICY), parse_row({**ROW, "standby_region": "us-east-1"}, POLICY)
    assert isinstance(plain, DeploymentRecord)
    assert isinstance(both, DeploymentRecord)
    assert plain.places == (("222222222222", "eu-west-1"),)
    assert both.places == (*plain.places, ("222222222222", "us-east-1"))
    assert both.digest() != plain.digest()
