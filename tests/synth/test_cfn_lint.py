"""cfn-lint has nothing to say about any template, in the Region that it is deployed to."""

from __future__ import annotations

import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.synth.assembly import Template

_ROOT = Path(__file__).parents[2]
REGIONS = ("us-east-1", "eu-west-1", "us-gov-west-1", "cn-north-1")


def _lint(region: str, *templates: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [
            Path(sys.executable).parent / "cfn-lint",
            "--config-file",
            _ROOT / ".cfnlintrc.yaml",
            "--regions",
            region,
            "--",
            *templates,
        ],
        cwd=_ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


def test_templates_are_clean(case_name: str, templates_of: Callable[[str], list[Template]]) -> None:
    by_region: dict[str, list[Path]] = defaultdict(list)
    for template in templates_of(case_name):
        assert template.path
        by_region[template.region].append(template.path)
    assert set(by_region) <= set(REGIONS)
    for region, paths in by_region.items():
        run = _lint(region, *paths)
        assert run.returncode == 0, run.stdout + run.stderr


@pytest.mark.parametrize("region", ["us-east-1", "cn-north-1"])
def test_cfn_lint_is_asked_the_right_way(region: str, tmp_path: Path) -> None:
    template = tmp_path / "bad.template.json"
    template.write_text('{"Resources": {"Bad": {"Type": "AWS::FIS::ExperimentTemplate", "Properties": {}}}}')
    assert "Bad" in _lint(region, template).stdout
