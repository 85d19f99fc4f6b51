"""The example and the README's component: each takes the demo's place by the users' zone alone, and keeps all rules."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from local_cloud.cloud import PROJECT_ROOT
from local_cloud.factory.workspace import Workspace
from tests.synth.assembly import Template, read_templates
from tests.synth.configurations import AWS
from tests.synth.synthesis import REPORT
from tests.unit.docs.markdown import blocks

_EXAMPLE = PROJECT_ROOT / "examples" / "component-serverless"
# The stacks of a tenant in their order, and what of them is declared to hold data.
ZONES = {
    _EXAMPLE.name: (["silo-acme-data", "silo-acme-resources"], ["dynamodb-table:silo-acme-notes"]),
    "README.md": (["silo-acme-resources"], ["dynamodb-table:silo-acme-orders"]),
}
# A part of what `make test` asks of it, with the exceptions that it names itself.
_RULES = ("tests/synth/test_security.py::test_every_template_keeps_the_rule", "-k", "tenants-runs")
Checked = tuple[subprocess.CompletedProcess[str], Path]


def _put_example(workspace: Workspace) -> None:
    for folder in ("component", "tests/component"):
        shutil.rmtree(workspace.root / folder)
    shutil.copytree(_EXAMPLE, workspace.root, dirs_exist_ok=True)
    workspace.configure("workloads", {"component": {}})


def _put_readmes(workspace: Workspace) -> None:
    """What the README says under "Your component", where it has its first code."""
    _put_example(workspace)
    python, settings = (next(blocks(PROJECT_ROOT / "README.md", language)) for language in ("python", "yaml"))
    zone = workspace.root / "component"
    (zone / "mine.py").write_text(python.text, encoding="utf-8")
    (zone / "__init__.py").write_text("from component.mine import SPEC, build\n", encoding="utf-8")
    (zone / "local.yaml").write_text("nothing-runs: {}\nruns: {}\n", encoding="utf-8")
    workspace.configure("workloads", yaml.safe_load(settings.text))


@pytest.fixture(scope="module", params=ZONES)
def zone(request: pytest.FixtureRequest) -> str:
    """Each zone in turn."""
    return str(request.param)


@pytest.fixture(scope="module")
def checked(zone: str, tmp_path_factory: pytest.TempPathFactory) -> Checked:
    """What the house's rules say in a project that has the zone, and the assembly of two tenants there."""
    root, out = tmp_path_factory.mktemp("project"), tmp_path_factory.mktemp("out")
    workspace = Workspace(root)
    workspace.fill(overlay={})
    (_put_readmes if zone == "README.md" else _put_example)(workspace)
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


def test_its_stacks_are_the_tenants_and_in_order(zone: str, assembly: Path, templates: list[Template]) -> None:
    names = {one.stack for one in templates}
    assert names >= {"silo-acme-resources", "pool-shared-1-resources"}
    pipelines = [one for one in read_templates(assembly, place=AWS, given=()) if one.stack == "silo-acme-pipeline"]
    ((_, pipeline),) = pipelines[0].resources("AWS::CodePipeline::Pipeline")
    deployed = sorted(
        (action["RunOrder"], action["Configuration"]["StackName"])
        for action in pipeline["Properties"]["Stages"][-1]["Actions"]
        if action["Configuration"].get("ActionMode") == "CHANGE_SET_EXECUTE"
    )
    assert [name for _, name in deployed] == ZONES[zone][0]
    assert len({order for order, _ in deployed}) == len(deployed)


def test_its_templates_keep_the_houses_rules(checked: Checked) -> None:
    done, _ = checked
    assert done.returncode == 0, done.stdout


def test_what_holds_data_is_declared(zone: str, templates: list[Template]) -> None:
    stack = next(one for one in templates if one.stack == ZONES[zone][0][0])
    values = [output["Value"] for name, output in stack.body["Outputs"].items() if "Stateful" in name]
    assert values == ZONES[zone][1]


def test_what_a_row_does_not_say_is_the_default(zone: str, templates: list[Template]) -> None:
    """Given the README's component, whose address is a parameter of rows."""
    stack = next(one for one in templates if one.stack == "silo-acme-resources")
    told = stack.body["Outputs"]["GranaryPublicAddress"]["Value"]
    assert (told == "https://none.example.com") is (zone == "README.md")
