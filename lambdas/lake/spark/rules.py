"""Casting texts to a dataset's types, and the rules that values keep: what breaks one is named, never made null."""

from __future__ import annotations

from collections.abc import Iterator

from pyspark.sql import Column as Expression
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lambdas.lake.model.datasets import Column, pattern_of


def checked(frame: DataFrame, columns: tuple[Column, ...], places: tuple[int, ...]) -> DataFrame:
    """The rows of `reading.read` with the dataset's columns as `values`, and the `rules` that each row breaks."""
    texts = {one: f"fields.c{place}" for one, place in zip(columns, places, strict=True)}
    frame = frame.withColumn("values", F.struct(*(_typed(one, text).alias(one.name) for one, text in texts.items())))
    of = [(one, F.col(text), F.col("values")[one.name]) for one, text in texts.items()]
    broken = [F.when(breaks, f"{one.name}: {rule}") for one, *both in of for rule, breaks in _rules(one, *both)]
    # An empty array would be of no type.
    broken = F.array_compact(F.array(F.lit(None).cast("string"), *broken))
    rules = F.when(F.col("fault").isNotNull(), F.array("fault")).otherwise(broken).alias("rules")
    return frame.select("record", "place", "counts", rules, "values")


def _typed(column: Column, name: str) -> Expression:
    """The value of a text; null if it is none of the type, or out of its range."""
    if column.type == "string":
        return F.col(name)
    value = F.expr(f"try_cast({name} as {column.type})")
    if column.type == "double":
        value = F.when(F.abs(value) < F.lit(float("inf")), value)
    return F.when(F.col(name).rlike(_whole(pattern_of(column.type))), value)


def _rules(column: Column, text: Expression, value: Expression) -> Iterator[tuple[str, Expression]]:
    """What each rule is called, and whether it is broken; a condition on null is null, and breaks nothing."""
    if not column.nullable:
        yield "not null", text.isNull()
    yield f"type {column.type}", text.isNotNull() & value.isNull()
    if column.min is not None:
        yield f"min {column.min}", value < _literal(column, column.min)
    if column.max is not None:
        yield f"max {column.max}", value > _literal(column, column.max)
    if column.one_of:
        yield "one of its values", ~value.isin(*(_literal(column, one) for one in column.one_of))
    if column.pattern:
        yield "pattern", ~text.rlike(_whole(column.pattern))
    if column.min_length is not None:
        yield f"min_length {column.min_length}", F.length(text) < column.min_length
    if column.max_length is not None:
        yield f"max_length {column.max_length}", F.length(text) > column.max_length


def _literal(column: Column, text: str) -> Expression:
    return F.lit(text).cast(column.type)


def _whole(pattern: str) -> str:
    return rf"\A(?:{pattern})\z"
