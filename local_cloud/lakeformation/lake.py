"""Settings, registered locations, and data cells filters: rows and columns of a table under a name."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from ministack.core.responses import get_account_id

from local_cloud.glue import catalog
from local_cloud.glue.paging import page
from local_cloud.lakeformation import authoriser, state, things
from local_cloud.lakeformation.things import Thing
from local_cloud.server.json_api import Operation, ServiceError

Request = Mapping[str, Any]
_MOST = 100
_SETTINGS = {
    *("DataLakeAdmins", "ReadOnlyAdmins", "CreateDatabaseDefaultPermissions", "CreateTableDefaultPermissions"),
    *("Parameters", "TrustedResourceOwners"),
}


def _invalid(message: str) -> ServiceError:
    return ServiceError("InvalidInputException", message)


def _put_settings(request: Request) -> dict[str, Any]:
    given = request["DataLakeSettings"]
    if refused := {key for key in given.keys() - _SETTINGS if given[key]}:
        raise _invalid(f"The local cloud's Lake Formation does not apply {sorted(refused)}")
    state.put_settings({**{key: [] for key in _SETTINGS - {"Parameters"}}, **given})
    return {}


def _register(request: Request) -> dict[str, Any]:
    arn = request["ResourceArn"].rstrip("/")
    for key in ("WithFederation", "HybridAccessEnabled", "WithPrivilegedAccess"):
        if request.get(key):
            raise _invalid(f"The local cloud's Lake Formation does not do {key}")
    if bool(request.get("UseServiceLinkedRole")) == bool(request.get("RoleArn")):
        raise _invalid("A location needs RoleArn or UseServiceLinkedRole")
    if arn in state.locations:
        raise ServiceError("AlreadyExistsException", "Resource is already registered")
    linked = f"arn:aws:iam::{get_account_id()}:role/aws-service-role/lakeformation.amazonaws.com/{SERVICE_LINKED}"
    role = request.get("RoleArn", linked)
    state.locations[arn] = {"ResourceArn": arn, "RoleArn": role, "LastModified": time.time()}
    return {}


SERVICE_LINKED = "AWSServiceRoleForLakeFormationDataAccess"


def _location(request: Request) -> dict[str, Any]:
    found: dict[str, Any] | None = state.locations.get(request["ResourceArn"].rstrip("/"))
    if found is None:
        raise ServiceError("EntityNotFoundException", "Entity not found")
    return found


def _deregister(request: Request) -> dict[str, Any]:
    state.locations.pop(_location(request)["ResourceArn"])
    return {}


def _list_locations(request: Request) -> dict[str, Any]:
    if request.get("FilterConditionList"):
        raise _invalid("The local cloud's Lake Formation lists all locations")
    found = list(state.locations.values())
    return page(found, request, under="ResourceInfoList", key=lambda one: [one["ResourceArn"]], most=_MOST)


def registered(address: str) -> dict[str, Any] | None:
    """The registered location that an `s3://` address is in, the closest one."""
    arn = f"{address.replace('s3://', 'arn:aws:s3:::', 1).rstrip('/')}/"
    found = [one for one in state.locations.values() if arn.startswith(f"{one['ResourceArn']}/")]
    return max(found, key=lambda one: len(one["ResourceArn"]), default=None)


def _key(given: Request) -> tuple[str, str, str]:
    return (given["DatabaseName"], given["TableName"], given["Name"])


def _kept(request: Request) -> dict[str, Any]:
    found: dict[str, Any] | None = state.filters.get(_key(request))
    if found is None:
        raise ServiceError("EntityNotFoundException", "Data cells filter not found.")
    return found


def _put_filter(given: Request) -> dict[str, Any]:
    """Keep a filter of a table that has its columns; SQL of its rows is left to the queries that use it."""
    database, table, _ = _key(given)
    if given["TableCatalogId"] != get_account_id():
        raise _invalid("The local cloud's catalogs are each account's own")
    authoriser.require_grantable(authoriser.caller(), Thing(kind="Table", database=database, table=table), {"SELECT"})
    columns = things.columns_of(catalog.table(database, table))
    named = {*given.get("ColumnNames", ()), *given.get("ColumnWildcard", {}).get("ExcludedColumnNames", ())}
    if lost := named - set(columns):
        raise ServiceError("EntityNotFoundException", f"Columns {sorted(lost)} not found in {table}.")
    if ("ColumnNames" in given) == ("ColumnWildcard" in given):
        raise _invalid("ColumnNames or ColumnWildcard is needed, one of them")
    if len(given.get("RowFilter", ())) != 1:
        raise _invalid("RowFilter must be FilterExpression or AllRowsWildcard")
    state.filters[_key(given)] = {**given, "VersionId": str(time.time_ns())}
    return {}


def _create_filter(request: Request) -> dict[str, Any]:
    if _key(request["TableData"]) in state.filters:
        raise ServiceError("AlreadyExistsException", "Data cells filter already exists.")
    return _put_filter(request["TableData"])


def _update_filter(request: Request) -> dict[str, Any]:
    _kept(request["TableData"])
    return _put_filter(request["TableData"])


def _delete_filter(request: Request) -> dict[str, Any]:
    """Grants on it end."""
    database, table, name = _key(request)
    _kept(request)
    authoriser.require_grantable(authoriser.caller(), Thing(kind="Table", database=database, table=table), {"SELECT"})
    state.filters.pop((database, table, name))
    for places in state.grants.values():
        thing = Thing(kind="DataCellsFilter", database=database, table=table, name=name)
        places.get((database, table), {}).pop(thing, None)
    return {}


def _list_filters(request: Request) -> dict[str, Any]:
    of = request.get("Table", {})
    wanted = (of.get("DatabaseName"), of.get("Name"))
    found = [one for key, one in state.filters.items() if not of or key[:2] == wanted]
    return page(found, request, under="DataCellsFilters", key=lambda one: list(_key(one)), most=_MOST)


OPERATIONS: Mapping[str, Operation] = {
    "GetDataLakeSettings": lambda _: {"DataLakeSettings": state.settings()},
    "PutDataLakeSettings": _put_settings,
    "RegisterResource": _register,
    "DeregisterResource": _deregister,
    "DescribeResource": lambda request: {"ResourceInfo": _location(request)},
    "ListResources": _list_locations,
    "CreateDataCellsFilter": _create_filter,
    "GetDataCellsFilter": lambda request: {"DataCellsFilter": _kept(request)},
    "UpdateDataCellsFilter": _update_filter,
    "DeleteDataCellsFilter": _delete_filter,
    "ListDataCellsFilter": _list_filters,
}
