"""The benchmark of the gates: it measures gates that pass, and no others."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from config.loader import load
from lambdas.gates.model.gate import Scope
from tests.bench import gates
from tests.unit.config.files import write

_PLUGIN = {"pluginName": "AwsSolutions", "conclusion": "success", "violations": []}
_REPORT = {"version": "55.0.0", "title": "Validation Report", "pluginReports": [_PLUGIN]}


def test_gates_that_do_not_pass_are_not_measured(tmp_path: Path) -> None:
    config, target = write(tmp_path), tmp_path / "out"
    gate = {"name": "cdk", "scanner": "cdk_validation", "scans": "templates"}
    (config / "gates.yaml").write_text(json.dumps({"gates": [gate]}))
    target.mkdir()
    with pytest.raises(RuntimeError, match=r"there is no validation-report\.json"):
        gates.judged(load(config), Scope.TEMPLATES, target)
    (target / "validation-report.json").write_text(json.dumps(_REPORT))
    assert gates.judged(load(config), Scope.TEMPLATES, target) > 0
