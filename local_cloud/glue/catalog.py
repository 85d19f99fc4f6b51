"""The Data Catalog, on ministack's stores: pages, versions of tables, and partitions that are created once.

In this process, `databases`, `tables`, `table` and `partitions` tell what is in the catalog of the caller's account and
Region: https://docs.aws.amazon.com/glue/latest/dg/aws-glue-api-catalog.html
"""

from __future__ import annotations

import copy
import json
import re
import sqlite3
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from http import HTTPStatus
from typing import Any

from ministack.core.responses import AccountRegionScopedDict, get_account_id
from ministack.services import glue

from local_cloud.glue.paging import page
from local_cloud.server.json_api import Operation, ServiceError
from local_cloud.server.responses import Response

Request = Mapping[str, Any]
Record = dict[str, Any]
_MOST, _MOST_PARTITIONS = 100, 1000
# What an update of a table that does not give it takes away.
_ABSENT: Record = {"Description": "", "Owner": "", "StorageDescriptor": {}, "PartitionKeys": [], "Parameters": {}}
# Of a database that says nothing, as in AWS: IAM alone decides on its tables.
_FOR_EVERYBODY = [{"Principal": {"DataLakePrincipalIdentifier": "IAM_ALLOWED_PRINCIPALS"}, "Permissions": ["ALL"]}]
_NUMBERS = ("bigint", "decimal", "double", "float", "int", "long", "smallint", "tinyint")
_lock = threading.RLock()
# The versions of a table before its present one.
_archive: Any = AccountRegionScopedDict()


def databases() -> list[Record]:
    """All databases."""
    with _lock:
        return list(glue._databases.values())


def tables(database: str) -> list[Record]:
    """The tables of a database."""
    with _lock:
        return [one for one in glue._tables.values() if one["DatabaseName"] == database]


def table(database: str, name: str) -> Record:
    """A table; its columns are in StorageDescriptor, those of partitions in PartitionKeys.

    Raises:
        ServiceError: there is no such table.
    """
    found: Record | None = glue._tables.get(f"{database}/{name}")
    if found is None:
        raise ServiceError("EntityNotFoundException", f"Table {name} not found in {database}.")
    return found


def partitions(database: str, name: str) -> list[Record]:
    """The partitions of a table; raises ServiceError when there is no such table."""
    with _lock:
        table(database, name)
        return list(glue._partitions.get(f"{database}/{name}", ()))


def _put_database(operation: str) -> Operation:
    """ministack's operation, and what Lake Formation wants to know of a new table in the database."""

    def call(request: Request) -> dict[str, Any]:
        answer, given = _replaced[operation](request), request["DatabaseInput"]
        permissions = given.get("CreateTableDefaultPermissions", _FOR_EVERYBODY)
        glue._databases[request.get("Name", given["Name"])]["CreateTableDefaultPermissions"] = permissions
        return answer

    return call


def _get_databases(request: Request) -> dict[str, Any]:
    return page(databases(), request, under="DatabaseList", key=lambda one: [one["Name"]], most=_MOST)


def _get_tables(request: Request) -> dict[str, Any]:
    """`Expression` is a regular expression, in which a lone `*` stands for anything."""
    database = request["DatabaseName"]
    if database not in glue._databases:
        raise ServiceError("EntityNotFoundException", f"Database {database} not found.")
    wanted = re.compile(re.sub(r"(?<![.\])])\*", ".*", request.get("Expression", "*")))
    found = [one for one in tables(database) if wanted.fullmatch(one["Name"])]
    return page(found, request, under="TableList", key=lambda one: [one["Name"]], most=_MOST)


def _update_table(request: Request) -> dict[str, Any]:
    """The new definition replaces all of the old one, which becomes a version."""
    name = request["TableInput"]["Name"]
    before = copy.deepcopy(table(request["DatabaseName"], name))
    _replaced["UpdateTable"]({**request, "TableInput": {**_ABSENT, **request["TableInput"]}})
    if not request.get("SkipArchive"):
        _archive.setdefault(f"{request['DatabaseName']}/{name}", []).append(before)
    return {}


def _get_versions(request: Request) -> dict[str, Any]:
    """The latest first."""
    present = table(request["DatabaseName"], request["TableName"])
    known = [*_archive.get(f"{request['DatabaseName']}/{request['TableName']}", ()), present]
    found = [{"Table": one, "VersionId": one["VersionId"]} for one in known]
    return page(found, request, under="TableVersions", key=lambda one: [-int(one["VersionId"])], most=_MOST)


def _get_partitions(request: Request) -> dict[str, Any]:
    database, name, expression = request["DatabaseName"], request["TableName"], request.get("Expression")
    if "Segment" in request:
        raise ServiceError("InvalidInputException", "The local cloud's catalog has no segments")
    found = partitions(database, name)
    if expression:
        found = _matching(found, table(database, name)["PartitionKeys"], expression)
    return page(found, request, under="Partitions", key=lambda one: one["Values"], most=_MOST_PARTITIONS)


