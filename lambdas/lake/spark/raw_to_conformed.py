"""Glue job: an object version of the raw zone becomes rows of the conformed table, or of its quarantine."""

from __future__ import annotations

from collections.abc import Callable

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from lambdas.common.errors import GranaryError
from lambdas.lake.model.datasets import QUARANTINE_COLUMNS, Dataset, glue_columns
from lambdas.lake.spark import job
from lambdas.lake.spark.arguments import Arguments
from lambdas.lake.spark.committing import REST, commit, prepare, settle
from lambdas.lake.spark.lake import Lake, Partition, Place
from lambdas.lake.spark.reading import line_numbers, read
from lambdas.lake.spark.records import copied_name, summary, unpacked
from lambdas.lake.spark.rules import checked


def run(told: Arguments, *, lake: Lake, spark: Callable[[], SparkSession]) -> dict[str, Partition]:
    """Do it, unless it is done; Spark is started only when there are rows to be read.

    Raises:
        GranaryError: the file, its header or the table does not fit the dataset; nothing is committed then.
    """
    dataset = job.dataset(told, lake)
    table = Place(root=lake.root(told.zone), database=told.database, table=dataset.table)
    quarantine = Place(root=table.root, database=told.database, table=dataset.quarantine)
    if done := settle(lake, table, told.values, quarantine=quarantine):
        return {dataset.table: done}
    attempt = job.attempt(told)
    good, rest = (place.folder(told.values, attempt) for place in (table, quarantine))
    temporary = f"{told.temporary.rstrip('/')}/{told.object_id}/{attempt}"
    with job.removed_on_failure(lake, good, rest):
        try:
            counts = _write(told, dataset, lake=lake, spark=spark, folders=(temporary, good, rest))
        finally:
            lake.delete(temporary)
        prepare(lake, table, glue_columns(dataset.columns))
        prepare(lake, quarantine, QUARANTINE_COLUMNS)
    partition = Partition(
        values=told.values, location=good, columns=glue_columns(dataset.columns), parameters={**counts, REST: rest}
    )
    return {dataset.table: commit(lake, table, partition, quarantine=quarantine)}


def _write(
    told: Arguments,
    dataset: Dataset,
    *,
    lake: Lake,
    spark: Callable[[], SparkSession],
    folders: tuple[str, str, str],
) -> dict[str, str]:
    """Write both kinds of rows of that version, and of no later one."""
    temporary, good, rest = folders
    copy = f"{temporary}/{copied_name(told.key)}"
    lake.copy(told.bucket, told.key, told.version, copy)
    with lake.open(copy) as stream:
        expected = summary(unpacked(stream, copy), dataset)
    lines = read(spark(), copy, told=dataset.format, summary=expected)
    rows = checked(lines, dataset.columns, expected.places).cache()
    number, broken = line_numbers(rows), F.size("rules") > 0
    kept = job.write(rows.where(F.col("counts") & ~broken).select("values.*"), good)
    source = (F.lit(value) for value in (told.bucket, told.key, told.version, told.code))
    values = (F.col("record"), number, F.col("rules"), *source)
    named = (value.alias(name) for value, (name, _) in zip(values, QUARANTINE_COLUMNS, strict=True))
    quarantined = job.write(rows.where(F.col("counts") & broken).select(*named), rest)
    rows.unpersist()
    if kept + quarantined != expected.read:
        raise GranaryError(
            f"{told.key} has {expected.read} records, but {kept} good and {quarantined} quarantined ones were written: "
            "nothing is committed. This is a fault of the job: keep the object, and report it"
        )
    return job.parameters(told, read=expected.read, good=kept, quarantined=quarantined)


if __name__ == "__main__":
    job.main(run, second=False)
