"""The file of permissions, as decisions read it: personas, classes of personal data, records of processing; pure."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cache, cached_property

from lambdas.common.versioned_json import Text

SELECT, DESCRIBE, ALL = "SELECT", "DESCRIBE", "ALL"
ON_DATABASES = ("ALTER", "CREATE_TABLE", DESCRIBE, "DROP")
ON_TABLES = ("ALTER", "DELETE", DESCRIBE, "DROP", "INSERT", SELECT)
# The group of everybody whom IAM allows: while it is granted something, no other grant on it means anything.
EVERYBODY = "IAM_ALLOWED_PRINCIPALS"


@dataclass(frozen=True, kw_only=True)
class PiiClass:
    """A class of personal data; `columns` are patterns of `database.table.column`."""

    name: str
    columns: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Record:
    """A record of processing activities (GDPR, article 30) about classes of personal data."""

    name: str
    classes: tuple[str, ...]
    purpose: str
    legal_basis: str
    recipients: tuple[str, ...]
    retention: str
    owner: str
    valid_until: str  # the last day on which it counts
    third_country_transfer: str = ""


@dataclass(frozen=True, kw_only=True)
class Rule:
    """What a persona may do: on tables by patterns, or without any on the databases themselves.

    `include` and `exclude` are patterns of columns, `rows` is a filter's expression on the columns `rows_by`, and
    `record` names the record of processing for which personal data are read.
    """

    databases: tuple[str, ...]
    permissions: tuple[str, ...]
    tables: tuple[str, ...] = ()
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    exclude_pii: bool = False
    rows: str = ""
    rows_by: tuple[str, ...] = ()
    record: str = ""
    grantable: bool = False

    @property
    def wanted(self) -> tuple[str, ...]:
        """Its permissions, each by its own name."""
        every = ON_TABLES if self.tables else ON_DATABASES
        return every if ALL in self.permissions else tuple(sorted(set(self.permissions)))


@dataclass(frozen=True, kw_only=True)
class Persona:
    """Whose rules these are: principals by account, each `role/...` or `user/...` as it stands in the ARN."""

    name: str
    principals: dict[str, tuple[str, ...]]
    rules: tuple[Rule, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Approval:
    """What a person has to approve before it is applied."""

    pii_gains: bool = True
    revokes: bool = True
    shrinkage_percent: int = 10


@dataclass(frozen=True, kw_only=True)
class Policy(Text):
    """The whole file; `prefix` is what the keys of our tags and the names of our filters begin with.

    Grants of `ignored` principals are their own business: neither ours, nor drift.
    """

    prefix: str
    personas: tuple[Persona, ...] = ()
    classes: tuple[PiiClass, ...] = ()
    records: tuple[Record, ...] = ()
    ignored: dict[str, tuple[str, ...]] | None = None
    use_tags: bool = True
    remove_foreign: bool = False
    remove_iam_allowed: bool = False
    approval: Approval = Approval()

    @property
    def digest(self) -> str:
        """SHA-256 of its JSON."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()

    @cached_property
    def record(self) -> dict[str, Record]:
        """The records by name."""
        return {one.name: one for one in self.records}

    def with_pii(self, declared: Mapping[str, Iterable[str]]) -> Policy:
        """The file with what schemas of datasets declare: patterns of `database.table.column` by class.

        A class that the file does not have is one that no record is about.
        """
        patterns = {one.name: one.columns for one in self.classes}
        names = dict.fromkeys([*patterns, *sorted(declared)])
        classes = (
            PiiClass(name=name, columns=(*patterns.get(name, ()), *sorted(declared.get(name, ())))) for name in names
        )
        return replace(self, classes=tuple(classes))

    def classes_of(self, database: str, table: str, column: str) -> tuple[str, ...]:
        """The classes of personal data that a column has, sorted."""
        place = f"{database}.{table}.{column}"
        its = (one for end in (*_ends(place), "*") for one in self._by_end.get(end, {}).items())
        return tuple(sorted({name for name, patterns in its if matches(patterns, place)}))

    @cached_property
    def _by_end(self) -> dict[str, dict[str, tuple[str, ...]]]:
        """The patterns of each class by the table and column that they name: schemas of datasets declare thousands."""
        found: dict[str, dict[str, list[str]]] = {}
        for one in self.classes:
            for pattern in one.columns:
                end = next((end for end in _ends(pattern) if "*" not in end), "*")
                found.setdefault(end, {}).setdefault(one.name, []).append(pattern)
        return {end: {name: tuple(some) for name, some in its.items()} for end, its in found.items()}

    def covered(self, rule: Rule, *, today: str) -> frozenset[str]:
        """Classes that a rule may read, for its record is valid."""
        record = self.record.get(rule.record)
        return frozenset(record.classes) if record and today <= record.valid_until else frozenset()

    def why_not(self, rule: Rule, classes: Iterable[str], *, today: str) -> str:
        """Why a rule may not read columns of these classes, and what to do about it."""
        named = ", ".join(sorted(set(classes)))
        if not rule.record:
            return f"personal data ({named}) without a record of processing: name one, or exclude_pii"
        record = self.record.get(rule.record)
        if record is None:
            return f"personal data ({named}) for record {rule.record}, which there is not: write it"
        if record.valid_until < today:
            return f"record {rule.record} was valid until {record.valid_until}: its owner {record.owner} renews it"
        return f"record {rule.record} is not about {named}: add the class to it, or name another record"


def _ends(place: str) -> tuple[str, str]:
    """Table and column of a place, and the column alone."""
    above, _, column = place.lower().rpartition(".")
    return f"{above.rpartition('.')[2]}.{column}", column


@cache
def _compiled(patterns: tuple[str, ...]) -> re.Pattern[str]:
    # Glue keeps the letters that a table was made with, and queries do not tell `Email` from `email`.
    every = "|".join(".*".join(map(re.escape, one.split("*"))) for one in patterns)
    return re.compile(every, re.IGNORECASE | re.DOTALL)


def matches(patterns: tuple[str, ...], name: str) -> bool:
    """Whether a name has one of the patterns, in small letters or capitals; `*` stands for any. Without, none has."""
    return bool(patterns) and _compiled(patterns).fullmatch(name) is not None
