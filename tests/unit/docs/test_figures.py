"""Figures in the README are those that the command line prints."""

from __future__ import annotations

import re
from pathlib import Path

from typer.testing import CliRunner

from cli.app import app

ROOT = Path(__file__).parents[3]


def test_what_tenants_cost_is_what_the_command_says() -> None:
    said = CliRunner().invoke(app, ["--config", str(ROOT / "config"), "plan", "cost"]).stdout
    table = re.search(r"```text\n( tenants .*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)

    assert table
    assert table.group(1) in said
