"""Grants as one canonical tuple, so that what is wanted and what is there can be subtracted from each other; pure.

Lake Formation says the same thing in several ways: SELECT on a table comes back as SELECT on all of its columns, ALL
beside what it stands for, a wildcard as the table ALL_TABLES, and DESCRIBE beside SELECT whether or not it was granted.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cache
from itertools import chain
from typing import Any

from lambdas.common.versioned_json import Text
from lambdas.lake.model.governance.policy import ALL, DESCRIBE, EVERYBODY, ON_DATABASES, ON_TABLES, SELECT

_ALL_TABLES = "ALL_TABLES"
Entry = dict[str, Any]
Expression = tuple[tuple[str, tuple[str, ...]], ...]


class Kind(StrEnum):
    """What a grant is on; of other kinds (data locations, tags themselves) the file says nothing."""

    DATABASE = "DATABASE"
    TABLE = "TABLE"
    FILTER = "FILTER"
    TAGS = "TAGS"  # all tables and columns that have the tags
    TAGS_DATABASE = "TAGS_DATABASE"


@dataclass(frozen=True, kw_only=True, slots=True)
class Grant(Text):
    """One permission of one principal on one thing.

    The table `*` is every one, those to come too. Without `included` or `excluded` columns it is about all of them.
    `filter` names a data cells filter, and `expression` has the values by key, any of which, of each key, is asked for;
    of one that has a name, the name alone, without a key.
    """

    principal: str
    kind: Kind
    permission: str
    database: str = ""
    table: str = ""
    included: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()
    filter: str = ""
    expression: Expression = ()
    grantable: bool = False

    @property
    def key(self) -> tuple[object, ...]:
        """All but the columns that it includes, if any: what the grants on columns of one table have in common."""
        return (
            self.principal,
            self.kind,
            self.permission,
            self.database,
            self.table,
            self.grantable,
            self.excluded,
            self.filter,
            self.expression,
            not self.included,
        )

    def __str__(self) -> str:
        columns = f" ({', '.join(self.included)})" if self.included else ""
        columns += f" (all but {', '.join(self.excluded)})" if self.excluded else ""
        rows = f" filter {self.filter}" if self.filter else ""
        tags = " and ".join(f"{key} in {'/'.join(values)}" for key, values in self.expression)
        place = f"tags {tags}" if tags else ".".join(filter(None, (self.database, self.table)))
        return f"{self.permission}{' grantable' if self.grantable else ''} on {place}{columns}{rows}"


@dataclass(frozen=True, kw_only=True)
class Filter(Text):
    """A data cells filter: rows and columns of a table. Its name is made of them, so it never changes."""

    database: str
    table: str
    name: str
    columns: tuple[str, ...]
    rows: str


def identity(principal: str) -> str:
    """The same for each way of writing a principal's ARN: two roles of an account differ in more than case and path."""
    head, slash, name = principal.rpartition("/")
    return f"{head.partition('/')[0]}{slash}{name}".lower()


def canonical(listed: Iterable[Mapping[str, Any]], *, catalog: str, spelling: Mapping[str, str]) -> frozenset[Grant]:
    """Read what ListPermissions answers; `spelling` has the principals' ARNs as the file has them, by `identity`.

    What is granted in other catalogs, another account's or one for S3 tables, may have the same names, and is not ours.
    """
    grants: list[Grant] = []
    # The one copy of equal names and columns: there are few, and hundreds of thousands of grants on them.
    same: dict[Any, Any] = {}
    principal = cache(lambda name: spelling.get(identity(name), name))
    for entry in listed:
        if (bare := _resource(entry["Resource"], catalog)) is None:
            continue
        bare |= {key: same.setdefault(it, it) for key, it in bare.items() if key != "kind"}
        bare["principal"] = principal(entry["Principal"]["DataLakePrincipalIdentifier"])
        for grantable, key in ((False, "Permissions"), (True, "PermissionsWithGrantOption")):
            words = set(entry.get(key) or ())
            every = ON_DATABASES if bare["kind"] in (Kind.DATABASE, Kind.TAGS_DATABASE) else ON_TABLES
            for word in (words | set(every) if ALL in words else words) - {ALL}:
                its = bare if word == SELECT else {**bare, "included": (), "excluded": ()}
                grants.append(Grant(**its, permission=word, grantable=grantable))
    return merged(grants)


def _resource(resource: Mapping[str, Any], catalog: str) -> dict[str, Any] | None:
    kind, one = next(iter(resource.items()))
    if one.get("CatalogId", one.get("TableCatalogId", catalog)) != catalog:
        return None
    if kind == "Database":
        return {"kind": Kind.DATABASE, "database": one["Name"]}
    if kind in ("Table", "TableWithColumns"):
        name = one.get("Name", _ALL_TABLES)
        wildcard = one.get("ColumnWildcard") or {}
        return {
            "kind": Kind.TABLE,
            "database": one["DatabaseName"],
            "table": "*" if "TableWildcard" in one or name == _ALL_TABLES else name,
            "included": tuple(sorted(one.get("ColumnNames") or ())),
            "excluded": tuple(sorted(wildcard.get("ExcludedColumnNames") or ())),
        }
    if kind == "DataCellsFilter":
        return {"kind": Kind.FILTER, "database": one["DatabaseName"], "table": one["TableName"], "filter": one["Name"]}
    if kind == "LFTagPolicy":
        named = [{"TagKey": "", "TagValues": [one.get("ExpressionName")]}]
        pairs = ((tag["TagKey"], tuple(sorted(tag["TagValues"]))) for tag in one.get("Expression") or named)
        tables = one["ResourceType"] == "TABLE"
        return {"kind": Kind.TAGS if tables else Kind.TAGS_DATABASE, "expression": tuple(sorted(pairs))}
    return None


