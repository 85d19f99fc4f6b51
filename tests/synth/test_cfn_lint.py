"""cfn-lint has nothing to say about any template, in the Region that it is deployed to."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.synth.assembly import Template
from tests.synth.cases import CASES

_ROOT = Path(__file__).parents[2]
REGIONS = ("us-east-1", "eu-west-1", "us-gov-west-1", "us-gov-east-1", "cn-north-1", "cn-northwest-1")


def lint(region: str, *templates: Path) -> subprocess.CompletedProcess[str]:
    """What cfn-lint says of templates in a Region."""
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


@pytest.mark.parametrize("region", REGIONS)
def test_templates_are_clean(region: str, templates_of: Callable[[str], list[Template]]) -> None:
    cases = [name for name, case in CASES.items() if region in case.place.regions]
    templates = [template for name in cases for template in templates_of(name) if template.region == region]
    assert templates
    run = lint(region, *(template.path for template in templates if template.path))
    assert run.returncode == 0, run.stdout + run.stderr


def test_no_region_is_left_out() -> None:
    assert set(REGIONS) == {region for case in CASES.values() for region in case.place.regions}


@pytest.mark.parametrize(
    ("region", "complaint"), [("us-east-1", "'RoleArn' is a required property"), ("cn-north-1", "does not exist in")]
)
def test_a_bad_template_is_found_by_the_rules_of_its_region(region: str, complaint: str, tmp_path: Path) -> None:
    template = tmp_path / "bad.template.json"
    template.write_text('{"Resources": {"Bad": {"Type": "AWS::FIS::ExperimentTemplate", "Properties": {}}}}')
    assert complaint in lint(region, template).stdout
