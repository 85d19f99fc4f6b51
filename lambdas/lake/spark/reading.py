"""Reading a CSV file with Spark so that no byte is lost: each record as it is written, with its fields as texts."""

from __future__ import annotations

import io
from itertools import accumulate

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from lambdas.lake.model.datasets import CsvFormat
from lambdas.lake.spark.records import FIELDS, Summary, records, unpacked

# `monotonically_increasing_id` has the number of the partition above so many bits, and that of the row below them.
_BITS = 33
_MALFORMED = "malformed"


def read(spark: SparkSession, uri: str, *, told: CsvFormat, summary: Summary) -> DataFrame:
    """A row for each line or record: `record` as it is written, its `place`, whether it `counts`, and its `fields`.

    Lines that are empty and the header do not count; they are there for the numbers of the lines after them. `fault`
    says what is wrong with a whole record.
    """
    frame = _records(spark, uri, told) if told.multi_line else _lines(spark, uri, told)
    frame = frame.withColumn("text", F.decode("bytes", "UTF-8"))
    text = F.col("text")
    # What is no UTF-8 has got another letter, and so does not come back.
    readable = F.encode(text, "UTF-8") == F.col("bytes")
    schema = ", ".join([*(f"c{place} string" for place in range(summary.width)), f"{_MALFORMED} string"])
    options = {
        "sep": told.delimiter,
        "escape": '"',
        "nullValue": told.null_text,
        "multiLine": "true",  # line breaks within quotes stay as they are
        "columnNameOfCorruptRecord": _MALFORMED,
    }
    # Spark fails the whole file over a record of more fields than it can parse.
    short = F.when(_number(text, told.delimiter) < FIELDS, text)
    parsed = frame.withColumn("fields", F.from_csv(short, schema, options))
    return parsed.select(
        F.when(readable, text).otherwise(F.hex("bytes")).alias("record"),
        "place",
        "counts",
        "fields",
        F.when(~readable, "encoding: no UTF-8, kept as hexadecimal digits")
        .when(_number(text, '"') % 2 == 1, "quotes: one is not closed")
        .when(F.isnull("fields") | F.col(f"fields.{_MALFORMED}").isNotNull(), f"fields: not {summary.width}")
        .alias("fault"),
    )


def line_numbers(frame: DataFrame) -> Column:
    """The number of each row's line in the file, given all rows that were read of it."""
    part = F.shiftright("place", _BITS)
    counts = dict(frame.groupBy(part.alias("part")).count().collect())
    before = accumulate((counts.get(number, 0) for number in range(max(counts, default=0))), initial=0)
    firsts = F.array(*(F.lit(first).cast("bigint") for first in before))
    return firsts[part.cast("int")] + F.col("place").bitwiseAND(F.lit((1 << _BITS) - 1)) + 1


def _number(text: Column, letter: str) -> Column:
    """How often a letter is in a text."""
    return F.length(text) - F.length(F.replace(text, F.lit(letter), F.lit("")))


def _lines(spark: SparkSession, uri: str, told: CsvFormat) -> DataFrame:
    """Each line, read by as many workers as the file has parts, which are in the order of the file."""
    frame = spark.read.text(uri).select(
        F.col("value").cast("binary").alias("bytes"),
        F.monotonically_increasing_id().alias("place"),
    )
    counts = F.length("bytes") > 0
    return frame.withColumn("counts", counts & (F.col("place") > 0) if told.header else counts)


def _records(spark: SparkSession, uri: str, told: CsvFormat) -> DataFrame:
    """Each record, read by one worker, for only what is before a quote tells whether it opens or closes a field."""
    content = spark.read.format("binaryFile").load(uri).select("content")
    found = content.rdd.flatMap(
        lambda row: (
            (bytearray(record), line - 1, True)
            for line, record in records(unpacked(io.BytesIO(row.content), uri), told)
        )
    )
    return spark.createDataFrame(found, "bytes binary, place bigint, counts boolean", verifySchema=False)
