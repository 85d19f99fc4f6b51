"""What the file of permissions means for the tables that there are: each right by name, and what is refused; pure.

Who may not read all classes of personal data is granted columns one by one, never a whole table: a column that comes
tomorrow may be personal data, and is nobody's until it was looked at. Who may read all of them is granted tables, and
all tables of a database with one grant.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from lambdas.lake.model.governance.grants import Filter, Grant, Kind
from lambdas.lake.model.governance.observation import Observation, Table, Tags, by_database
from lambdas.lake.model.governance.policy import SELECT, Policy, Rule, matches


@dataclass(frozen=True, kw_only=True)
class Refused:
    """Columns of tables that a rule asks for and does not get."""

    persona: str
    database: str
    tables: tuple[str, ...]
    columns: tuple[str, ...]
    reason: str


_NO_ROWS = "rows are chosen by columns that are not there: give the tables that have them a rule of their own"

# The columns of personal data with their classes, by database and table.
Classes = Mapping[tuple[str, str], Mapping[str, tuple[str, ...]]]


@dataclass(frozen=True, kw_only=True)
class Desired:
    """All that should be there, each grant with its reason; `remark` says why nothing is granted by tags, if so."""

    grants: Mapping[Grant, str]
    classes: Classes
    filters: frozenset[Filter] = frozenset()
    tags: Tags = field(default_factory=dict)
    refused: tuple[Refused, ...] = ()
    remark: str = ""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A rule of a persona in this account: `why` names it, `covered` are the classes that its record lets it read."""

    principals: tuple[str, ...]
    persona: str
    rule: Rule
    why: str
    covered: frozenset[str]
    sees_all: bool  # whether no class of personal data, known or new, is closed to it

    @property
    def plain(self) -> bool:
        """Whether it is about whole tables, or their columns by class."""
        rule = self.rule
        return bool(rule.tables) and not (rule.include or rule.exclude or rule.rows)

    @property
    def open(self) -> bool:
        """Whether it is about whole tables, whatever columns they will have."""
        return self.plain and self.sees_all and not self.rule.exclude_pii

    @property
    def limited(self) -> bool:
        """Whether columns are read, and not all that there are or will be."""
        return bool(self.rule.tables) and SELECT in self.rule.wanted and not self.open

    @property
    def whole(self) -> tuple[str, ...]:
        """Its permissions that are about whole tables."""
        return tuple(word for word in self.rule.wanted if word != SELECT or self.open)

    def variants(self, bare: Grant) -> Iterator[Grant]:
        """A grant for each of its principals."""
        for principal, grantable in self.holders:
            yield replace(bare, principal=principal, grantable=grantable)

    @property
    def holders(self) -> Iterator[tuple[str, bool]]:
        """Each principal, and once more if it may hand on what it may do."""
        for principal in self.principals:
            yield principal, False
            if self.rule.grantable:
                yield principal, True


def classes_of(policy: Policy, tables: Iterable[Table]) -> Classes:
    """The columns of personal data of all tables."""
    found: dict[tuple[str, str], dict[str, tuple[str, ...]]] = {}
    for table in tables:
        named = ((one, policy.classes_of(table.database, table.name, one)) for one in table.columns)
        found[(table.database, table.name)] = {one: classes for one, classes in named if classes}
    return found


def asked(policy: Policy, *, catalog: str, partition: str, today: str) -> list[Asked]:
    """The rules that concern the principals of an account."""
    every = {one.name for one in policy.classes}
    found: list[Asked] = []
    for persona in policy.personas:
        principals = arns(persona.principals, account=catalog, partition=partition)
        for number, rule in enumerate(persona.rules if principals else (), 1):
            covered = policy.covered(rule, today=today)
            why = f"{persona.name}, rule {number}" + (f", record {rule.record}" if covered else "")
            one = Asked(
                principals=principals,
                persona=persona.name,
                rule=rule,
                why=why,
                covered=covered,
                sees_all=every <= covered,
            )
            found.append(one)
    return found


def arns(principals: Mapping[str, tuple[str, ...]], *, account: str, partition: str) -> tuple[str, ...]:
    """The ARNs of principals of an account."""
    return tuple(f"arn:{partition}:iam::{account}:{name}" for name in principals.get(account, ()))