def _matching(known: list[Record], keys: list[Mapping[str, str]], expression: str) -> list[Record]:
    """The partitions of which a predicate is true; SQLite has all of Glue's operators."""
    kinds = ["numeric" if key.get("Type", "").startswith(_NUMBERS) else "text" for key in keys]
    columns = "".join(f', "{key["Name"]}" {kind}' for key, kind in zip(keys, kinds, strict=True))
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute("PRAGMA case_sensitive_like = ON")
        connection.execute(f"CREATE TABLE partitions (place{columns})")
        rows = [(place, *one["Values"]) for place, one in enumerate(known)]
        connection.executemany(f"INSERT INTO partitions VALUES (?{', ?' * len(keys)})", rows)  # noqa: S608
        try:
            found = connection.execute(f"SELECT place FROM partitions WHERE {expression}").fetchall()  # noqa: S608
        except (sqlite3.Error, sqlite3.Warning) as error:
            raise ServiceError("InvalidInputException", f"Expression {expression}: {error}") from error
    return [known[place] for (place,) in found]


def _create_connection(request: Request) -> dict[str, Any]:
    """Connections are kept, and nothing uses them: a run is in no network."""
    given = request["ConnectionInput"]
    if given["ConnectionType"] != "NETWORK":
        raise ServiceError("InvalidInputException", "The local cloud keeps connections of type NETWORK alone")
    if given["Name"] in glue._connections:
        raise ServiceError("AlreadyExistsException", f"Connection {given['Name']} already exists.")
    return _replaced["CreateConnection"](request)


def _of(request: Request, values: list[str]) -> Record:
    for one in partitions(request["DatabaseName"], request["TableName"]):
        if one["Values"] == values:
            return one
    raise ServiceError("EntityNotFoundException", f"Partition {values} not found.")


def _put_partition(request: Request, given: Request, before: Record | None) -> None:
    """Keep a partition in place of another one, or of none."""
    of = table(request["DatabaseName"], request["TableName"])
    values = given.get("Values", [])
    if len(values) != len(of["PartitionKeys"]):
        raise ServiceError(
            "InvalidInputException", "The number of partition keys do not match the number of partition values"
        )
    known = [one for one in partitions(of["DatabaseName"], of["Name"]) if one is not before]
    if any(one["Values"] == values for one in known):
        raise ServiceError("AlreadyExistsException", "Partition already exists.")
    place = {"DatabaseName": of["DatabaseName"], "TableName": of["Name"], "CatalogId": get_account_id()}
    created = before["CreationTime"] if before else time.time()
    glue._partitions[f"{of['DatabaseName']}/{of['Name']}"] = [*known, {**given, **place, "CreationTime": created}]


def _create_partition(request: Request) -> dict[str, Any]:
    _put_partition(request, request["PartitionInput"], None)
    return {}


def _update_partition(request: Request) -> dict[str, Any]:
    values, given = request["PartitionValueList"], request["PartitionInput"]
    if given.get("Values", values) != values:
        raise ServiceError("InvalidInputException", "The values of a partition cannot be changed")
    _put_partition(request, {**given, "Values": values}, _of(request, values))
    return {}


def _delete_partition(request: Request) -> dict[str, Any]:
    gone = _of(request, request["PartitionValues"])
    known = partitions(request["DatabaseName"], request["TableName"])
    glue._partitions[f"{request['DatabaseName']}/{request['TableName']}"] = [one for one in known if one is not gone]
    return {}


def _as_in_ministack(operation: str) -> Operation:
    function: Callable[[Record], Response] = getattr(glue, function_of(operation))

    def call(request: Request) -> dict[str, Any]:
        status, _, body = function(dict(request))
        answer: dict[str, Any] = json.loads(body or b"{}")
        if status != HTTPStatus.OK:
            raise ServiceError(answer["__type"], answer["message"])
        return answer

    return call


def function_of(operation: str) -> str:
    """The name of ministack's function for an operation."""
    return re.sub("(?=[A-Z])", "_", operation).lower()


def _alone(operation: Operation) -> Operation:
    """One operation at a time; a table that is gone takes its versions along."""

    def call(request: Request) -> dict[str, Any]:
        if request.get("CatalogId", get_account_id()) != get_account_id():
            raise ServiceError("InvalidInputException", "The local cloud's catalogs are each account's own")
        with _lock:
            answer = operation(request)
            for key in [key for key in _archive if key not in glue._tables]:
                _archive.pop(key)
        return answer

    return call


_KEPT = (
    *("DeleteDatabase", "GetDatabase"),
    *("CreateTable", "DeleteTable", "GetTable", "BatchDeleteTable"),
    *("CreateCrawler", "DeleteCrawler", "GetCrawler", "GetCrawlers", "UpdateCrawler"),
    *("DeleteConnection", "GetConnection", "GetConnections"),
    *("CreateSecurityConfiguration", "DeleteSecurityConfiguration", "GetSecurityConfiguration"),
    *("TagResource", "UntagResource", "GetTags"),
)
_replaced = {
    name: _as_in_ministack(name) for name in ("CreateConnection", "CreateDatabase", "UpdateDatabase", "UpdateTable")
}
OPERATIONS: Mapping[str, Operation] = {
    name: _alone(operation)
    for name, operation in {
        **{name: _as_in_ministack(name) for name in _KEPT},
        "CreateConnection": _create_connection,
        "CreateDatabase": _put_database("CreateDatabase"),
        "UpdateDatabase": _put_database("UpdateDatabase"),
        "GetDatabases": _get_databases,
        "GetTables": _get_tables,
        "UpdateTable": _update_table,
        "GetTableVersions": _get_versions,
        "GetPartitions": _get_partitions,
        "GetPartition": lambda request: {"Partition": _of(request, request["PartitionValues"])},
        "CreatePartition": _create_partition,
        "UpdatePartition": _update_partition,
        "DeletePartition": _delete_partition,
    }.items()
}
