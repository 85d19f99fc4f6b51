"""A CSV file as records, read without Spark: its header, how many records it has, and those that span lines; pure."""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, cast

from lambdas.common.errors import GranaryError
from lambdas.common.written import cut
from lambdas.lake.model.datasets import Column, CsvFormat, Dataset

_GZIP = ".gz"
FIELDS = 20_000  # Spark's parser takes 20,480


@dataclass(frozen=True, kw_only=True)
class Summary:
    """What is told of a file beforehand: the number of its records, and the place of each column in them."""

    read: int
    width: int
    places: tuple[int, ...]


def copied_name(key: str) -> str:
    """How the copy of an object is called: Spark tells by the ending whether a file is packed."""
    return f"object.csv{_GZIP if key.endswith(_GZIP) else ''}"


def unpacked(stream: IO[bytes], key: str) -> IO[bytes]:
    """The content of an object."""
    return cast("IO[bytes]", gzip.open(stream)) if key.endswith(_GZIP) else stream


def summary(stream: IO[bytes], dataset: Dataset) -> Summary:
    """Count a file's records and find its columns, apart from what Spark will read.

    Raises:
        GranaryError: the header does not fit the dataset.
    """
    told = dataset.format
    lines = _lines(stream)
    if not told.header:
        return Summary(read=_count(lines, told), width=len(dataset.columns), places=tuple(range(len(dataset.columns))))
    header = next(_records(lines, told), (0, b""))[1] if told.multi_line else next(lines, b"")
    titles = _titles(header, told)
    places = _places(titles, dataset)
    return Summary(read=_count(lines, told), width=len(titles), places=places)


def records(stream: IO[bytes], told: CsvFormat) -> Iterator[tuple[int, bytes]]:
    """Each record of a file whose fields may hold line breaks, as it is written, after the number of its first line.

    The header is none of them, and an empty line is none.
    """
    found = _records(_lines(stream), told)
    if told.header:
        next(found, None)
    return found


def _lines(stream: IO[bytes]) -> Iterator[bytes]:
    """Lines with their ends, of which there are three kinds, as for Spark."""
    # Latin-1 has a letter for each byte: nothing is lost on the way.
    for number, line in enumerate(io.TextIOWrapper(stream, encoding="latin-1", newline="")):
        content = line.encode("latin-1")
        yield content if number else content.removeprefix(codecs.BOM_UTF8)


def _records(lines: Iterator[bytes], told: CsvFormat) -> Iterator[tuple[int, bytes]]:
    csv.field_size_limit(sys.maxsize)
    kept: list[bytes] = []

    def passing() -> Iterator[str]:
        for line in lines:
            kept.append(line)
            yield line.decode("latin-1")

    reader = csv.reader(passing(), delimiter=told.delimiter)
    first = 1
    for fields in reader:
        if fields:
            yield first, b"".join(kept).rstrip(b"\r\n")
        kept.clear()
        first = reader.line_num + 1


def _count(lines: Iterator[bytes], told: CsvFormat) -> int:
    return sum(1 for _ in _records(lines, told)) if told.multi_line else sum(1 for line in lines if line.strip(b"\r\n"))


def _titles(header: bytes, told: CsvFormat) -> list[str]:
    csv.field_size_limit(sys.maxsize)
    try:
        fields = next(csv.reader([header.decode()], delimiter=told.delimiter), [])
    except UnicodeDecodeError as error:
        raise GranaryError(f"the header of the file is no UTF-8 ({error.reason}): save the file as UTF-8") from error
    if not fields:
        raise GranaryError("the file begins with no header: put the names of its columns into its first line")
    if len(fields) > FIELDS:
        raise GranaryError(f"the header has {len(fields)} columns, and a file has {FIELDS} at most: split the file")
    titles = [one.strip().casefold() for one in fields]
    if twice := sorted(one for one, times in Counter(titles).items() if times > 1):
        raise GranaryError(f"the header names {_listed(twice)} more than once: rename the columns in the file")
    return titles


def _places(titles: list[str], dataset: Dataset) -> tuple[int, ...]:
    change = f"correct the file, or change the schema of the dataset {dataset.name}"
    if absent := [one for one in map(_title, dataset.columns) if one not in titles]:
        raise GranaryError(f"the header lacks {_listed(absent)}: {change}")
    extra = sorted({*titles} - set(map(_title, dataset.columns)))
    if extra and not dataset.format.ignore_extra_columns:
        raise GranaryError(f"the header has {_listed(extra)}, which no column is: {change} (or ignore_extra_columns)")
    return tuple(titles.index(_title(one)) for one in dataset.columns)


def _title(column: Column) -> str:
    return column.title


def _listed(names: list[str]) -> str:
    return cut(", ".join(names), 500)
