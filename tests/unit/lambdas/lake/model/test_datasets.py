"""Datasets: which one a key is of, what text is a value, and that an older version reads what a later one wrote."""

from __future__ import annotations

import json
import re
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from lambdas.lake.model.datasets import (
    Column,
    CsvFormat,
    Dataset,
    ProductTable,
    dataset_of,
    glue_columns,
    pattern_of,
    value_of,
)

TRIPS = Dataset(
    name="green_trips",
    prefix="nyc_tlc/green_trips/",
    table="trips",
    columns=(
        Column(name="vendor", type="int", heading=" VendorID ", nullable=False, one_of=("1", "2"), min="1", max="2"),
        Column(name="fare", type="decimal(12,2)", pii="money", min_length=1, max_length=9, pattern="[0-9.]+"),
    ),
    format=CsvFormat(delimiter=";", multi_line=True, ignore_extra_columns=True, header=False, null_text="NULL"),
    products=(ProductTable(name="by_vendor", columns=(Column(name="n", type="bigint"),)), ProductTable(name="all")),
)


def test_a_dataset_comes_back_as_it_was_written() -> None:
    assert Dataset.from_json(TRIPS.to_json()) == TRIPS


def test_what_is_at_its_default_is_not_written() -> None:
    plain = Dataset(name="a", prefix="b/a/", table="a", columns=(Column(name="x"),))
    assert json.loads(plain.to_json()) == {"name": "a", "prefix": "b/a/", "table": "a", "columns": [{"name": "x"}]}
    assert Dataset.from_json(plain.to_json()) == plain


def test_this_version_reads_what_the_next_one_writes() -> None:
    """Jobs of the release N read definitions of N+1."""
    written: dict[str, Any] = json.loads(TRIPS.to_json())
    written["owner"] = {"name": "somebody"}
    written["format"]["compression"] = "zstd"
    for column in (*written["columns"], *written["products"][0]["columns"]):
        column["unique"] = True
    written["products"][0]["refresh"] = ["hourly"]
    assert Dataset.from_json(json.dumps(written)) == TRIPS


@pytest.mark.parametrize(
    ("field", "value", "told"),
    [
        ("table", None, "table"),
        ("columns", {"a": "int"}, "columns: .* is no list"),
        ("prefix", 7, "prefix: 7 is no str"),
    ],
)
def test_what_is_malformed_is_named(field: str, value: object, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        Dataset.from_json(json.dumps({**json.loads(TRIPS.to_json()), field: value}))


def _dataset(prefix: str) -> Dataset:
    return Dataset(name=prefix.strip("/").replace("/", "_"), prefix=prefix, table="t", columns=())


DATASETS = [_dataset(prefix) for prefix in ("shop/orders/", "shop/orders/returns/", "shop/orders_old/")]


@pytest.mark.parametrize(
    ("key", "name"),
    [
        ("shop/orders/a.csv", "shop_orders"),
        ("shop/orders/returns", "shop_orders"),
        ("shop/orders/returns/2024/a.csv", "shop_orders_returns"),
        ("shop/orders_old/a.csv", "shop_orders_old"),
        ("shop/orders", None),
        ("shop/ordersa.csv", None),
        ("/shop/orders/a.csv", None),
        ("a.csv", None),
        ("", None),
    ],
)
def test_a_key_is_of_the_dataset_with_the_longest_prefix(key: str, name: str | None) -> None:
    for datasets in (DATASETS, DATASETS[::-1]):
        found = dataset_of(key, datasets)
        assert (found and found.name) == name


VALUES: list[tuple[str, str, object]] = [
    ("int", "-2147483648", -(2**31)),
    ("int", "2147483648", None),
    ("int", "1.5", None),
    ("int", "", None),
    ("int", "1\n", None),
    ("int", "\u0661", None),
    ("bigint", "9223372036854775807", 2**63 - 1),
    ("bigint", "9223372036854775808", None),
    ("double", "-.5e-3", Decimal("-0.0005")),
    ("double", "1d", None),
    ("double", "1e400", None),
    ("double", "NaN", None),
    ("decimal(6,2)", "-12.500", Decimal("-12.5")),
    ("decimal(6,2)", ".5", Decimal("0.5")),
    ("decimal(6,2)", "12.505", None),
    ("decimal(6,2)", "0012345", None),
    ("decimal(6,2)", "-0001234.5", Decimal("-1234.5")),
    ("decimal(2,2)", "0.99", Decimal("0.99")),
    ("decimal(2,2)", "1", None),
    ("decimal(6,2)", ".", None),
    ("decimal(6,2)", "-", None),
    ("decimal(6,2)", "", None),
    ("boolean", "TRUE", "TRUE"),
    ("boolean", "on", None),
    ("date", "2024-02-29", date(2024, 2, 29)),
    ("date", "2023-02-29", None),
    ("date", "2024", None),
    ("timestamp", "1970-01-01 00:00:01", 1.0),
    ("timestamp", "1970-01-01T01:00:01+01:00", 1.0),
    ("timestamp", "1970-01-01 24:00:00", None),
    ("string", "a\nb", "a\nb"),
]


@pytest.mark.parametrize(("kind", "text", "value"), VALUES)
def test_a_text_is_a_value_or_none(kind: str, text: str, value: object) -> None:
    if value is not None:
        assert value_of(kind, text) == value
        return
    with pytest.raises(ValueError, match=r"(?s).+"):
        value_of(kind, text)


@pytest.mark.parametrize("kind", ["", "number", "decimal", "decimal(0,0)", "decimal(39,2)", "decimal(5,6)", "INT"])
def test_a_type_that_there_is_not_is_refused_with_those_that_there_are(kind: str) -> None:
    with pytest.raises(ValueError, match=re.escape(f"{kind} is no type: use one of string, int, bigint, double")):
        pattern_of(kind)


def test_the_catalog_has_the_types_of_the_dataset() -> None:
    assert glue_columns(TRIPS.columns) == (("vendor", "int"), ("fare", "decimal(12,2)"))
    assert TRIPS.tables == ("trips", "trips_quarantine", "by_vendor", "all")
    assert [one.title for one in TRIPS.columns] == ["vendorid", "fare"]
