"""What a permission is on, in one form: Lake Formation's requests say the same in several.

https://docs.aws.amazon.com/lake-formation/latest/APIReference/API_Resource.html
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ministack.core.responses import get_account_id

from local_cloud.glue import catalog
from local_cloud.lakeformation import state
from local_cloud.server.json_api import ServiceError

ALL, ALL_TABLES, EVERY = "ALL", "ALL_TABLES", "*"
_ON_DATABASES = frozenset({ALL, "ALTER", "CREATE_TABLE", "DESCRIBE", "DROP"})
_ON_TABLES = frozenset({ALL, "ALTER", "DELETE", "DESCRIBE", "DROP", "INSERT", "SELECT"})
_PERMISSIONS = {
    "Catalog": frozenset({"CREATE_DATABASE", "CREATE_LF_TAG"}),
    "Database": _ON_DATABASES,
    "Table": _ON_TABLES,
    "TableWithColumns": frozenset({"SELECT"}),
    "DataCellsFilter": frozenset({"SELECT"}),
    "DataLocation": frozenset({"DATA_LOCATION_ACCESS"}),
    "LFTag": frozenset({"ALTER", "ASSOCIATE", "DESCRIBE", "DROP"}),
}


@dataclass(frozen=True, kw_only=True, order=True)
class Thing:
    """A resource. `kind` is its member of the API's Resource; a column that is included is a thing of its own.

    `name` is a column, a filter, an ARN, a tag's key, or what a policy is about; `rest` are columns that are excluded,
    a tag's values, or the pairs of an expression.
    """

    kind: str
    database: str = ""
    table: str = ""
    name: str = ""
    rest: tuple[Any, ...] = ()

    @property
    def permissions(self) -> frozenset[str]:
        """Those that there are on it."""
        if self.kind == "LFTagPolicy":
            return _ON_DATABASES if self.name == "DATABASE" else _ON_TABLES
        return _PERMISSIONS[self.kind]


def parsed(resource: Mapping[str, Any]) -> tuple[Thing, ...]:
    """The things that a request means: several when it includes several columns."""
    if len(resource) != 1:
        raise ServiceError("InvalidInputException", "Resource must have exactly one member")
    ((kind, one),) = resource.items()
    given = {one[key] for key in ("CatalogId", "TableCatalogId", "Id") if key in one}
    if given - {get_account_id()}:
        raise ServiceError("InvalidInputException", "The local cloud's catalogs are each account's own")
    if kind == "LFTagExpression" or "ExpressionName" in one:
        raise ServiceError("InvalidInputException", "The local cloud has no named LF-tag expressions")
    if kind == "TableWithColumns":
        return _columns(one)
    return (_THINGS[kind](one),)


def _columns(one: Mapping[str, Any]) -> tuple[Thing, ...]:
    place = {"database": one["DatabaseName"], "table": EVERY if one["Name"] == ALL_TABLES else one["Name"]}
    if named := one.get("ColumnNames"):
        return tuple(Thing(kind="TableWithColumns", **place, name=name) for name in sorted(set(named)))
    if "ColumnWildcard" not in one:
        raise ServiceError("InvalidInputException", "ColumnNames or ColumnWildcard is needed")
    if out := one["ColumnWildcard"].get("ExcludedColumnNames"):
        return (Thing(kind="TableWithColumns", **place, rest=tuple(sorted(set(out)))),)
    return (Thing(kind="Table", **place),)


def _table(one: Mapping[str, Any]) -> Thing:
    name = one.get("Name", ALL_TABLES)
    every = "TableWildcard" in one or name == ALL_TABLES
    return Thing(kind="Table", database=one["DatabaseName"], table=EVERY if every else name)


def _tag(one: Mapping[str, Any]) -> Thing:
    values = tuple(sorted(value.lower() for value in one["TagValues"]))
    return Thing(kind="LFTag", name=one["TagKey"].lower(), rest=values)


def _policy(one: Mapping[str, Any]) -> Thing:
    if "Expression" not in one:
        raise ServiceError("InvalidInputException", "Expression is needed")
    return Thing(kind="LFTagPolicy", name=one["ResourceType"], rest=expression(one["Expression"]))


_THINGS = {
    "Catalog": lambda _one: Thing(kind="Catalog"),
    "Database": lambda one: Thing(kind="Database", database=one["Name"]),
    "Table": _table,
    "DataCellsFilter": lambda one: Thing(
        kind="DataCellsFilter", database=one["DatabaseName"], table=one["TableName"], name=one["Name"]
    ),
    "DataLocation": lambda one: Thing(kind="DataLocation", name=one["ResourceArn"]),
    "LFTag": _tag,
    "LFTagPolicy": _policy,
}


def expression(tags: Any) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """The values by key, of which a resource has to have one of each."""
    pairs = ((tag["TagKey"].lower(), tuple(sorted(value.lower() for value in tag["TagValues"]))) for tag in tags)
    return tuple(sorted(pairs))


def columns_of(table: Mapping[str, Any]) -> tuple[str, ...]:
    """All columns of a table, those of its partitions too."""
    columns = (*table.get("StorageDescriptor", {}).get("Columns", ()), *table.get("PartitionKeys", ()))
    return tuple(column["Name"] for column in columns)


def missing(thing: Thing) -> ServiceError | None:
    """The refusal of a thing that is not there; None when it is."""
    try:
        _find(thing)
    except ServiceError as error:
        return error
    return None


def _find(thing: Thing) -> None:
    if thing.database and not any(one["Name"] == thing.database for one in catalog.databases()):
        raise ServiceError("EntityNotFoundException", f"Database not found: {thing.database}")
    if thing.kind in ("LFTag", "LFTagPolicy"):
        for key, values in thing.rest if thing.kind == "LFTagPolicy" else ((thing.name, thing.rest),):
            known = state.tag_values(key)
            if absent := set(values) - {*known, *(("*",) if thing.kind == "LFTag" else ())}:
                raise ServiceError("InvalidInputException", f"Tag values {sorted(absent)} do not exist for {key}")
    if not thing.table or thing.table == EVERY:
        return
    known_columns = columns_of(catalog.table(thing.database, thing.table))
    named = (thing.name, *thing.rest) if thing.kind == "TableWithColumns" else ()
    if lost := {name for name in named if name} - set(known_columns):
        raise ServiceError("EntityNotFoundException", f"Columns {sorted(lost)} not found in {thing.table}.")
    if thing.kind == "DataCellsFilter" and (thing.database, thing.table, thing.name) not in state.filters:
        raise ServiceError("EntityNotFoundException", f"Data cells filter {thing.name} not found.")


def written(thing: Thing, names: list[str]) -> dict[str, Any]:
    """The API's resource, of a table's included columns all `names`."""
    account = get_account_id()
    if thing.kind in ("Table", "TableWithColumns"):
        return _written_table(thing, names, {"CatalogId": account, "DatabaseName": thing.database})
    tags = [{"TagKey": pair[0], "TagValues": list(pair[1])} for pair in thing.rest if thing.kind == "LFTagPolicy"]
    members = {
        "Catalog": {"Id": account},
        "Database": {"CatalogId": account, "Name": thing.database},
        "DataCellsFilter": {
            **{"TableCatalogId": account, "DatabaseName": thing.database, "TableName": thing.table},
            "Name": thing.name,
        },
        "DataLocation": {"CatalogId": account, "ResourceArn": thing.name},
        "LFTag": {"CatalogId": account, "TagKey": thing.name, "TagValues": list(thing.rest)},
        "LFTagPolicy": {"CatalogId": account, "ResourceType": thing.name, "Expression": tags},
    }
    return {thing.kind: members[thing.kind]}


def _written_table(thing: Thing, names: list[str], place: dict[str, Any]) -> dict[str, Any]:
    if thing.kind == "Table":
        every = thing.table == EVERY
        wildcard: dict[str, Any] = {"TableWildcard": {}} if every else {}
        return {"Table": {**place, "Name": ALL_TABLES if every else thing.table, **wildcard}}
    place["Name"] = ALL_TABLES if thing.table == EVERY else thing.table
    if thing.rest or not names:
        out = {"ExcludedColumnNames": list(thing.rest)} if thing.rest else {}
        return {"TableWithColumns": {**place, "ColumnWildcard": out}}
    return {"TableWithColumns": {**place, "ColumnNames": names}}
