"""Made-up trips keep the rules of the example's schema, but for the faults that were asked for."""

from __future__ import annotations

import csv
import io
import re

import pytest

from config.loader import CONFIG_DIR
from config.models.lake_datasets import read_dataset
from lambdas.lake.model.datasets import Column, Dataset, value_of
from lambdas.lake.spark.records import summary
from local_cloud.factory.lake_data import FAULTS, HEADER, main, trips

_FOUND, _ERRORS = read_dataset("green_trips", CONFIG_DIR / "examples" / "all")
assert _FOUND, _ERRORS
DATASET: Dataset = _FOUND.dataset


def keeps(column: Column, text: str) -> bool:
    if not text:
        return column.nullable
    try:
        value = value_of(column.type, text)
        limits = [None if limit is None else value_of(column.type, limit) for limit in (column.min, column.max)]
    except ValueError:
        return False
    low, high = limits
    return (low is None or value >= low) and (high is None or value <= high) and text in (column.one_of or (text,))


def good(line: bytes) -> bool:
    if not re.fullmatch(rb"[^\x80-\xff\"]*", line):
        return False
    fields = next(csv.reader([line.decode()]))
    return len(fields) == len(DATASET.columns) and all(map(keeps, DATASET.columns, fields))


def test_there_are_so_many_good_and_bad_rows() -> None:
    bad = {fault: number for number, fault in enumerate(FAULTS, 1)}
    content = trips(200, bad=bad, seed=3)
    header, *lines = content.splitlines()
    assert header.decode() == HEADER
    assert len([line for line in lines if good(line)]) == 200
    assert len(lines) == 200 + sum(bad.values()) == summary(io.BytesIO(content), DATASET).read


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_makes_a_row_bad(fault: str) -> None:
    (line,) = trips(0, bad={fault: 1}).splitlines()[1:]
    assert not good(line)


def test_a_seed_is_a_file() -> None:
    assert trips(5, seed=1) == trips(5, seed=1) != trips(5, seed=2)


def test_it_is_written_to_standard_output(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    main(["--rows", "3", "--type", "1", "--seed", "7"])
    assert capfdbinary.readouterr().out == trips(3, bad={"type": 1}, seed=7)
