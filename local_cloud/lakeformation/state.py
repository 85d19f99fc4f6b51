"""What Lake Formation keeps, by account and Region; a table or a database that is gone takes what is about it along."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ministack.core.responses import AccountRegionScopedDict

from local_cloud.glue import catalog
from local_cloud.server.json_api import ServiceError

if TYPE_CHECKING:
    from local_cloud.lakeformation.things import Thing

EVERYBODY = "IAM_ALLOWED_PRINCIPALS"
_OPEN = [{"Principal": {"DataLakePrincipalIdentifier": EVERYBODY}, "Permissions": ["ALL"]}]
lock = threading.RLock()
# By principal, by (database, table), by thing; the tags, filters and locations by their names.
grants: Any = AccountRegionScopedDict()
tags: Any = AccountRegionScopedDict()
assigned: Any = AccountRegionScopedDict()
filters: Any = AccountRegionScopedDict()
locations: Any = AccountRegionScopedDict()
_settings: Any = AccountRegionScopedDict()


@dataclass(kw_only=True)
class Held:
    """The permissions of one principal on one thing, and those that it may grant to others."""

    permissions: set[str] = field(default_factory=set)
    grantable: set[str] = field(default_factory=set)
    changed: float = 0.0


Place = tuple[str, str]


def settings() -> dict[str, Any]:
    """The settings; of an account that never put any, IAM alone decides on what is new."""
    start = {"CreateDatabaseDefaultPermissions": _OPEN, "CreateTableDefaultPermissions": _OPEN}
    empty: dict[str, Any] = {"DataLakeAdmins": [], "ReadOnlyAdmins": [], "Parameters": {}, "TrustedResourceOwners": []}
    return {**empty, **(_settings.get("settings") or start)}


def put_settings(given: dict[str, Any]) -> None:
    """Replace the settings as a whole."""
    _settings["settings"] = given


def tag_values(key: str) -> list[str]:
    """The values that a tag may have; raises ServiceError when there is no such tag."""
    known: list[str] | None = tags.get(key)
    if known is None:
        raise ServiceError("EntityNotFoundException", f"Tag key {key} not found.")
    return known


def effective_tags(database: str, table: str = "", column: str = "") -> dict[str, str]:
    """The tags of something, with those that it inherits."""
    found: dict[str, str] = {}
    for place in dict.fromkeys(((database, "", ""), (database, table, ""), (database, table, column))):
        found |= assigned.get(place, {})
    return found


def held(principal: str, place: Place) -> dict[Thing, Held]:
    """A principal's grants on one place: (database, table), (database, "") or ("", "")."""
    found: dict[Thing, Held] = grants.get(principal, {}).get(place, {})
    return found


def put(principal: str, thing: Thing, permissions: set[str], grantable: set[str], now: float) -> None:
    """Add to what a principal holds."""
    places = grants.setdefault(principal, {})
    one = places.setdefault((thing.database, thing.table), {}).setdefault(thing, Held())
    one.permissions |= permissions | grantable
    one.grantable |= grantable
    one.changed = now


def forget() -> None:
    """Drop what is about databases, tables and columns that the catalog has no longer."""
    names = {one["Name"] for one in catalog.databases()}
    tables = {(name, one["Name"]): one for name in names for one in catalog.tables(name)}

    def gone(database: str, table: str) -> bool:
        if not database:
            return False
        return (database, table) not in tables if table not in ("", "*") else database not in names

    def column_gone(database: str, table: str, column: str) -> bool:
        table_of = tables.get((database, table), {})
        columns = (*table_of.get("StorageDescriptor", {}).get("Columns", ()), *table_of.get("PartitionKeys", ()))
        return bool(column) and column not in {one["Name"] for one in columns}

    with lock:
        for places in list(grants.values()):
            for place in [place for place in places if gone(*place)]:
                del places[place]
            for (database, table), its in places.items():
                columns = [one for one in its if one.kind == "TableWithColumns"]
                for one in [one for one in columns if column_gone(database, table, one.name)]:
                    del its[one]
        for key in [key for key in filters if gone(key[0], key[1])]:
            filters.pop(key)
        for place in [one for one in assigned if gone(one[0], one[1]) or column_gone(one[0], one[1], one[2])]:
            assigned.pop(place)
