"""The JSON schemas: up to date, and telling editors what the loader would say."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from config import schema
from config.loader import CONFIG_DIR
from config.models import FILES
from tests.unit.config.files import TOOLCHAIN, WORKLOADS, changed


def test_the_committed_schemas_are_up_to_date() -> None:
    assert schema.drift(schema.SCHEMA_DIR) == []
    assert schema.main(["--check"]) == 0


def test_what_is_written_has_not_drifted(tmp_path: Path) -> None:
    directory = tmp_path / "schema"
    assert schema.main([], directory=directory) == 0
    assert schema.main(["--check"], directory=directory) == 0


def test_drift_is_told_with_its_remedy(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    schema.write(tmp_path)
    (tmp_path / "workloads.schema.json").unlink()
    (tmp_path / "toolchain.schema.json").write_text("{}", encoding="utf-8")
    (tmp_path / "forgotten.schema.json").write_text("{}", encoding="utf-8")
    assert schema.main(["--check"], directory=tmp_path) == 1
    told = capsys.readouterr().err.splitlines()
    assert [line.split("/")[1].split(" ")[0] for line in told] == [
        "forgotten.schema.json",
        "toolchain.schema.json",
        "workloads.schema.json",
    ]
    assert all(line.endswith("is out of date: run `python -m config.schema`") for line in told)


@pytest.mark.parametrize("name", FILES)
def test_each_file_names_its_schema_and_keeps_it(name: str) -> None:
    """The files of rooms are examples until somebody copies them."""
    folder, up = (CONFIG_DIR, "") if name in ("toolchain", "workloads") else (CONFIG_DIR / "examples" / "all", "../../")
    text = (folder / f"{name}.yaml").read_text(encoding="utf-8")
    assert text.startswith(f"# yaml-language-server: $schema={up}schema/{name}.schema.json\n")
    assert accepts(name, yaml.safe_load(text))


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("toolchain", changed(TOOLCHAIN, "account", 111111111111)),
        ("toolchain", changed(TOOLCHAIN, "owner", "me")),
        ("toolchain", changed(TOOLCHAIN, "source.provider", "github")),
        ("toolchain", changed(TOOLCHAIN, "ci.test_command", [])),
        ("workloads", changed(WORKLOADS, "regions", ["Frankfurt"])),
        ("workloads", changed(WORKLOADS, "component.colour", "red")),
    ],
)
def test_editors_see_the_mistakes(name: str, content: dict[str, Any]) -> None:
    assert not accepts(name, content)


def test_every_key_is_described() -> None:
    for text in schema.schemas().values():
        whole = json.loads(text)
        parts = {whole["title"]: whole, **whole["$defs"]}
        for title, part in parts.items():
            assert part["description"], title


def accepts(name: str, content: Any) -> bool:
    checked = json.loads(schema.schemas()[f"{name}.schema.json"])
    return bool(jsonschema.Draft202012Validator(checked).is_valid(content))
