"""A lake in a folder: the jobs on a laptop, `python -m lambdas.lake.spark.laptop DEFINITIONS FILE FOLDER`.

The catalog is `catalog.json` there, and a folder beside it stands for each bucket.
"""

from __future__ import annotations

import argparse
import json
import shutil
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import IO, Any

from lambdas.lake.model.commits import QUARANTINED
from lambdas.lake.model.datasets import DEFINITION, Dataset
from lambdas.lake.spark import conformed_to_purpose_built, raw_to_conformed
from lambdas.lake.spark.arguments import Arguments
from lambdas.lake.spark.job import session, tell
from lambdas.lake.spark.lake import Columns, Partition, Place, Values

_SHOWN = 10  # quarantined rows


class FolderLake:
    """See `Lake`; for one process at a time. Objects have no versions: a version is the digest of the content."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def root(self, bucket: str) -> str:
        return str(self._folder / bucket)

    def open(self, uri: str) -> IO[bytes]:
        return Path(uri).open("rb")

    def copy(self, bucket: str, key: str, version: str, uri: str) -> None:
        Path(uri).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(self._folder / bucket / key, uri)

    def delete(self, folder: str, *, but: str = "") -> None:
        for one in Path(folder).glob("*") if but else [folder]:
            if str(one) != but:
                shutil.rmtree(one, ignore_errors=True)

    def ensure_database(self, database: str) -> None:
        pass

    def columns(self, place: Place) -> Columns | None:
        found = self._table(place).get("columns")
        return None if found is None else _columns(found)

    def put_columns(self, place: Place, columns: Columns, *, before: Columns | None) -> bool:
        self._save(place, {**self._table(place), "columns": columns})
        return True

    def partition(self, place: Place, values: Values) -> Partition | None:
        found = self._table(place).get("partitions", {}).get("/".join(values))
        return found and Partition(**{**found, "values": values, "columns": _columns(found["columns"])})

    def add_partition(self, place: Place, partition: Partition) -> None:
        if not self.partition(place, partition.values):
            self.replace_partition(place, partition)

    def replace_partition(self, place: Place, partition: Partition) -> None:
        table = self._table(place)
        partitions = {**table.get("partitions", {}), "/".join(partition.values): asdict(partition)}
        self._save(place, {**table, "partitions": partitions})

    @property
    def _catalog(self) -> dict[str, Any]:
        path = self._folder / "catalog.json"
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
        return found

    def _table(self, place: Place) -> dict[str, Any]:
        found: dict[str, Any] = self._catalog.get(f"{place.database}.{place.table}", {})
        return found

    def _save(self, place: Place, table: dict[str, Any]) -> None:
        catalog = {**self._catalog, f"{place.database}.{place.table}": table}
        (self._folder / "catalog.json").write_text(json.dumps(catalog, indent=2), encoding="utf-8")


def _columns(found: Any) -> Columns:
    return tuple((name, kind) for name, kind in found)


def arguments(definitions: Path, file: Path, folder: Path) -> tuple[Arguments, Arguments]:
    """Put a file into the raw zone of a folder; answers what both jobs are told of it."""
    dataset = Dataset.from_json((definitions / DEFINITION).read_text(encoding="utf-8"))
    key, version = f"{dataset.prefix}{file.name}", sha256(file.read_bytes()).hexdigest()[:32]
    raw = folder / "raw" / key
    raw.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(file, raw)
    given = {
        "bucket": "raw",
        "key": key,
        "version": version,
        "object_id": sha256("\0".join(("raw", key, version)).encode()).hexdigest()[:32],
        "day": datetime.fromtimestamp(file.stat().st_mtime, UTC).date().isoformat(),
        "run": "laptop",
        "dataset": dataset.name,
        "definitions": str(definitions),
        "temporary": str(folder / "temporary"),
        "code": "laptop",
    }
    first = Arguments(**given, zone="conformed", database="conformed")
    second = {"zone": "purpose-built", "database": "purpose_built"}
    return first, Arguments(**given, **second, source="conformed", conformed_database="conformed")


def quarantined(lake: FolderLake, told: Arguments) -> list[dict[str, Any]]:
    """The first rows of an object that were quarantined: the row, its line, and the rules that it breaks."""
    dataset = Dataset.from_json((Path(told.definitions) / DEFINITION).read_text(encoding="utf-8"))
    place = Place(root=lake.root(told.zone), database=told.database, table=dataset.quarantine)
    found = lake.partition(place, told.values)
    if found is None or found.parameters[QUARANTINED] == "0":
        return []
    rows = session().read.parquet(found.location).orderBy("line").limit(_SHOWN)
    return [{"row": one.row, "line": one.line, "rules": list(one.rules)} for one in rows.collect()]


def main(given: Sequence[str] | None = None) -> None:
    """Run both jobs on a file, and say what has become of it."""
    parser = argparse.ArgumentParser(prog="python -m lambdas.lake.spark.laptop", description=__doc__)
    for name, text in (
        ("definitions", "folder with dataset.json and the SQL files"),
        ("file", "CSV file"),
        ("folder", "folder of the lake; made if it is absent"),
    ):
        parser.add_argument(name, type=lambda given: Path(given).resolve(), help=text)
    options = parser.parse_args(given)
    lake, jobs = FolderLake(options.folder), (raw_to_conformed.run, conformed_to_purpose_built.run)
    both = arguments(options.definitions, options.file, options.folder)
    for run, told in zip(jobs, both, strict=True):
        tell(run, told, lake)
    for row in quarantined(lake, both[0]):
        print(json.dumps(row))


if __name__ == "__main__":
    main()
