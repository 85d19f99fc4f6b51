"""What was seen of a catalog: tables, grants, tags and filters, and whether that is everything; pure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain

from lambdas.lake.model.governance.grants import Filter, Grant

# A database, a table and a column; the latter two are empty for what has none.
Place = tuple[str, str, str]
# Tags by key, where they were put; what is inherited is not told.
Tags = Mapping[Place, Mapping[str, str]]


@dataclass(frozen=True, kw_only=True)
class Table:
    """A table; its columns include those that it is partitioned by. `created` tells it from one of the same name."""

    database: str
    name: str
    columns: tuple[str, ...]
    created: str = ""


@dataclass(frozen=True, kw_only=True)
class Observation:
    """A look at the catalog of an account and Region (`catalog` is the account).

    Only a complete one proves that what it does not have is gone: `unseen` says what of it could not be looked at.
    `open_defaults` says what new databases and tables are given to everybody. Tags and filters are those of ours, and
    `tag_values` are the values that each key of ours may have.
    """

    catalog: str
    region: str
    databases: tuple[str, ...]
    tables: tuple[Table, ...]
    grants: frozenset[Grant] = frozenset()
    tags: Tags = field(default_factory=dict)
    tag_values: Mapping[str, frozenset[str]] = field(default_factory=dict)
    filters: frozenset[Filter] = frozenset()
    unseen: tuple[str, ...] = ()
    open_defaults: tuple[str, ...] = ()

    @property
    def complete(self) -> bool:
        """Whether everything was looked at."""
        return not self.unseen

    @property
    def digest(self) -> str:
        """SHA-256 of all that was seen, in whatever order it was."""
        # Sums have no order, and hundreds of thousands of lines are never there at once.
        whole = sum(int.from_bytes(hashlib.sha256(line.encode()).digest()) for line in self._lines())
        told = (self.catalog, self.region, self.unseen, self.open_defaults, sorted(self.databases), whole)
        return hashlib.sha256(repr(told).encode()).hexdigest()

    def _lines(self) -> Iterator[str]:
        yield from map(repr, chain(self.tables, self.grants, self.filters))
        yield from (f"{place} {sorted(tags.items())}" for place, tags in self.tags.items())


def by_database(tables: Iterable[Table]) -> dict[str, list[Table]]:
    """The tables of each database."""
    found: dict[str, list[Table]] = {}
    for one in tables:
        found.setdefault(one.database, []).append(one)
    return found