def merged(grants: Iterable[Grant]) -> frozenset[Grant]:
    """Make one of the grants that differ in the columns that they include only."""
    every = frozenset(grants)
    parts: dict[tuple[object, ...], Grant] = {}
    apart: list[Grant] = []
    for one in every:
        if one.included and (there := parts.setdefault(one.key, one)) is not one:
            apart += (there, one)
            parts[one.key] = replace(one, included=tuple(sorted({*there.included, *one.included})))
    return every.difference(apart) | {parts[one.key] for one in apart} if apart else every


def minus(these: Collection[Grant], those: Collection[Grant]) -> frozenset[Grant]:
    """What of these grants is not among those, column by column; both are `merged`."""
    known = frozenset(those)
    left = frozenset(these) - known if known else frozenset(these)
    places = {(one.database, one.table) for one in left if one.included}
    parts = {it.key: it.included for it in known if it.included and (it.database, it.table) in places} if places else {}
    return frozenset(_less(left, parts)) if parts else left


def _less(grants: Iterable[Grant], parts: Mapping[tuple[object, ...], tuple[str, ...]]) -> Iterator[Grant]:
    for one in grants:
        there = parts.get(one.key, ()) if one.included else ()
        if not there:
            yield one
        elif names := set(one.included).difference(there):
            yield replace(one, included=tuple(sorted(names)))


def implied(one: Grant) -> Iterator[Grant]:
    """What a grant brings along: who may grant may do, and who may select may describe."""
    if one.grantable:
        yield replace(one, grantable=False)
    if one.permission == SELECT:
        yield Grant(
            principal=one.principal,
            kind=Kind.TABLE if one.kind is Kind.FILTER else one.kind,
            permission=DESCRIBE,
            database=one.database,
            table=one.table,
            expression=one.expression,
        )


def closed(grants: Iterable[Grant]) -> frozenset[Grant]:
    """The grants, which are `merged`, with all that they imply."""
    known = frozenset(grants)
    more = {it for one in known for it in implied(one)}
    return merged(chain(known, more)) if any(it.included for it in more) else known | more


def beyond(these: Collection[Grant], those: Collection[Grant]) -> frozenset[Grant]:
    """What of these grants is neither among those nor implied by them, column by column; both are `merged`."""
    left = minus(these, those)
    # What a grant implies is on the same thing as that: only what is beside something left is worked out.
    places = {(one.database, one.table, one.expression) for one in left}
    return minus(left, closed(one for one in those if (one.database, one.table, one.expression) in places))


def least(grants: Iterable[Grant]) -> frozenset[Grant]:
    """The grants without what others of them imply."""
    known = frozenset(grants)
    return minus(known, merged(more for one in known for more in implied(one)))


def entries(grants: Iterable[Grant], *, catalog: str, revoke: bool = False) -> list[tuple[Entry, tuple[Grant, ...]]]:
    """Entries of the batch calls, each without an id, with the grants that it is for."""
    grouped: dict[tuple[Any, ...], list[Grant]] = {}
    for one in grants:
        # A column's SELECT is a resource of its own.
        place = (one.kind, one.database, one.table, one.filter, one.expression, one.included, one.excluded)
        grouped.setdefault((one.principal, *place), []).append(one)
    return [(_entry(several, catalog=catalog, revoke=revoke), tuple(several)) for several in grouped.values()]


def _entry(several: list[Grant], *, catalog: str, revoke: bool) -> Entry:
    first = several[0]
    words = {one.permission for one in several if not (revoke and one.grantable)}
    with_option = sorted({one.permission for one in several if one.grantable})
    if revoke and first.principal == EVERYBODY:
        words = {ALL}  # it was granted so, and cannot be taken away in parts
    entry = {
        "Principal": {"DataLakePrincipalIdentifier": first.principal},
        "Resource": _written(first, catalog),
        "Permissions": sorted(words),
    }
    return {**entry, "PermissionsWithGrantOption": with_option} if with_option else entry


def _written(one: Grant, catalog: str) -> dict[str, Any]:
    if one.expression:
        tags = [{"TagKey": key, "TagValues": list(values)} for key, values in one.expression]
        (first, (name, *_)), *_rest = one.expression
        what = {"Expression": tags} if first else {"ExpressionName": name}
        kind = "TABLE" if one.kind is Kind.TAGS else "DATABASE"
        return {"LFTagPolicy": {"CatalogId": catalog, "ResourceType": kind, **what}}
    if one.filter:
        names = {"DatabaseName": one.database, "TableName": one.table, "Name": one.filter}
        return {"DataCellsFilter": {"TableCatalogId": catalog, **names}}
    if one.kind is Kind.DATABASE:
        return {"Database": {"CatalogId": catalog, "Name": one.database}}
    return _written_table(one, {"CatalogId": catalog, "DatabaseName": one.database})


def _written_table(one: Grant, place: dict[str, Any]) -> dict[str, Any]:
    if one.table == "*":
        return {"Table": {**place, "TableWildcard": {}}}
    place["Name"] = one.table
    if one.included:
        return {"TableWithColumns": {**place, "ColumnNames": list(one.included)}}
    if one.excluded:
        return {"TableWithColumns": {**place, "ColumnWildcard": {"ExcludedColumnNames": list(one.excluded)}}}
    return {"Table": place}
