"""What Lake Formation says in several ways is one grant."""

from __future__ import annotations

from typing import Any

import pytest

from lambdas.lake.model.governance.grants import Grant, Kind, canonical, closed, entries, identity, least, merged, minus
from lambdas.lake.model.governance.policy import EVERYBODY

_ARN = "arn:aws:iam::222222222222:role/teams/Analyst"
_CATALOG = "222222222222"
_TABLE = {"CatalogId": _CATALOG, "DatabaseName": "d", "Name": "t"}
_WHOLE = {**_TABLE, "ColumnWildcard": {}}


def _listed(resource: dict[str, Any], *words: str, option: tuple[str, ...] = (), who: str = _ARN) -> dict[str, Any]:
    return {
        "Principal": {"DataLakePrincipalIdentifier": who},
        "Resource": resource,
        "Permissions": list(words),
        "PermissionsWithGrantOption": list(option),
    }


def _table(word: str, **more: Any) -> Grant:
    return Grant(**{"principal": _ARN, "kind": Kind.TABLE, "permission": word, "database": "d", "table": "t", **more})


def _read(*listed: dict[str, Any]) -> frozenset[Grant]:
    return canonical(listed, catalog=_CATALOG, spelling={identity(_ARN): _ARN})


def test_select_on_a_table_is_select_on_all_of_its_columns() -> None:
    assert _read(_listed({"Table": _TABLE}, "SELECT")) == _read(_listed({"TableWithColumns": _WHOLE}, "SELECT"))
    assert _read(_listed({"TableWithColumns": _WHOLE}, "SELECT")) == {_table("SELECT")}


def test_all_is_what_it_stands_for() -> None:
    words = ("ALTER", "DELETE", "DESCRIBE", "DROP", "INSERT")
    split = _read(_listed({"Table": _TABLE}, "ALL", *words), _listed({"TableWithColumns": _WHOLE}, "SELECT"))
    assert _read(_listed({"Table": _TABLE}, "ALL")) == split == {_table(word) for word in (*words, "SELECT")}
    database = _read(_listed({"Database": {"Name": "d"}}, "ALL"))
    assert {it.permission for it in database} == {"ALTER", "CREATE_TABLE", "DESCRIBE", "DROP"}


@pytest.mark.parametrize("name", [{}, {"Name": "ALL_TABLES"}])
def test_a_wildcard_is_the_table_of_that_name(name: dict[str, str]) -> None:
    place = {"DatabaseName": "d", **name}
    (grant,) = _read(_listed({"Table": {**place, "TableWildcard": {}}}, "DROP"))
    assert grant == _table("DROP", table="*")
    (grant,) = _read(
        _listed({"TableWithColumns": {"DatabaseName": "d", "Name": "ALL_TABLES", "ColumnWildcard": {}}}, "SELECT")
    )
    assert grant == _table("SELECT", table="*")


@pytest.mark.parametrize("catalog", [f"{_CATALOG}:s3tablescatalog/lake", "333333333333"])
def test_what_is_granted_in_another_catalog_is_not_of_this_one(catalog: str) -> None:
    there = {**_TABLE, "CatalogId": catalog}
    cells = {"TableCatalogId": catalog, "DatabaseName": "d", "TableName": "t", "Name": "f"}
    tags = {"CatalogId": catalog, "ResourceType": "TABLE", "Expression": [{"TagKey": "k", "TagValues": ["v"]}]}
    resources = ({"Table": there}, {"TableWithColumns": {**there, "ColumnWildcard": {}}}, {"DataCellsFilter": cells})
    assert not _read(*(_listed(it, "SELECT") for it in (*resources, {"LFTagPolicy": tags})))


def test_columns_that_are_listed_apart_are_one_grant_and_subtracted_one_by_one() -> None:
    columns = [{"TableWithColumns": {**_TABLE, "ColumnNames": [it]}} for it in ("b", "a")]
    there = _read(*(_listed(it, "SELECT") for it in columns))
    assert there == {_table("SELECT", included=("a", "b"))}
    assert minus({_table("SELECT", included=("b", "c"))}, there) == {_table("SELECT", included=("c",))}
    assert not minus(there, {_table("SELECT", included=("a", "b", "c"))})
    assert minus({_table("SELECT")}, there) == {_table("SELECT")}


@pytest.mark.parametrize("who", [_ARN, _ARN.lower(), "arn:aws:iam::222222222222:role/analyst"])
def test_an_arn_is_the_same_in_any_case_and_with_any_path(who: str) -> None:
    assert _read(_listed({"Table": _TABLE}, "DROP", who=who)) == {_table("DROP")}


@pytest.mark.parametrize(
    "who", ["arn:aws:iam::222222222222:user/analyst", "arn:aws:iam::333333333333:role/analyst", EVERYBODY]
)
def test_an_arn_of_another_is_another(who: str) -> None:
    assert _read(_listed({"Table": _TABLE}, "DROP", who=who)) == {_table("DROP", principal=who)}


def test_what_the_file_does_not_speak_of_is_left_out() -> None:
    assert not _read(_listed({"DataLocation": {"ResourceArn": "arn:aws:s3:::b"}}, "DATA_LOCATION_ACCESS"))
    assert not _read(_listed({"LFTag": {"TagKey": "k", "TagValues": ["v"]}}, "DESCRIBE"))


def test_what_is_implied_is_not_granted_again() -> None:
    select, describe = _table("SELECT", included=("a",)), _table("DESCRIBE")
    option = _table("SELECT", included=("a",), grantable=True)
    assert closed({option}) == {option, select, describe}
    assert least({option, select, describe}) == {option}


def test_an_option_alone_is_revoked_alone() -> None:
    option = _table("ALTER", grantable=True)
    ((entry, _),) = entries([option], catalog="2", revoke=True)
    assert (entry["Permissions"], entry["PermissionsWithGrantOption"]) == ([], ["ALTER"])
    ((entry, _),) = entries([option], catalog="2")
    assert (entry["Permissions"], entry["PermissionsWithGrantOption"]) == (["ALTER"], ["ALTER"])


def test_everybody_loses_all_at_once() -> None:
    grants = _read(_listed({"Table": _TABLE}, "ALL", who=EVERYBODY))
    ((entry, its),) = entries(grants, catalog="2", revoke=True)
    assert entry["Permissions"] == ["ALL"]
    assert len(its) == 6


@pytest.mark.parametrize(
    "grant",
    [
        _table("SELECT", included=("a", "b")),
        _table("SELECT", excluded=("a",)),
        _table("SELECT", table="*"),
        _table("SELECT", kind=Kind.FILTER, filter="granary-1"),
        Grant(principal=_ARN, kind=Kind.DATABASE, permission="DROP", database="d"),
        Grant(principal=_ARN, kind=Kind.TAGS, permission="SELECT", expression=(("a", ("x", "y")), ("b", ("z",)))),
        Grant(principal=_ARN, kind=Kind.TAGS, permission="SELECT", expression=(("", ("named",)),)),
        Grant(principal=_ARN, kind=Kind.TAGS_DATABASE, permission="DESCRIBE", expression=(("a", ("x",)),)),
    ],
)
def test_what_is_written_is_read_as_the_same(grant: Grant) -> None:
    ((entry, _),) = entries([grant], catalog="222222222222")
    assert canonical([entry], catalog=_CATALOG, spelling={}) == merged([grant])
    assert Grant.from_json(grant.to_json()) == grant
