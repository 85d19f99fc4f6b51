"""JSON schemas of the configuration's files, for editors: `python -m config.schema` writes, `--check` only compares."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from config.loader import CONFIG_DIR
from config.models import FILES
from config.models.lake_datasets import DatasetModel
from config.models.types import Model

SCHEMA_DIR = CONFIG_DIR / "schema"
_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def schemas() -> dict[str, str]:
    """Text of every schema file, by its name."""
    shapes: dict[str, type[Model]] = {**FILES, "dataset": DatasetModel}
    return {
        f"{name}.schema.json": json.dumps({"$schema": _DIALECT, **model.model_json_schema()}, indent=2) + "\n"
        for name, model in shapes.items()
    }


def write(directory: Path) -> None:
    """Write every schema file."""
    directory.mkdir(parents=True, exist_ok=True)
    for name, text in schemas().items():
        (directory / name).write_text(text, encoding="utf-8")


def drift(directory: Path) -> list[str]:
    """Names of the schema files that are not what the models say, or that no model stands behind."""
    expected = schemas()
    present = {path.name: path.read_text(encoding="utf-8") for path in directory.glob("*.schema.json")}
    return sorted(name for name in {*expected, *present} if expected.get(name) != present.get(name))


def main(arguments: Sequence[str] | None = None, *, directory: Path = SCHEMA_DIR) -> int:
    """Write the schemas, or with `--check` tell by the exit code whether they are up to date."""
    parser = argparse.ArgumentParser(prog="python -m config.schema", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail on a difference")
    if not parser.parse_args(arguments).check:
        write(directory)
        return 0
    for name in (stale := drift(directory)):
        print(f"{directory.name}/{name} is out of date: run `python -m config.schema`", file=sys.stderr)
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
