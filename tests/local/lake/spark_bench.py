"""What the cases of `spark_cases` share: Spark, a lake of their own, and a look at what has landed in it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from lambdas.lake.model.datasets import DEFINITION, Column, Dataset
from lambdas.lake.spark.lake import Partition

COLUMNS = (
    Column(name="id", type="int", heading="ID", nullable=False, min="0"),
    Column(name="amount", type="decimal(6,2)"),
    Column(name="at", type="timestamp"),
    Column(name="note", max_length=12),
)
DATASET = Dataset(name="things", prefix="shop/things/", table="things", columns=COLUMNS)
HEADER = b"ID,amount,at,note\n"


@cache
def spark() -> Any:
    """The one session of all cases."""
    from lambdas.lake.spark.job import session

    return session()


def rows_of(partition: Partition) -> list[Any]:
    """The values of a partition's rows, each as Spark writes it."""
    frame = spark().read.parquet(partition.location)
    return [tuple(row) for row in frame.select(*(frame[name].cast("string") for name in frame.columns)).collect()]


@dataclass(frozen=True, kw_only=True)
class Landed:
    """What has become of a file."""

    conformed: Partition
    products: dict[str, Partition]

    @property
    def counts(self) -> tuple[int, int, int]:
        told = self.conformed.parameters
        return int(told["granary_read"]), int(told["granary_good"]), int(told["granary_quarantined"])

    @property
    def good(self) -> list[Any]:
        return rows_of(self.conformed)

    @property
    def bad(self) -> list[tuple[int, str, list[str]]]:
        """Line, row and rules of what was quarantined."""
        rows = spark().read.parquet(self.conformed.parameters["granary_quarantine"]).collect()
        return sorted((row.line, row.row, row.rules) for row in rows)

    def product(self, name: str) -> list[Any]:
        return rows_of(self.products[name])


@dataclass(frozen=True, kw_only=True)
class Bench:
    """A lake of its own for a case."""

    folder: Path

    def run(self, content: bytes, dataset: Dataset = DATASET, *, name: str = "a.csv", **queries: str) -> Landed:
        """Run both jobs on a file."""
        from lambdas.lake.spark import conformed_to_purpose_built, raw_to_conformed
        from lambdas.lake.spark.laptop import FolderLake, arguments

        definitions = self.folder / "definitions"
        definitions.mkdir(parents=True, exist_ok=True)
        (definitions / DEFINITION).write_text(dataset.to_json(), encoding="utf-8")
        for query, text in queries.items():
            (definitions / f"{query}.sql").write_text(text, encoding="utf-8")
        file = self.folder / name
        file.write_bytes(content)
        lake = FolderLake(self.folder / "lake")
        first, second = arguments(definitions, file, self.folder / "lake")
        conformed = raw_to_conformed.run(first, lake=lake, spark=spark)[dataset.table]
        return Landed(conformed=conformed, products=conformed_to_purpose_built.run(second, lake=lake, spark=spark))

    def fails(self, wanted: str, content: bytes, dataset: Dataset = DATASET, **queries: str) -> None:
        """The jobs refuse the file with this text."""
        told = "it did not fail"
        try:
            self.run(content, dataset, **queries)
        except Exception as error:
            told = str(error)
        assert wanted in told, told

    @property
    def left(self) -> list[str]:
        """Files of all zones but the raw one, and the catalog."""
        files = (path for path in (self.folder / "lake").rglob("*") if path.is_file())
        return [path.name for path in files if "raw" not in path.parts]