class Named:
    """Works out the grants by name of rules, one after the other."""

    def __init__(self, policy: Policy, seen: Observation, classes: Classes, *, today: str) -> None:
        self._policy, self._seen, self._classes, self._today = policy, seen, classes, today
        self._tables = by_database(seen.tables)
        self._columns: dict[tuple[str, str], dict[tuple[str, bool], list[tuple[tuple[str, ...], str]]]] = {}
        self._same: dict[tuple[tuple[str, ...], ...], tuple[str, ...]] = {}
        self.grants: dict[Grant, str] = {}
        self.filters: set[Filter] = set()
        self._refused: dict[tuple[str, str, Rule, frozenset[str], str, tuple[str, ...]], list[str]] = {}

    def add(self, one: Asked, *, by_tags: bool = False) -> None:
        """Add what a rule asks for; with `by_tags` only what tags will not grant, and all that is refused."""
        for database in self._seen.databases:
            if not matches(one.rule.databases, database):
                continue
            if not one.rule.tables:
                bare = Grant(principal="", kind=Kind.DATABASE, permission="", database=database)
                self._grant(bare, one, one.rule.wanted)
                continue
            tables = [it for it in self._tables.get(database, ()) if matches(one.rule.tables, it.name)]
            by_name = [] if by_tags else [it.name for it in tables]
            for name in ["*"] if "*" in one.rule.tables else by_name:
                bare = Grant(principal="", kind=Kind.TABLE, permission="", database=database, table=name)
                self._grant(bare, one, one.whole)
            if one.limited:
                for table in tables:
                    names = self._readable(table, one)
                    if names and not by_tags:
                        self._select(table, names, one)

    def _readable(self, table: Table, one: Asked) -> tuple[str, ...]:
        """The columns of a table that a rule may read; what it asks for and may not is refused."""
        rule, classes = one.rule, self._classes[(table.database, table.name)]
        shut = (
            classes.keys()
            if rule.exclude_pii
            else {it for it, its in classes.items() if not one.covered.issuperset(its)}
        )
        names: Sequence[str] = table.columns
        if not one.plain:
            names = [it for it in names if not rule.include or matches(rule.include, it)]
            names = [it for it in names if not matches(rule.exclude, it)]
        if shut and not rule.exclude_pii and (closed := tuple(it for it in names if it in shut)):
            missing = frozenset(word for it in closed for word in classes[it]) - one.covered
            self._refuse(table, one, missing, closed)
        return tuple(it for it in names if it not in shut) if shut else tuple(names)

    def _refuse(self, table: Table, one: Asked, classes: frozenset[str], columns: tuple[str, ...]) -> None:
        """Refuse columns for their classes; those without are what rows are chosen by, and not there."""
        key = (one.persona, one.why, one.rule, classes, table.database, columns)
        self._refused.setdefault(key, []).append(table.name)

    def _select(self, table: Table, names: tuple[str, ...], one: Asked) -> None:
        if absent := {*one.rule.rows_by} - {it.lower() for it in table.columns}:
            self._refuse(table, one, frozenset(), tuple(sorted(absent)))
            return
        if one.rule.rows:
            cells = filter_of(self._policy.prefix, table, columns=names, rows=one.rule.rows)
            self.filters.add(cells)
            bare = Grant(principal="", kind=Kind.FILTER, permission=SELECT, database=table.database, table=table.name)
            self._grant(replace(bare, filter=cells.name), one, (SELECT,))
            return
        held = self._columns.setdefault((table.database, table.name), {})
        for holder in one.holders:
            held.setdefault(holder, []).append((names, one.why))

    def _grant(self, bare: Grant, one: Asked, words: Iterable[str]) -> None:
        for word in words:
            for grant in one.variants(replace(bare, permission=word)):
                self.grants.setdefault(grant, one.why)

    def refused(self) -> tuple[Refused, ...]:
        """All that was refused, and why."""
        return tuple(
            Refused(
                persona=persona,
                database=database,
                tables=tuple(sorted(tables)),
                columns=columns,
                reason=self._policy.why_not(rule, missing, today=self._today) if missing else _NO_ROWS,
            )
            for (persona, _, rule, missing, database, columns), tables in self._refused.items()
        )

    def all(self) -> dict[Grant, str]:
        """All grants, those on the columns of one table in one."""
        whole = dict(self.grants)
        for (database, table), held in self._columns.items():
            for (principal, grantable), parts in held.items():
                grant = Grant(
                    principal=principal,
                    kind=Kind.TABLE,
                    permission=SELECT,
                    database=database,
                    table=table,
                    included=self._union(tuple(some for some, _ in parts)),
                    grantable=grantable,
                )
                whole[grant] = "; ".join(dict.fromkeys(why for _, why in parts))
        return whole

    def _union(self, parts: tuple[tuple[str, ...], ...]) -> tuple[str, ...]:
        """The one copy of equal columns: there are few, and hundreds of thousands of grants on them."""
        if parts not in self._same:
            self._same[parts] = tuple(sorted({name for some in parts for name in some}))
        return self._same[parts]


def filter_of(prefix: str, table: Table, *, columns: tuple[str, ...], rows: str) -> Filter:
    """The filter of these columns and rows of a table."""
    told = hashlib.sha256(repr((sorted(columns), rows)).encode()).hexdigest()[:16]
    return Filter(
        database=table.database,
        table=table.name,
        name=f"{prefix}-{told}",
        columns=tuple(sorted(columns)),
        rows=rows,
    )


def is_our_filter(name: str, *, prefix: str) -> bool:
    """Whether a filter is one of ours: another factory's prefix may begin with this one's."""
    return re.fullmatch(rf"{re.escape(prefix)}-[0-9a-f]{{16}}", name) is not None
