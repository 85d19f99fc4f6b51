"""A catalog with Lake Formation, as its documentation describes it, that fails when it is told to.

It answers in small pages, some of them empty; checks that what is named exists; lists SELECT on a table as SELECT on
its columns, and DESCRIBE beside it; refuses to revoke what was not granted; and loses a table's grants, tags and
filters with the table.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from botocore.exceptions import ClientError

ACCOUNT = "222222222222"
READER = f"arn:aws:iam::{ACCOUNT}:role/granary/granary-lake-catalog-read"
_PAGE = 7
_TABLE_WORDS = {"ALTER", "DELETE", "DESCRIBE", "DROP", "INSERT", "SELECT"}
_DATABASE_WORDS = {"ALTER", "CREATE_TABLE", "DESCRIBE", "DROP"}
_Place = tuple[str, str, str]


def refusal(code: str, operation: str = "Call") -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": code}}, operation)


class FakeLake:
    """The catalog; `fault` is called before each call with its name, and may raise, or answer a code for an entry."""

    def __init__(self, account: str = ACCOUNT) -> None:
        self.account = account
        self.databases: dict[str, dict[str, tuple[str, ...]]] = {}
        self.grants: dict[tuple[str, str], tuple[set[str], set[str]]] = {}
        self.values: dict[str, set[str]] = {}
        self.tags: dict[_Place, dict[str, str]] = {}
        self.filters: dict[tuple[str, str, str], dict[str, Any]] = {}
        self.admins = [READER]
        self.defaults: list[str] = []
        self.fault: Callable[[str], str] = lambda _: ""
        self.calls: list[str] = []

    # What a crawler, and people, do.
    def crawl(self, database: str, table: str, *columns: str) -> None:
        self.databases.setdefault(database, {})[table] = columns
        for place in [it for it in self.tags if it[:2] == (database, table) and it[2] and it[2] not in columns]:
            del self.tags[place]

    def drop(self, database: str, table: str) -> None:
        self.databases[database].pop(table, None)
        gone = [it for it in self.grants if self._is_about(json.loads(it[1]), database, table)]
        for key in gone:
            del self.grants[key]
        self.tags = {it: its for it, its in self.tags.items() if it[:2] != (database, table)}
        self.filters = {it: its for it, its in self.filters.items() if it[:2] != (database, table)}

    def grant(self, principal: str, resource: Mapping[str, Any], *words: str, option: tuple[str, ...] = ()) -> None:
        self._grant({"DataLakePrincipalIdentifier": principal}, resource, words, option)

    def rights(self, principal: str, database: str, table: str) -> set[str]:
        """What a principal may do on a table: columns that it may read, `column where rows`, and words in brackets."""
        columns, found = self.databases[database][table], set[str]()
        for (who, told), (words, _) in self.grants.items():
            ((kind, one),) = json.loads(told).items()
            if who != principal:
                continue
            if kind == "LFTagPolicy":
                chosen = {it for it in columns if _has(self._effective(database, table, it), one["Expression"])}
                found |= chosen if "SELECT" in words else set()
                found |= {f"[{it}]" for it in words - {"SELECT"} if chosen == set(columns)}
            elif one.get("DatabaseName") != database or one.get("TableName", one.get("Name", table)) != table:
                continue
            elif kind == "DataCellsFilter":
                cells = self.filters[(database, table, one["Name"])]
                rows = cells["RowFilter"]["FilterExpression"]
                found |= {f"{it} where {rows}" for it in cells["ColumnNames"] if it in columns}
            elif kind == "TableWithColumns":
                out = one.get("ColumnWildcard", {}).get("ExcludedColumnNames", ())
                found |= {it for it in one.get("ColumnNames", columns) if it in columns and it not in out}
            elif kind == "Table":
                found |= {f"[{it}]" for it in words}
        return found - {"[DESCRIBE]"}

    # Glue.
    def get_databases(self, **request: Any) -> dict[str, Any]:
        return self._paged("GetDatabases", "DatabaseList", [{"Name": name} for name in self.databases], request)

    def get_tables(self, *, DatabaseName: str, **request: Any) -> dict[str, Any]:
        listed = [
            {"DatabaseName": DatabaseName, "Name": name, "StorageDescriptor": {"Columns": [{"Name": it} for it in its]}}
            for name, its in self.databases[DatabaseName].items()
        ]
        return self._paged("GetTables", "TableList", listed, request)

    # Lake Formation, as it is read.
    def get_data_lake_settings(self, **_: Any) -> dict[str, Any]:
        everybody = {"Principal": {"DataLakePrincipalIdentifier": "IAM_ALLOWED_PRINCIPALS"}, "Permissions": ["ALL"]}
        defaults = {f"Create{it}DefaultPermissions": [everybody] for it in self.defaults}
        admins = [{"DataLakePrincipalIdentifier": it} for it in self.admins]
        return {"DataLakeSettings": {"DataLakeAdmins": [], "ReadOnlyAdmins": admins, **defaults}}

    def list_permissions(self, **request: Any) -> dict[str, Any]:
        return self._paged("ListPermissions", "PrincipalResourcePermissions", list(self._listed()), request)

    def list_lf_tags(self, **request: Any) -> dict[str, Any]:
        listed = [{"TagKey": key, "TagValues": sorted(its)} for key, its in self.values.items()]
        return self._paged("ListLFTags", "LFTags", listed, request)

    def list_data_cells_filter(self, **request: Any) -> dict[str, Any]:
        return self._paged("ListDataCellsFilter", "DataCellsFilters", list(self.filters.values()), request)

    def search_databases_by_lf_tags(self, *, Expression: list[Any], **request: Any) -> dict[str, Any]:
        found = [
            {"Database": {"Name": name}, "LFTags": _pairs(self._effective(name))}
            for name in self.databases
            if _has(self._effective(name), Expression)
        ]
        return self._paged("SearchDatabasesByLFTags", "DatabaseList", found, request)

    def search_tables_by_lf_tags(self, *, Expression: list[Any], **request: Any) -> dict[str, Any]:
        found: list[dict[str, Any]] = []
        for database, tables in self.databases.items():
            for table, columns in tables.items():
                on_columns = {it: self._effective(database, table, it) for it in columns}
                if any(_has(it, Expression) for it in (self._effective(database, table), *on_columns.values())):
                    entry = {
                        "Table": {"DatabaseName": database, "Name": table},
                        "LFTagOnDatabase": _pairs(self._effective(database)),
                        "LFTagsOnTable": _pairs(self._effective(database, table)),
                        "LFTagsOnColumns": [{"Name": it, "LFTags": _pairs(tags)} for it, tags in on_columns.items()],
                    }
                    found.append(entry)
        return self._paged("SearchTablesByLFTags", "TableList", found, request)

    # Lake Formation, as it is changed.
    def create_lf_tag(self, *, TagKey: str, TagValues: list[str], **_: Any) -> dict[str, Any]:
        self._fault("CreateLFTag")
        assert len(TagValues) <= 50
        assert TagKey not in self.values
        self.values[TagKey] = set(TagValues)
        return {}

    def update_lf_tag(self, *, TagKey: str, TagValuesToAdd: list[str], **_: Any) -> dict[str, Any]:
        self._fault("UpdateLFTag")
        assert len(TagValuesToAdd) <= 50
        self.values[TagKey].update(TagValuesToAdd)
        return {}

    def add_lf_tags_to_resource(self, *, Resource: Any, LFTags: list[Any], **_: Any) -> dict[str, Any]:
        self._fault("AddLFTagsToResource")
        for place in self._places(Resource):
            for pair in LFTags:
                (value,) = pair["TagValues"]
                assert value in self.values[pair["TagKey"]]
                self.tags.setdefault(place, {})[pair["TagKey"]] = value
        return {}

    def remove_lf_tags_from_resource(self, *, Resource: Any, LFTags: list[Any], **_: Any) -> dict[str, Any]:
        self._fault("RemoveLFTagsFromResource")
        for place in self._places(Resource):
            for pair in LFTags:
                self.tags.get(place, {}).pop(pair["TagKey"], None)
        return {"Failures": []}

    def create_data_cells_filter(self, *, TableData: dict[str, Any]) -> None:
        self._fault("CreateDataCellsFilter")
        key = (TableData["DatabaseName"], TableData["TableName"], TableData["Name"])
        self._exists(*key[:2])
        if key in self.filters:
            raise refusal("AlreadyExistsException")
        self.filters[key] = TableData

    def delete_data_cells_filter(self, *, DatabaseName: str, TableName: str, Name: str, **_: Any) -> None:
        self._fault("DeleteDataCellsFilter")
        if self.filters.pop((DatabaseName, TableName, Name), None) is None:
            raise refusal("EntityNotFoundException")

    def batch_grant_permissions(self, *, Entries: list[Any], **_: Any) -> dict[str, Any]:
        return self._batch("BatchGrantPermissions", Entries, self._grant)

    def batch_revoke_permissions(self, *, Entries: list[Any], **_: Any) -> dict[str, Any]:
        return self._batch("BatchRevokePermissions", Entries, self._revoke)

    def _batch(self, name: str, entries: list[Any], do: Callable[..., None]) -> dict[str, Any]:
        self._fault(name)
        assert len(entries) <= 20
        assert len({it["Id"] for it in entries}) == len(entries)
        failures: list[dict[str, Any]] = []
        for one in entries:
            code = self.fault("Entry")
            if not code:
                try:
                    do(one["Principal"], one["Resource"], one["Permissions"], one.get("PermissionsWithGrantOption", ()))
                except ClientError as error:
                    code = error.response["Error"]["Code"]
            if code:
                failures.append({"RequestEntry": one, "Error": {"ErrorCode": code, "ErrorMessage": "no"}})
        return {"Failures": failures}

    def _grant(self, principal: Mapping[str, str], resource: Mapping[str, Any], words: Any, option: Any) -> None:
        for key, its in self._split(principal, resource, {*words, *option}):
            self._check(json.loads(key[1]))
            have, may = self.grants.setdefault(key, (set(), set()))
            have.update(its)
            may.update(its & set(option))

    def _revoke(self, principal: Mapping[str, str], resource: Mapping[str, Any], words: Any, option: Any) -> None:
        known = False
        for key, its in self._split(principal, resource, {*words, *option}):
            if key not in self.grants:
                continue
            have, may = self.grants[key]
            known = known or bool(have & its)
            may -= its & (set(words) | set(option) | ({"SELECT"} if "ALL" in words else set()))
            have -= its if "ALL" in words else its & set(words)
            if key[0] != "IAM_ALLOWED_PRINCIPALS":
                have.discard("ALL")  # a part of it is no ALL any more
            if not have:
                del self.grants[key]
        if not known:
            raise refusal("InvalidInputException")

    def _split(
        self, principal: Mapping[str, str], resource: Mapping[str, Any], words: set[str]
    ) -> Iterator[tuple[tuple[str, str], set[str]]]:
        """SELECT is kept column by column, and everything else by table."""
        who = principal["DataLakePrincipalIdentifier"]
        ((kind, one),) = resource.items()
        one = {key: it for key, it in one.items() if key not in ("CatalogId", "TableCatalogId")}
        if "ALL" in words:
            words = words | (_DATABASE_WORDS if kind == "Database" else _TABLE_WORDS)
        if kind == "Table":
            if rest := words - {"SELECT"}:
                yield (who, json.dumps({"Table": one})), rest
            if "SELECT" in words:
                yield (who, json.dumps({"TableWithColumns": {**one, "ColumnWildcard": {}}})), {"SELECT"}
        elif kind == "TableWithColumns" and "ColumnNames" in one:
            bare = {key: it for key, it in one.items() if key != "ColumnNames"}
            for column in one["ColumnNames"]:
                yield (who, json.dumps({"TableWithColumns": {**bare, "ColumnNames": [column]}})), words
        else:
            yield (who, json.dumps({kind: one})), words

    def _listed(self) -> Iterator[dict[str, Any]]:
        for (who, told), (words, option) in self.grants.items():
            ((kind, one),) = json.loads(told).items()
            if "TableWildcard" in one:
                one = {**one, "Name": "ALL_TABLES"}
            if kind == "TableWithColumns":
                one.pop("TableWildcard", None)
            entry: dict[str, Any] = {"Principal": {"DataLakePrincipalIdentifier": who}}
            yield {
                **entry,
                "Resource": {kind: {"CatalogId": self.account, **one}},
                "Permissions": sorted(words),
                "PermissionsWithGrantOption": sorted(option),
            }
            if kind == "TableWithColumns":  # what comes along is listed, too
                rest = {key: it for key, it in one.items() if not key.startswith("Column")}
                wild: dict[str, Any] = {"TableWildcard": {}} if one["Name"] == "ALL_TABLES" else {}
                yield {**entry, "Resource": {"Table": {**rest, **wild}}, "Permissions": ["DESCRIBE"]}

    def _check(self, resource: Mapping[str, Any]) -> None:
        ((kind, one),) = resource.items()
        if kind == "LFTagPolicy":
            for pair in one["Expression"]:
                assert len(pair["TagValues"]) <= 50
                assert set(pair["TagValues"]) <= self.values[pair["TagKey"]]
            return
        if kind == "DataCellsFilter":
            if (one["DatabaseName"], one["TableName"], one["Name"]) not in self.filters:
                raise refusal("EntityNotFoundException")
            return
        columns = self._exists(
            one.get("DatabaseName", one.get("Name")), None if kind == "Database" else one.get("Name")
        )
        if not set(one.get("ColumnNames", ())) <= set(columns):
            raise refusal("EntityNotFoundException")

    def _exists(self, database: str, table: str | None) -> tuple[str, ...]:
        if database not in self.databases or (table is not None and table not in self.databases[database]):
            raise refusal("EntityNotFoundException")
        return self.databases[database][table] if table is not None else ()

    def _places(self, resource: Mapping[str, Any]) -> list[_Place]:
        ((kind, one),) = resource.items()
        if kind == "Database":
            self._exists(one["Name"], None)
            return [(one["Name"], "", "")]
        columns = self._exists(one["DatabaseName"], one["Name"])
        if not set(one.get("ColumnNames", ())) <= set(columns):
            raise refusal("EntityNotFoundException")
        return [(one["DatabaseName"], one["Name"], it) for it in one.get("ColumnNames", ("",))]

    def _effective(self, database: str, table: str = "", column: str = "") -> dict[str, str]:
        on = self.tags
        found = {**on.get((database, "", ""), {}), **(on.get((database, table, ""), {}) if table else {})}
        return {**found, **(on.get((database, table, column), {}) if column else {})}

    @staticmethod
    def _is_about(resource: Mapping[str, Any], database: str, table: str) -> bool:
        ((_, one),) = resource.items()
        return bool(one.get("DatabaseName") == database and one.get("TableName", one.get("Name")) == table)

    def _fault(self, name: str) -> None:
        self.calls.append(name)
        if code := self.fault(name):
            raise refusal(code, name)

    def _paged(self, name: str, key: str, listed: list[Any], request: Mapping[str, Any]) -> dict[str, Any]:
        self._fault(name)
        assert 1 <= request["MaxResults"] <= 1000
        first = int(request.get("NextToken", 0))
        # The second page is an empty one.
        size = 0 if first == _PAGE and "NextToken" in request and request["NextToken"].startswith("0") else _PAGE
        after = first + size
        more = {"NextToken": str(after) if size else str(first)} if after < len(listed) or not size else {}
        if more and first == 0:
            more = {"NextToken": f"0{after}"}
        return {key: listed[first:after], **more}


def _pairs(tags: Mapping[str, str]) -> list[dict[str, Any]]:
    return [{"TagKey": key, "TagValues": [value]} for key, value in tags.items()]


def _has(tags: Mapping[str, str], expression: list[Any]) -> bool:
    wanted: dict[str, list[str]] = {pair["TagKey"]: pair["TagValues"] for pair in expression}
    return all(tags.get(key, "") in values for key, values in wanted.items())
