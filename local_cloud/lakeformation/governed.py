"""The Data Catalog's operations with Lake Formation before them: what somebody may not see is not shown."""

from __future__ import annotations

import copy
import time
from collections.abc import Iterable, Mapping
from typing import Any

from local_cloud.glue import catalog
from local_cloud.lakeformation import authoriser, lake, state
from local_cloud.lakeformation.things import ALL, Thing
from local_cloud.server.json_api import Operation

Request = Mapping[str, Any]
_READ = {"GetTableVersions", "GetPartitions", "GetPartition"}
_DROP = {"DeleteTable", "BatchDeleteTable", "DeleteDatabase", "UpdateTable"}


def govern(name: str, operation: Operation) -> Operation:
    """An operation of the catalog, which asks Lake Formation, or tells it what there is."""
    if name in _READ:
        return _reading(operation)
    if name in _DROP:
        return _dropping(operation)
    around = {
        "GetTable": _get_table,
        "GetTables": _get_tables,
        "GetDatabase": _get_database,
        "GetDatabases": _get_databases,
        "CreateTable": _create_table,
        "CreateDatabase": _create_database,
        "UpdateDatabase": _update_database,
    }.get(name)
    return (lambda request: around(operation, request)) if around else operation


def _decision(database: str, table: str) -> authoriser.Decision:
    decision = authoriser.may(authoriser.caller(), database, table)
    if not decision.visible:
        raise authoriser.denied("Describe", table)
    return decision


def _reading(operation: Operation) -> Operation:
    def call(request: Request) -> dict[str, Any]:
        _decision(request["DatabaseName"], request["TableName"])
        return operation(request)

    return call


def _dropping(operation: Operation) -> Operation:
    def call(request: Request) -> dict[str, Any]:
        answer = operation(request)
        state.forget()
        return answer

    return call


def _shown(table: Mapping[str, Any], decision: authoriser.Decision) -> dict[str, Any]:
    """A table with the columns that may be known."""
    shown = copy.deepcopy(dict(table))
    storage = shown.get("StorageDescriptor", {})
    for of, key in ((storage, "Columns"), (shown, "PartitionKeys")):
        of[key] = [column for column in of.get(key, ()) if column["Name"] in decision.described]
    shown["IsRegisteredWithLakeFormation"] = lake.registered(storage.get("Location", "")) is not None
    return shown


def _get_table(operation: Operation, request: Request) -> dict[str, Any]:
    decision = _decision(request["DatabaseName"], request["Name"])
    return {"Table": _shown(operation(request)["Table"], decision)}


def _get_tables(operation: Operation, request: Request) -> dict[str, Any]:
    answer, caller = operation(request), authoriser.caller()
    asked = [(one, authoriser.may(caller, request["DatabaseName"], one["Name"])) for one in answer["TableList"]]
    return {**answer, "TableList": [_shown(one, decision) for one, decision in asked if decision.visible]}


def _get_database(operation: Operation, request: Request) -> dict[str, Any]:
    answer = operation(request)
    if not authoriser.sees_database(authoriser.caller(), request["Name"]):
        raise authoriser.denied("Describe", request["Name"])
    return answer


def _get_databases(operation: Operation, request: Request) -> dict[str, Any]:
    answer, caller = operation(request), authoriser.caller()
    found = [one for one in answer["DatabaseList"] if authoriser.sees_database(caller, one["Name"])]
    return {**answer, "DatabaseList": found}


def _create_table(operation: Operation, request: Request) -> dict[str, Any]:
    answer = operation(request)
    database, table = request["DatabaseName"], request["TableInput"]["Name"]
    by_database = {one["Name"]: one for one in catalog.databases()}
    defaults = by_database[database].get("CreateTableDefaultPermissions", ())
    _give(Thing(kind="Table", database=database, table=table), defaults)
    return answer


def _create_database(operation: Operation, request: Request) -> dict[str, Any]:
    answer = _update_database(operation, request)
    thing = Thing(kind="Database", database=request["DatabaseInput"]["Name"])
    _give(thing, state.settings()["CreateDatabaseDefaultPermissions"])
    return answer


def _update_database(operation: Operation, request: Request) -> dict[str, Any]:
    """A database that says nothing of its tables does with them what the settings say."""
    defaults = {"CreateTableDefaultPermissions": state.settings()["CreateTableDefaultPermissions"]}
    return operation({**request, "DatabaseInput": {**defaults, **request["DatabaseInput"]}})


def _give(thing: Thing, defaults: Iterable[Mapping[str, Any]]) -> None:
    """Who makes something may do everything with it; others what the defaults say."""
    caller = authoriser.caller()
    with state.lock:
        for one in defaults:
            principal = one["Principal"]["DataLakePrincipalIdentifier"]
            state.put(principal, thing, set(one["Permissions"]), set(), time.time())
        if not authoriser.is_root(caller):
            state.put(caller, thing, {ALL, *thing.permissions}, {ALL, *thing.permissions}, time.time())
