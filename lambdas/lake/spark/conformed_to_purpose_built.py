"""Glue job: the conformed rows of an object version, through the dataset's queries, become purpose-built ones."""

from __future__ import annotations

from collections.abc import Callable

from pyspark.sql import DataFrame, SparkSession

from lambdas.common.errors import GranaryError
from lambdas.lake.model.commits import GOOD
from lambdas.lake.model.datasets import PARTITION_KEYS, Dataset, ProductTable, glue_columns
from lambdas.lake.spark import job
from lambdas.lake.spark.arguments import Arguments
from lambdas.lake.spark.committing import carry_out, settle
from lambdas.lake.spark.lake import Columns, Lake, Partition, Place

# Types of Spark's that tables cannot have: a NULL without a type, and a time that is nowhere.
_NO_HIVE = ("void", "timestamp_ntz")


def run(told: Arguments, *, lake: Lake, spark: Callable[[], SparkSession]) -> dict[str, Partition]:
    """Do it for each table of the dataset that is not done; without any, Spark is not started.

    Raises:
        GranaryError: the conformed rows are not there, or a query does not fit its table.
    """
    dataset = job.dataset(told, lake)
    places = {one: Place(root=lake.root(told.zone), database=told.database, table=one.name) for one in dataset.products}
    done = {one: settle(lake, place, told.values) for one, place in places.items()}
    committed = {one.name: partition for one, partition in done.items() if partition}
    if len(committed) < len(places):
        rows, read = _conformed(told, dataset, lake=lake, spark=spark)
        rows.createOrReplaceTempView(dataset.table)
        for one in [one for one in places if one.name not in committed]:
            committed[one.name] = _make(told, one, places[one], lake=lake, spark=spark(), read=read)
    return committed


def _conformed(
    told: Arguments, dataset: Dataset, *, lake: Lake, spark: Callable[[], SparkSession]
) -> tuple[DataFrame, int]:
    """The object's rows alone, and how many they are."""
    root = lake.root(told.source)
    place = Place(root=root, database=told.conformed_database, table=dataset.table)
    partition = settle(lake, place, told.values)
    if not partition:
        raise GranaryError(f"{told.key} is not in {place.database}.{place.table}: run the first job for it")
    if not partition.location.startswith(f"{root}/"):
        raise GranaryError(f"the partition {partition.location} is outside of {root}: somebody has changed the catalog")
    schema = ", ".join(f"`{name}` {kind}" for name, kind in partition.columns)
    rows = spark().read.schema(schema).parquet(partition.location)
    if (there := rows.count()) != int(partition.parameters[GOOD]):
        raise GranaryError(
            f"{partition.location} has {there} rows, not the {partition.parameters[GOOD]} that were committed: files "
            "were removed or added there; bring them back, or remove the partition and run the first job again"
        )
    return rows, there


def _make(
    told: Arguments, product: ProductTable, place: Place, *, lake: Lake, spark: SparkSession, read: int
) -> Partition:
    result = spark.sql(job.definition(told, lake, product.sql_file))
    columns = _columns(product, tuple(result.dtypes))

    def write(folder: str, _rest: str) -> dict[str, str]:
        return job.parameters(told, read=read, good=job.write(result, folder), quarantined=0)

    return carry_out(lake, place, values=told.values, columns=columns, attempt=job.attempt(told), write=write)


def _columns(product: ProductTable, found: Columns) -> Columns:
    """The columns of a query, if they are those of the table; their types are Hive's own, too.

    Raises:
        GranaryError: with what to change in the query.
    """
    wanted = glue_columns(product.columns) or found
    if found != wanted:
        raise GranaryError(f"{product.sql_file} selects {found}, but {product.name} has {wanted}: make them the same")
    names = [name for name, _ in found]
    bad = [name for name, kind in found if kind in _NO_HIVE or name in PARTITION_KEYS or names.count(name) > 1]
    if bad := bad or [name for name in names if not name.isascii() or not name.isidentifier() or name != name.lower()]:
        raise GranaryError(
            f"{product.sql_file}: {', '.join(bad)}: give each column a name of its own in small letters, digits and _, "
            f"other than {', '.join(PARTITION_KEYS)}, and CAST what has no type that Hive knows"
        )
    return found


if __name__ == "__main__":
    job.main(run, second=True)
