"""What both jobs do alike."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from io import BytesIO
from secrets import token_hex
from typing import Protocol
from zipfile import ZipFile

from pyspark.sql import DataFrame, SparkSession

from lambdas.lake.model.commits import CODE, GOOD, OBJECT, QUARANTINED, READ, RUN
from lambdas.lake.model.datasets import DEFINITION, Dataset
from lambdas.lake.spark.arguments import Arguments, parse
from lambdas.lake.spark.aws import AwsLake
from lambdas.lake.spark.lake import Lake, Partition


class Run(Protocol):
    """A job: does it unless it is done, and answers what is committed, by table."""

    def __call__(self, told: Arguments, *, lake: Lake, spark: Callable[[], SparkSession]) -> dict[str, Partition]: ...


def main(run: Run, *, second: bool) -> None:
    """Run a job as Glue does."""
    tell(run, parse(sys.argv[1:], second=second), AwsLake())


def tell(run: Run, told: Arguments, lake: Lake) -> None:
    """Run a job, and print what is committed."""
    for table, committed in run(told, lake=lake, spark=session).items():
        print(json.dumps({"table": table, "location": committed.location, **committed.parameters}, sort_keys=True))


def session() -> SparkSession:
    """The one session of a job. Times are UTC as they stand in the file, days of long ago stay what they are, and what
    a query cannot compute is an error instead of NULL.
    """
    spark = SparkSession.builder.getOrCreate()
    for key, value in (
        ("spark.sql.ansi.enabled", "true"),
        ("spark.sql.session.timeZone", "UTC"),
        ("spark.sql.parquet.outputTimestampType", "TIMESTAMP_MICROS"),
        ("spark.sql.parquet.datetimeRebaseModeInWrite", "CORRECTED"),
        ("spark.sql.parquet.datetimeRebaseModeInRead", "CORRECTED"),
    ):
        spark.conf.set(key, value)
    return spark


def definition(told: Arguments, lake: Lake, name: str = DEFINITION) -> str:
    """A file of the dataset's definitions, which come with the job as one archive, or are in a folder of a laptop."""
    if not told.definitions.endswith(".zip"):
        return lake.open(f"{told.definitions.rstrip('/')}/{name}").read().decode()
    with ZipFile(BytesIO(lake.open(told.definitions).read())) as archive:
        return archive.read(f"{told.dataset}/{name}").decode()


def dataset(told: Arguments, lake: Lake) -> Dataset:
    """The dataset, as it was deployed with the job."""
    return Dataset.from_json(definition(told, lake))


def attempt(told: Arguments) -> str:
    """A name that no other attempt has: a run may be tried again, and what it wrote before may be committed."""
    return f"{told.run}-{token_hex(4)}"


def write(frame: DataFrame, folder: str) -> int:
    """Write rows, and count what has arrived."""
    frame.write.parquet(folder)
    return int(frame.sparkSession.read.schema(frame.schema).parquet(folder).count())


def parameters(told: Arguments, *, read: int, good: int, quarantined: int) -> dict[str, str]:
    """What the partition says of itself."""
    return {
        READ: str(read),
        GOOD: str(good),
        QUARANTINED: str(quarantined),
        CODE: told.code,
        RUN: told.run,
        OBJECT: told.object_id,
    }
