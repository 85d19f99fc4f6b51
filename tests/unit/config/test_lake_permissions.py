"""config/lake-permissions.yaml."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from config.loader import CONFIG_DIR, load
from config.models.lake_permissions import LakePermissions
from lambdas.lake.model.governance.policy import Policy, Rule
from tests.unit.config.files import ABSENT, changed, errors_of, write

_ACCOUNT = "222222222222"
_RECORD = {
    "name": "lost-property",
    "classes": ["contact"],
    "purpose": "Give things back",
    "legal_basis": "contract",
    "recipients": ["Customer service"],
    "third_country_transfer": "none",
    "retention": "90 days",
    "owner": "privacy@example.com",
    "valid_until": "2027-12-31",
}
_FILE: dict[str, Any] = {
    "classes": [{"name": "contact", "columns": ["*.*.email"]}],
    "records": [_RECORD],
    "personas": [
        {
            "name": "analyst",
            "principals": {_ACCOUNT: ["role/teams/Analyst"]},
            "rules": [
                {"databases": ["sales_*"], "tables": ["*"], "permissions": ["SELECT"], "record": "lost-property"}
            ],
        }
    ],
}


def _write(directory: Path, content: Any) -> Path:
    write(directory)
    (directory / "lake-permissions.yaml").write_text(yaml.safe_dump(content), encoding="utf-8")
    return directory


def _with_rule(**rule: Any) -> dict[str, Any]:
    return changed(
        _FILE, "personas", [{**_FILE["personas"][0], "rules": [{**_FILE["personas"][0]["rules"][0], **rule}]}]
    )


def _with_record(**record: Any) -> dict[str, Any]:
    return changed(_FILE, "records", [{key: it for key, it in {**_RECORD, **record}.items() if it is not ABSENT}])


def _policy(directory: Path) -> Policy:
    file = load(directory).lake_permissions
    assert isinstance(file, LakePermissions)
    return file.policy("granary")


def test_the_file_may_be_absent(tmp_path: Path) -> None:
    assert load(write(tmp_path)).lake_permissions is None


def test_the_lake_knows_the_file_and_without_a_lake_it_has_no_effect(tmp_path: Path) -> None:
    example = load(CONFIG_DIR / "examples" / "all")
    lake: Any = example.rooms["lake"]
    assert lake.permissions == example.lake_permissions
    assert lake.permissions.personas
    assert not any("lake-permissions" in line for line in example.without_effect())
    told = load(_write(tmp_path, _FILE)).without_effect()
    assert "lake-permissions.yaml: there is no lake.yaml: add it, or remove the file" in told


def test_the_file_is_read_as_rules(tmp_path: Path) -> None:
    policy = _policy(_write(tmp_path, _FILE))
    (persona,) = policy.personas
    assert persona.principals == {_ACCOUNT: ("role/teams/Analyst",)}
    assert persona.rules == (
        Rule(databases=("sales_*",), tables=("*",), permissions=("SELECT",), record="lost-property"),
    )
    assert policy.record["lost-property"].valid_until == "2027-12-31"
    assert Policy.from_json(policy.to_json()) == policy


def test_rows_are_one_condition_in_which_no_value_is_code(tmp_path: Path) -> None:
    rows = [{"column": "country", "is_in": ["DE", "it's"]}, {"column": "vendor", "not_in": [1, 2]}]
    file = _policy(_write(tmp_path, _with_rule(rows=rows)))
    assert file.personas[0].rules[0].rows == "country IN ('DE', 'it''s') AND vendor NOT IN (1, 2)"


def test_principals_of_an_account_without_a_lake_are_told() -> None:
    example = load(CONFIG_DIR / "examples" / "all")
    persona = {**_FILE["personas"][0], "principals": {"999999999999": ["role/a"]}}
    other = LakePermissions.model_validate(changed(_FILE, "personas", [persona]))
    told = example.model_copy(update={"lake_permissions": other}).without_effect()
    assert "lake-permissions.yaml: principals of 999999999999: no lake is in that account" in told


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (_with_rule(record="lost"), "personas: analyst: rule 1: there is no record lost: write it"),
        (_with_rule(permissions=["SELECT", "CREATE_TABLE"]), "CREATE_TABLE is none on tables: use ALL, ALTER, DELETE"),
        (_with_rule(tables=[]), "SELECT is none on databases, which a rule without `tables` is about: use ALL, ALTER"),
        (_with_rule(permissions=["READ"]), "personas.0.rules.0.permissions.0"),
        (_with_rule(permissions=["ALL"], columns={"exclude": ["a"]}), "give other permissions a rule of their own"),
        (_with_rule(tables=["Trips"]), "personas.0.rules.0.tables.0"),
        (_with_rule(rows=[{"column": "a", "is_in": ["b"], "not_in": ["c"]}]), "either is_in or not_in"),
        (_with_rule(rows=[{"column": "a OR 1=1", "is_in": ["b"]}]), "personas.0.rules.0.rows.0.column"),
        (_with_rule(column=["a"]), "unknown key"),
        (
            _with_record(classes=["contact", "health"]),
            "records: lost-property: there is no class health: add it to classes",
        ),
        (_with_record(legal_basis="because"), "records.0.legal_basis"),
        (_with_record(valid_until="some day"), "records.0.valid_until"),
        (changed(_FILE, "records", [_RECORD, _RECORD]), "records: lost-property is given twice: let them differ"),
        (changed(_FILE, "classes", [{"name": "contact", "columns": ["email"]}]), "classes.0.columns.0"),
        (changed(_FILE, "classes", [{"name": "Contact+", "columns": ["*.*.email"]}]), "classes.0.name"),
        (
            changed(_FILE, "classes", [{"name": "Home-Address", "columns": ["*.*.street"]}]),
            "classes.0.name: 'Home-Address' is no class: up to 30 small letters, digits and _, a letter first: "
            "write home_address",
        ),
        (changed(_FILE, "classes", [{"name": "none", "columns": ["*.*.email"]}]), "use another name"),
        (_with_record(classes=["home-address"]), "records.0.classes.0: 'home-address' is no class"),
        (changed(_FILE, "ignored", ["role/a"]), "ignored: must be keys with values, not ['role/a']"),
        (changed(_FILE, "approval", {"shrinkage_percent": 101}), "approval.shrinkage_percent"),
    ],
)
def test_a_wrong_file_is_told(tmp_path: Path, content: Any, told: str) -> None:
    lines = errors_of(_write(tmp_path, content))
    assert lines[0].startswith("lake-permissions.yaml: ")
    assert told in lines[0]


@pytest.mark.parametrize(
    "principal", ["arn:aws:iam::222222222222:role/a", "a", "role/a/", "role/a b", "group/a", "role/*"]
)
def test_principals_are_roles_and_users_without_account_and_partition(tmp_path: Path, principal: str) -> None:
    persona = {**_FILE["personas"][0], "principals": {_ACCOUNT: [principal]}}
    (line,) = errors_of(_write(tmp_path, changed(_FILE, "personas", [persona])))
    assert f"personas.0.principals.{_ACCOUNT}.0" in line


@pytest.mark.parametrize("key", [it for it in _RECORD if it != "name"])
def test_a_record_leaves_nothing_out(tmp_path: Path, key: str) -> None:
    (line,) = errors_of(_write(tmp_path, _with_record(**{key: ABSENT})))
    assert line == f"lake-permissions.yaml: records.0.{key}: is missing"


def test_all_errors_are_told_at_once(tmp_path: Path) -> None:
    content = changed(_with_rule(record="lost"), "records", [{**_RECORD, "classes": ["health"]}, _RECORD])
    lines = errors_of(_write(tmp_path, content))
    assert all(line.startswith("lake-permissions.yaml: ") for line in lines)
    for told in ("given twice", "no class health", "no record lost"):
        assert len([line for line in lines if told in line]) == 1


def test_who_reads_tables_in_an_account_queries_with_a_limit(tmp_path: Path) -> None:
    told = {"name": "operator", "scan_gigabytes": 5, "principals": {_ACCOUNT: ["role/operator"]}}
    only_databases = {"databases": ["a"], "permissions": ["ALL"]}
    operator = {**told, "rules": [only_databases, {**only_databases, "tables": ["*"]}]}
    keeper = {**told, "name": "keeper", "rules": [only_databases]}
    file = load(_write(tmp_path, changed(_FILE, "personas", [*_FILE["personas"], operator, keeper]))).lake_permissions
    assert isinstance(file, LakePermissions)
    assert file.querying(_ACCOUNT) == {"analyst": 100, "operator": 5}
    assert file.querying("333333333333") == {}


def test_the_example_has_every_persona_of_the_post(tmp_path: Path) -> None:
    example = (CONFIG_DIR / "examples" / "all" / "lake-permissions.yaml").read_text(encoding="utf-8")
    (write(tmp_path) / "lake-permissions.yaml").write_text(example, encoding="utf-8")
    policy = _policy(tmp_path)
    of_the_post = {"administrator", "analyst", "data_domain_engineer", "technical_user"}
    assert {it.name for it in policy.personas} == of_the_post | {"jobs"}
