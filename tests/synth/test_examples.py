"""The example components: each takes the demo's place by the users' zone alone, and passes all rules."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from local_cloud.cloud import PROJECT_ROOT
from local_cloud.factory.workspace import Workspace
from tests.synth.assembly import Template, read_templates
from tests.synth.configurations import AWS
from tests.synth.synthesis import REPORT

EXAMPLES = sorted(path for path in (PROJECT_ROOT / "examples").glob("component-*"))
# A part of what `make test` asks of it, with the exceptions that it names itself.
_RULES = ("tests/synth/test_security.py::test_every_template_keeps_the_rule", "-k", "tenants-runs")
Checked = tuple[subprocess.CompletedProcess[str], Path]


@pytest.fixture(scope="module", params=EXAMPLES, ids=lambda path: path.name)
def checked(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Checked:
    """What the house's rules say in a project whose zone is the example's, and the assembly of two tenants there."""
    root, out = tmp_path_factory.mktemp("project"), tmp_path_factory.mktemp("out")
    workspace = Workspace(root)
    workspace.fill(overlay={"workloads": {"component": {}}})
    for folder in ("component", "tests/component"):
        shutil.rmtree(root / folder)
    shutil.copytree(request.param, root, dirs_exist_ok=True)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-n", "0", "-p", "no:cacheprovider", f"--basetemp={out}", *_RULES],
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        check=False,
    )
    return done, out / "synth" / "tenants-runs"


@pytest.fixture(scope="module")
def assembly(checked: Checked) -> Path:
    """The assembly."""
    return checked[1]


@pytest.fixture(scope="module")
def templates(assembly: Path) -> list[Template]:
    """The templates of its tenants' stacks."""
    return [one for one in read_templates(assembly, place=AWS, given=()) if not one.stack.endswith("-pipeline")]


def test_it_passes_the_rules_of_synthesis(assembly: Path) -> None:
    report = json.loads((assembly / REPORT).read_text(encoding="utf-8"))
    assert [one["ruleName"] for plugin in report["pluginReports"] for one in plugin["violations"]] == []


def test_its_stacks_are_the_tenants_and_in_order(assembly: Path, templates: list[Template]) -> None:
    names = {one.stack for one in templates}
    assert names >= {"silo-acme-resources", "pool-shared-1-resources"}
    pipelines = [one for one in read_templates(assembly, place=AWS, given=()) if one.stack == "silo-acme-pipeline"]
    ((_, pipeline),) = pipelines[0].resources("AWS::CodePipeline::Pipeline")
    deployed = sorted(
        (action["RunOrder"], action["Configuration"]["StackName"])
        for action in pipeline["Properties"]["Stages"][-1]["Actions"]
        if action["Configuration"].get("ActionMode") == "CHANGE_SET_EXECUTE"
    )
    assert [name for _, name in deployed] == ["silo-acme-data", "silo-acme-resources"]
    assert len({order for order, _ in deployed}) == len(deployed)


def test_its_templates_keep_the_houses_rules(checked: Checked) -> None:
    done, _ = checked
    assert done.returncode == 0, done.stdout


def test_what_holds_data_is_declared(templates: list[Template]) -> None:
    (data_stack,) = [one for one in templates if one.stack == "silo-acme-data"]
    values = [output["Value"] for name, output in data_stack.body["Outputs"].items() if "Stateful" in name]
    assert values == ["dynamodb-table:silo-acme-notes"]
