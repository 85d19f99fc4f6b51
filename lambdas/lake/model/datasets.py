"""Datasets: where their files come from, what is in a column, and what is made of them; pure.

Standard library only: Spark jobs, functions and the configuration read the same `dataset.json`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from math import isinf
from typing import Any, Protocol, TypeVar

from lambdas.common.versioned_json import Text

# What every table is partitioned by, as text: the day that the claim gives, and the object version.
PARTITION_KEYS = ("year", "month", "day", "object")
QUARANTINE = "_quarantine"
# Columns of every table of quarantined rows. A row that is no UTF-8 is kept as hexadecimal digits; its rule says so.
QUARANTINE_COLUMNS = (
    ("row", "string"),
    ("line", "bigint"),
    ("rules", "array<string>"),
    ("bucket", "string"),
    ("key", "string"),
    ("version", "string"),
    ("code", "string"),
)
# Where a dataset's definitions are, below the folder of its name.
DEFINITION = "dataset.json"

_DECIMAL = re.compile(r"decimal\(([1-9][0-9]?),([0-9]{1,2})\)")
_DIGITS = 38  # of a decimal, in Hive as in Spark
_DAY = "[0-9]{4}-[0-9]{2}-[0-9]{2}"
_FRACTION = "([0-9]+[.]?[0-9]*|[.][0-9]+)"
# Texts that are taken for a value, in a language that Java and Python share: more strict than a cast, which cuts
# 12.5 to 12, takes 2024 for a day and 1d for a number, and rounds. The cast that follows refuses what is out of range,
# as `value_of` does.
_TEXTS = {
    "string": r"(?s:.*)",
    "int": "[+-]?[0-9]+",
    "bigint": "[+-]?[0-9]+",
    "double": f"[+-]?{_FRACTION}([eE][+-]?[0-9]+)?",
    "boolean": "(?i:true|false|t|f|yes|no|y|n|1|0)",
    "date": _DAY,
    "timestamp": f"{_DAY}[ T][0-9]{{2}}:[0-9]{{2}}:[0-9]{{2}}([.][0-9]{{1,6}})?(Z|[+-][0-9]{{2}}:[0-9]{{2}})?",
}
_RANGES = {"int": 31, "bigint": 63}
TYPES = (*_TEXTS, "decimal(precision,scale)")


def pattern_of(kind: str) -> str:
    """The regular expression of the whole texts that are values of a type.

    Raises:
        ValueError: there is no such type; the text names those that there are.
    """
    if kind in _TEXTS:
        return _TEXTS[kind]
    precision, scale = map(int, found.groups()) if (found := _DECIMAL.fullmatch(kind)) else (0, 0)
    if not scale <= precision <= _DIGITS or not precision:
        raise ValueError(f"{kind} is no type: use one of {', '.join(TYPES)}")
    return f"[+-]?(?=[.]?[0-9])0*[0-9]{{0,{precision - scale}}}([.][0-9]{{0,{scale}}}0*)?"


def value_of(kind: str, text: str) -> Any:
    """What a text means, so that two of a type can be compared.

    Raises:
        ValueError: the text is no value of the type.
    """
    if not re.fullmatch(pattern_of(kind), text, re.ASCII):
        raise ValueError(f"{text} is no {kind}")
    if kind in _RANGES:
        if not -(2 ** _RANGES[kind]) <= int(text) < 2 ** _RANGES[kind]:
            raise ValueError(f"{text} is out of the range of {kind}")
        return int(text)
    if kind == "timestamp":
        moment = datetime.fromisoformat(text)
        return moment.timestamp() if moment.tzinfo else datetime.fromisoformat(f"{text}+00:00").timestamp()
    if kind == "date":
        return date.fromisoformat(text)
    if kind in ("string", "boolean"):
        return text
    if kind == "double" and isinf(float(text)):
        raise ValueError(f"{text} is out of the range of double")
    return Decimal(text)


class Prefixed(Protocol):
    """What has a place in the raw bucket."""

    @property
    def prefix(self) -> str: ...


HasPrefix = TypeVar("HasPrefix", bound=Prefixed)


@dataclass(frozen=True, kw_only=True)
class Column:
    """A column, and the rules that each of its values keeps; limits are texts as files have them."""

    name: str
    type: str = "string"
    heading: str = ""
    nullable: bool = True
    min: str | None = None
    max: str | None = None
    one_of: tuple[str, ...] = ()
    pattern: str = ""
    min_length: int | None = None
    max_length: int | None = None
    pii: str = ""

    @property
    def title(self) -> str:
        """What a file's header calls it; letters' case makes no difference."""
        return (self.heading or self.name).strip().casefold()


@dataclass(frozen=True, kw_only=True)
class CsvFormat:
    """How a dataset's files are written: CSV as RFC 4180 has it, in UTF-8; a key that ends with .gz is unpacked."""

    header: bool = True
    delimiter: str = ","
    null_text: str = ""
    multi_line: bool = False
    ignore_extra_columns: bool = False


@dataclass(frozen=True, kw_only=True)
class ProductTable:
    """A purpose-built table, made by the SQL of `<name>.sql`; without columns it has those of the query."""

    name: str
    columns: tuple[Column, ...] = ()

    @property
    def sql_file(self) -> str:
        """Name of the file with its query."""
        return f"{self.name}.sql"


@dataclass(frozen=True, kw_only=True)
class Dataset(Text):
    """Files below a prefix of the raw bucket, the conformed table that they go to, and the tables made of it."""

    name: str
    prefix: str
    table: str
    columns: tuple[Column, ...]
    format: CsvFormat = CsvFormat()
    products: tuple[ProductTable, ...] = ()

    @property
    def quarantine(self) -> str:
        """Table with the rows that break a rule."""
        return f"{self.table}{QUARANTINE}"

    @property
    def tables(self) -> tuple[str, ...]:
        """Names of all its tables, whichever database they are in."""
        return (self.table, self.quarantine, *(one.name for one in self.products))


def glue_columns(columns: Iterable[Column]) -> tuple[tuple[str, str], ...]:
    """Name and type of each column, as the catalog has them: the types of a dataset are Hive's own."""
    return tuple((one.name, one.type) for one in columns)


def dataset_of(key: str, datasets: Iterable[HasPrefix]) -> HasPrefix | None:
    """What an object of the raw bucket belongs to, a dataset or its folder: the longest prefix; None if to none."""
    return max((one for one in datasets if key.startswith(one.prefix)), key=lambda one: len(one.prefix), default=None)
