"""What grants, tags and filters come to: who may do what with which column; pure.

A right is a word: a column that may be read, `column where rows` that may be read in part, or `[PERMISSION]` on the
table, or on the database (as a table without a name). What grants by tags of others come to is not known here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache

from lambdas.lake.model.governance.grants import Expression, Filter, Grant, Kind, closed
from lambdas.lake.model.governance.observation import Table, Tags, by_database
from lambdas.lake.model.governance.policy import DESCRIBE, SELECT

Words = frozenset[str]
# Principal, database and table.
Access = dict[tuple[str, str, str], Words]
_NO_TAGS: Tags = {}
_OPTION = " with grant option"
MAY_HAND_ON = f"[{SELECT}{_OPTION}]"


def access(
    tables: Iterable[Table], grants: Iterable[Grant], *, tags: Tags = _NO_TAGS, filters: Iterable[Filter] = ()
) -> Access:
    """All rights of all principals; what of the grants is about no table or column that there is comes to nothing."""
    return _Evaluation(tables, tags, filters).of(grants)


@cache
def _word(permission: str, option: bool) -> Words:
    return frozenset({f"[{permission}{_OPTION if option else ''}]"})


class _Evaluation:
    def __init__(self, tables: Iterable[Table], tags: Tags, filters: Iterable[Filter]) -> None:
        self._tables = by_database(tables)
        self._by_name = {(one.database, one.name): one for several in self._tables.values() for one in several}
        self._filters = {(one.database, one.table, one.name): one for one in filters}
        self._tags = tags
        self._on_columns: dict[tuple[str, str], dict[str, Mapping[str, str]]] = {}
        for (database, table, column), its in tags.items():
            if column:
                self._on_columns.setdefault((database, table), {})[column] = its
        self._same: dict[Words, Words] = {}
        self._columns = {key: self._one(frozenset(one.columns)) for key, one in self._by_name.items()}
        self._tagged = cache(self._tagged_uncached)
        self._both = cache(self._both_uncached)

    def of(self, grants: Iterable[Grant]) -> Access:
        found: Access = {}
        for grant in closed(grants):
            for database, table, words in self._rights(grant):
                if words:
                    key = (grant.principal, database, table)
                    before = found.get(key)
                    found[key] = words if before is None else self._both(before, words)
        return found

    def _one(self, words: Words) -> Words:
        """The one copy of equal sets: there are few, and hundreds of thousands who have them."""
        return self._same.setdefault(words, words)

    def _both_uncached(self, some: Words, more: Words) -> Words:
        return self._one(some | more)

    def _rights(self, grant: Grant) -> Iterator[tuple[str, str, Words]]:
        option = grant.grantable
        word = _word(grant.permission, option)
        if grant.kind is Kind.DATABASE:
            yield grant.database, "", word
        elif grant.kind is Kind.FILTER:
            yield grant.database, grant.table, word if option else self._filtered(grant)
        elif grant.kind is Kind.TAGS:
            for database, table, columns, whole in self._tagged(grant.expression):
                if grant.permission == SELECT and not option:
                    yield database, table, columns
                elif whole or grant.permission in (SELECT, DESCRIBE):
                    yield database, table, word
        elif grant.kind is Kind.TABLE:
            names = self._names(grant)
            for name in names:
                selects = grant.permission == SELECT and not option
                yield grant.database, name, self._selected(grant, name) if selects else word

    def _names(self, grant: Grant) -> Iterable[str]:
        if grant.table == "*":
            return [one.name for one in self._tables.get(grant.database, ())]
        return [grant.table] if (grant.database, grant.table) in self._by_name else []

    def _selected(self, grant: Grant, name: str) -> Words:
        every = self._columns[(grant.database, name)]
        if grant.included:
            return self._one(every.intersection(grant.included))
        return self._one(every.difference(grant.excluded)) if grant.excluded else every

    def _filtered(self, grant: Grant) -> Words:
        cells = self._filters.get((grant.database, grant.table, grant.filter))
        there = self._columns.get((grant.database, grant.table), frozenset[str]())
        names = there.intersection(cells.columns) if cells else ()
        return self._one(frozenset(f"{name} where {cells.rows}" for name in names)) if cells else frozenset()

    def _tagged_uncached(self, expression: Expression) -> list[tuple[str, str, Words, bool]]:
        """Tables with the columns that have the tags, and whether that is all of the table."""
        found: list[tuple[str, str, Words, bool]] = []
        for (database, name), table in self._by_name.items():
            above = {**self._tags.get((database, "", ""), {}), **self._tags.get((database, name, ""), {})}
            names = self._columns_with(table, above, expression)
            bare = not table.columns and all(above.get(key) in values for key, values in expression)
            if names or bare:
                whole = len(names) == len(table.columns)
                words = self._columns[(database, name)] if whole else self._one(frozenset(names))
                found.append((database, name, words, whole))
        return found

    def _columns_with(self, table: Table, above: Mapping[str, str], expression: Expression) -> Sequence[str]:
        """The columns whose tags, their own before those of the table, have all keys."""
        own = self._on_columns.get((table.database, table.name), {})
        keys = {key for its in own.values() for key in its} if own else ()
        differing = [(key, values) for key, values in expression if key in keys]
        if any(above.get(key) not in values for key, values in expression if key not in keys):
            return ()
        nothing: Mapping[str, str] = {}
        return [
            column
            for column in table.columns
            if all(own.get(column, nothing).get(key, above.get(key)) in values for key, values in differing)
        ]


def who_can(rights: Access, database: str, table: str, column: str = "") -> dict[str, Words]:
    """The principals that have rights on a table, or may read a column of it (some of its rows, too)."""
    found = {who: words for (who, *place), words in rights.items() if place == [database, table]}
    if not column:
        return found
    starts = (f"{column} where ", f"{column}\n")
    chosen = {who: frozenset(it for it in words if f"{it}\n".startswith(starts)) for who, words in found.items()}
    return {who: words for who, words in chosen.items() if words}


def what_can(rights: Access, principal: str) -> dict[tuple[str, str], Words]:
    """The rights of a principal by database and table."""
    return {(database, table): words for (who, database, table), words in rights.items() if who == principal}


def spoken(words: Words, columns: Iterable[str]) -> str:
    """Rights on a table as people say them."""
    every = list(columns)
    read = [one for one in every if one in words]
    missing = [one for one in every if one not in words]
    told = sorted(words.difference(every))
    if read and not missing:
        told.insert(0, "all columns")
    elif read:
        told.insert(0, f"all columns but {', '.join(missing)}" if len(missing) < len(read) else ", ".join(read))
    return "; ".join(told)
