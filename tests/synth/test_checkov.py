"""checkov finds nothing in any template, but for the checks that `.checkov.yaml` skips with a reason."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

from lambdas.gates.scanners.environments import Environments
from tests.synth.assembly import Template
from tests.synth.cases import CASES

_ROOT = Path(__file__).parents[2]


def scan(*templates: Path) -> tuple[int, list[str]]:
    """How many checks passed, and the failures."""
    checkov = Environments.here().of("checkov") / "bin" / "checkov"
    files = [argument for template in templates for argument in ("--file", str(template))]
    run = subprocess.run(
        [checkov, "--config-file", _ROOT / ".checkov.yaml", "--output", "json", *files],
        cwd=_ROOT,
        env={**os.environ, "LOG_LEVEL": "ERROR"},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert run.returncode in (0, 1), run.stdout + run.stderr
    report = json.loads(run.stdout)
    if "results" not in report:
        return int(report["passed"]), []
    failures = [
        f"{check['check_id']} {check['check_name']}: {Path(check['file_path']).name} {check['resource']}"
        for check in report["results"]["failed_checks"]
    ]
    assert report["summary"]["parsing_errors"] == 0
    return int(report["summary"]["passed"]), failures


def test_nothing_is_found(templates_of: Callable[[str], list[Template]]) -> None:
    paths = [template.path for case in CASES for template in templates_of(case) if template.path]
    passed, failures = scan(*paths)
    assert failures == []
    assert passed > len(paths)


def test_a_bad_template_is_found(tmp_path: Path) -> None:
    template = tmp_path / "bad.template.json"
    template.write_text(json.dumps({"Resources": {"Bad": {"Type": "AWS::S3::Bucket", "Properties": {}}}}))
    _, failures = scan(template)
    assert any("CKV_AWS_21" in failure for failure in failures)


def test_every_skipped_check_has_its_reason() -> None:
    lines = (_ROOT / ".checkov.yaml").read_text(encoding="utf-8").splitlines()
    skipped = [number for number, line in enumerate(lines) if line.strip().startswith("- CKV")]
    assert skipped
    assert all(lines[number - 1].strip().startswith("# ") for number in skipped)
