"""Glue job: an object version of the raw zone becomes rows of the conformed table, or of its quarantine."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from lambdas.common.errors import GranaryError
from lambdas.lake.model.datasets import QUARANTINE_COLUMNS, Dataset, glue_columns
from lambdas.lake.spark import job
from lambdas.lake.spark.arguments import Arguments
from lambdas.lake.spark.committing import carry_out
from lambdas.lake.spark.lake import Lake, Partition, Place
from lambdas.lake.spark.reading import line_numbers, read
from lambdas.lake.spark.records import Summary, copied_name, summary, unpacked
from lambdas.lake.spark.rules import checked


def run(told: Arguments, *, lake: Lake, spark: Callable[[], SparkSession]) -> dict[str, Partition]:
    """Do it, unless it is done; Spark is started only when there are rows to be read.

    Raises:
        GranaryError: the file, its header or the table does not fit the dataset; nothing is committed then.
    """
    dataset, attempt = job.dataset(told, lake), job.attempt(told)
    table = Place(root=lake.root(told.zone), database=told.database, table=dataset.table)
    committed = carry_out(
        lake,
        table,
        values=told.values,
        columns=glue_columns(dataset.columns),
        attempt=attempt,
        write=_Conforming(told=told, dataset=dataset, attempt=attempt, lake=lake, spark=spark).write,
        quarantine=Place(root=table.root, database=told.database, table=dataset.quarantine),
    )
    return {dataset.table: committed}


@dataclass(frozen=True, kw_only=True)
class _Conforming:
    told: Arguments
    dataset: Dataset
    attempt: str
    lake: Lake
    spark: Callable[[], SparkSession]

    def write(self, good: str, rest: str) -> dict[str, str]:
        """Write both kinds of rows of that version, and of no later one."""
        told = self.told
        temporary = f"{told.temporary.rstrip('/')}/{told.object_id}/{self.attempt}"
        copy = f"{temporary}/{copied_name(told.key)}"
        try:
            self.lake.copy(told.bucket, told.key, told.version, copy)
            with self.lake.open(copy) as stream:
                expected = summary(unpacked(stream, copy), self.dataset)
            written, quarantined = self._rows(copy, expected, good, rest)
        finally:
            self.lake.delete(temporary)
        if written + quarantined != expected.read:
            raise GranaryError(
                f"{told.key} has {expected.read} records, but {written} good and {quarantined} quarantined ones were "
                "written: nothing is committed. This is a fault of the job: keep the object, and report it"
            )
        return job.parameters(told, read=expected.read, good=written, quarantined=quarantined)

    def _rows(self, copy: str, expected: Summary, good: str, rest: str) -> tuple[int, int]:
        """How many rows were written to each folder. The file is read once."""
        told = self.told
        lines = read(self.spark(), copy, told=self.dataset.format, summary=expected)
        rows = checked(lines, self.dataset.columns, expected.places).cache()
        number, broken = line_numbers(rows), F.size("rules") > 0
        source = (F.lit(value) for value in (told.bucket, told.key, told.version, told.code))
        values = (F.col("record"), number, F.col("rules"), *source)
        named = (value.alias(name) for value, (name, _) in zip(values, QUARANTINE_COLUMNS, strict=True))
        written = job.write(rows.where(F.col("counts") & ~broken).select("values.*"), good)
        quarantined = job.write(rows.where(F.col("counts") & broken).select(*named), rest)
        rows.unpersist()
        return written, quarantined


if __name__ == "__main__":
    job.main(run, second=False)
