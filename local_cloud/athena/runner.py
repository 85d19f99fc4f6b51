"""Executes a query with DuckDB: a program of its own, in an environment that has it; JSON in, JSON out.

Without `tables` it says which ones the query names, and of a `file` its columns. What it is given of a table is all
that a query can read.
"""

from __future__ import annotations

import datetime
import json
import sys
from collections.abc import Iterator
from typing import Any

import duckdb

_CATALOG = "awsdatacatalog"
_TYPES = {"string": "VARCHAR", "int": "INTEGER", "binary": "BLOB"}
_AS_IN_ATHENA = {"FLOAT": "float", "HUGEINT": "bigint", "BLOB": "varbinary", "TIMESTAMP WITH TIME ZONE": "timestamp"}


def _nodes(tree: Any) -> Iterator[dict[str, Any]]:
    if isinstance(tree, dict):
        yield tree
    for one in tree.values() if isinstance(tree, dict) else tree if isinstance(tree, list) else ():
        yield from _nodes(one)


def names(sql: str) -> dict[str, Any]:
    """The tables of a query, each with its catalog, schema and name; of what is no SELECT, `refused`."""
    (said,) = duckdb.execute("SELECT json_serialize_sql(?::VARCHAR)", [sql]).fetchall()
    tree = json.loads(said[0])
    if tree["error"]:
        syntax = tree["error_type"] == "parser"
        return {"syntax" if syntax else "refused": tree["error_message"]}
    nodes = list(_nodes(tree))
    if len(tree["statements"]) != 1 or any(node.get("type") == "SHOW_REF" for node in nodes):
        return {"refused": "Only one SELECT statement"}
    common = {entry["key"].lower() for node in nodes if "cte_map" in node for entry in node["cte_map"]["map"]}
    named = [
        (node["catalog_name"], node["schema_name"], node["table_name"])
        for node in nodes
        if node.get("type") == "BASE_TABLE"
    ]
    return {"tables": [one for one in dict.fromkeys(named) if one[1] or one[2].lower() not in common]}


def described(file: str) -> dict[str, Any]:
    """The columns of a parquet file, with the catalog's types."""
    found = duckdb.execute(f"DESCRIBE SELECT * FROM read_parquet({_literal(file)})").fetchall()  # noqa: S608
    catalog = {kind: name for name, kind in _TYPES.items()} | {"TIMESTAMP WITH TIME ZONE": "timestamp"}
    return {"columns": [[row[0], catalog.get(row[1], row[1].lower())] for row in found]}


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _literal(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _cast(value: str, kind: str) -> str:
    kind = kind.lower()
    if kind.startswith(("array", "map", "struct")):
        return value
    plain = "VARCHAR" if kind.startswith(("varchar", "char")) else _TYPES.get(kind, kind)
    return f"CAST({value} AS {plain})"


def _part(connection: Any, part: dict[str, Any], columns: list[dict[str, str]]) -> str:
    """Some files, which have one set of the partition's values, as a SELECT of all of the table's columns."""
    files = f"read_parquet([{', '.join(map(_literal, part['files']))}], union_by_name=true, hive_partitioning=false)"
    there = {row[0].lower() for row in connection.execute(f"DESCRIBE SELECT * FROM {files}").fetchall()}  # noqa: S608
    shown = []
    for column in columns:
        name = column["name"]
        value = _quoted(name) if name.lower() in there else "NULL"
        value = _literal(part["values"][name]) if name in part["values"] else value
        shown.append(f"{_cast(value, column['type'])} AS {_quoted(name)}")
    return f"SELECT {', '.join(shown)} FROM {files}"  # noqa: S608


def _load(connection: Any, table: dict[str, Any]) -> None:
    """Keep the rows and columns of a table that may be read: nothing else of it is there for the query."""
    columns, rows = table["columns"], table["readable"]
    parts = [_part(connection, part, columns) for part in table["parts"] if part["files"]]
    nothing = ", ".join(f"{_cast('NULL', column['type'])} AS {_quoted(column['name'])}" for column in columns)
    whole = " UNION ALL ".join(parts) or f"SELECT {nothing} WHERE false"
    shown, every = [], False
    for name, predicates in rows.items():
        every |= None in predicates
        cell = _quoted(name)
        limited = " OR ".join(f"({predicate})" for predicate in predicates if predicate)
        shown.append(cell if None in predicates else f"CASE WHEN {limited} THEN {cell} END AS {cell}")
    some = dict.fromkeys(f"({one})" for predicates in rows.values() for one in predicates if one)
    where = "" if every else f" WHERE {' OR '.join(some)}"
    schema = f"{_CATALOG}.{_quoted(table['database'])}"
    connection.execute(f"CREATE SCHEMA IF NOT EXISTS {schema}")
    target = f"{schema}.{_quoted(table['name'])}"
    connection.execute(f"CREATE TABLE {target} AS SELECT {', '.join(shown)} FROM ({whole}){where}")  # noqa: S608


def run(request: dict[str, Any]) -> dict[str, Any]:
    """The columns and rows of a query's answer; values are texts, as Athena has them."""
    connection = duckdb.connect(config={"autoinstall_known_extensions": False})
    connection.execute(f"ATTACH ':memory:' AS {_CATALOG}")
    for table in request["tables"]:
        _load(connection, table)
    place = _CATALOG
    if request["database"]:
        place = f"{_CATALOG}.{_quoted(request['database'])}"
        connection.execute(f"CREATE SCHEMA IF NOT EXISTS {place}")
    connection.execute(f"USE {place}")
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")
    answer = connection.execute(request["sql"])
    columns = [{"Name": one[0], "Type": _type(str(one[1]))} for one in answer.description]
    return {"columns": columns, "rows": [[_text(value) for value in row] for row in answer.fetchall()]}


def _type(kind: str) -> str:
    if kind.endswith("[]"):
        return "array"
    return _AS_IN_ATHENA.get(kind, kind.partition("(")[0].lower())


def _text(value: Any) -> str | None:
    if isinstance(value, datetime.datetime):
        return value.isoformat(sep=" ", timespec="milliseconds")
    if value is None or not isinstance(value, bool):
        return None if value is None else str(value)
    return str(value).lower()


def main() -> None:
    """Answer the request of the standard input."""
    request = json.load(sys.stdin)
    try:
        if "file" in request:
            answer = described(request["file"])
        else:
            answer = run(request) if "tables" in request else names(request["sql"])
    except duckdb.Error as error:
        answer = {"error": str(error)}
    json.dump(answer, sys.stdout)


if __name__ == "__main__":
    main()
