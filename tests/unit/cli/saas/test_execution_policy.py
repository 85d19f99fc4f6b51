"""`execution-policy`: the committed file, and what a configuration adds to it."""

from __future__ import annotations

import json
from pathlib import Path

from typer.testing import CliRunner

from cli.app import app
from config.loader import CONFIG_DIR
from tests.unit.config.files import WORKLOADS, write


def test_of_the_committed_configuration_it_is_the_file() -> None:
    result = CliRunner().invoke(app, ["execution-policy"])
    assert result.exit_code == 0, result.stderr
    file = CONFIG_DIR / "policies" / "workload-execution.json"
    assert json.loads(result.stdout) == json.loads(file.read_text(encoding="utf-8"))


def test_it_has_what_the_configuration_names(tmp_path: Path) -> None:
    given = {"permissions_boundary": "corporate", "place": {"vpc": "/landing/vpc"}}
    write(tmp_path, workloads={**WORKLOADS, **given})
    result = CliRunner().invoke(app, ["--config", str(tmp_path), "execution-policy"])
    assert result.exit_code == 0, result.stderr
    assert "arn:*:iam::*:policy/corporate" in result.stdout
    assert "parameter/landing/vpc" in result.stdout
