"""The page about the command line says what there is."""

from __future__ import annotations

import json
import re
from pathlib import Path

from typer.main import get_command
from typer.testing import CliRunner

from cli.app import app
from cli.common.exits import Exit

_PAGE = (Path(__file__).parents[4] / "docs" / "saas" / "cli.md").read_text(encoding="utf-8")


def test_every_command_is_on_the_page() -> None:
    plain = {
        "list",
        "status",
        "validate",
        "release",
        "resume",
        "approve",
        "reject",
        "retire",
        "suspend",
        "activate",
        "pin",
        "unpin",
        "adopt",
    }
    expected = {
        *plain,
        "bootstrap-template",
        "upstream",
        "component check",
        "execution-policy",
        "rooms",
        "cleanup",
        "retry",
        "repair",
        "logs",
        "plan cost",
        "plan reconcile",
        "plan release",
        "plan retire",
    }
    # Other rooms' commands have pages of their own.
    others = {"gates", "lake", "chaos", "failover"}
    assert set(get_command(app).commands) - others == {name.split()[0] for name in expected}  # type: ignore[attr-defined]
    told = re.findall(r"`granary ((?:plan |component )?[a-z-]+)[^`]*`", _PAGE.split("## What")[0])
    assert set(told) - others == expected


def test_every_exit_code_is_on_the_page() -> None:
    assert set(map(int, re.findall(r"^\| (\d+) \|", _PAGE, re.MULTILINE))) == set(Exit)


def test_the_example_is_what_is_said(configuration: Path, tmp_path: Path) -> None:
    row = {"id": "acme", "type": "silo", "account": 222222222222, "regoin": "eu-west-1"}
    good = {"id": "beta", "type": "pool", "account": "222222222222", "region": "eu-west-1"}
    file = tmp_path / "rows.json"
    file.write_text(json.dumps([row, good]))
    result = CliRunner().invoke(app, ["--config", str(configuration), "validate", str(file)])
    said = f"$ granary validate rows.json\n{result.stdout}{result.stderr}"
    assert f"```text\n{said}```" in _PAGE
