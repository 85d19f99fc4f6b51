"""The examples and the README's component: each takes the demo's place by the users' zone alone, and keeps rules."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from lambdas.saas.model.tasks import Task
from local_cloud.cloud import PROJECT_ROOT
from local_cloud.factory.workspace import Workspace
from stacks.common.policy_parts import LIMIT, size_of
from stacks.saas.policy_grants import grants_of, uncovered
from tests.example_zones import put_example
from tests.synth.assembly import Template, read_templates
from tests.synth.configurations import AWS
from tests.synth.synthesis import REPORT
from tests.synth.test_cfn_lint import lint
from tests.synth.test_checkov import scan
from tests.unit.docs.markdown import blocks

_SERVERLESS, _ECS, _README = "component-serverless", "component-ecs", "README.md"
# The stacks of a tenant in their order, and what of them is declared to hold data.
ZONES = {
    _SERVERLESS: (["silo-acme-data", "silo-acme-resources"], ["dynamodb-table:silo-acme-notes"]),
    _ECS: (["silo-acme-data", "silo-acme-resources"], ["rds-cluster:silo-acme-shop"]),
    _README: (["silo-acme-resources"], ["dynamodb-table:silo-acme-orders"]),
}
# A part of what `make test` asks of it, with the exceptions that it names itself.
_RULES = ("tests/synth/test_security.py::test_every_template_keeps_the_rule", "-k", "tenants-runs")
Checked = tuple[subprocess.CompletedProcess[str], Path]


def put_readmes(workspace: Workspace) -> None:
    """What the README says under "Your component", where it has its first code."""
    put_example(workspace, _SERVERLESS)
    python, settings = (next(blocks(PROJECT_ROOT / "README.md", language)) for language in ("python", "yaml"))
    zone = workspace.root / "component"
    (zone / "mine.py").write_text(python.text, encoding="utf-8")
    (zone / "__init__.py").write_text("from component.mine import SPEC, build\n", encoding="utf-8")
    (zone / "local.yaml").write_text("nothing-runs: {}\nruns: {}\n", encoding="utf-8")
    workspace.configure("workloads", {"tiers": {}, **yaml.safe_load(settings.text)})


@pytest.fixture(scope="module", params=ZONES)
def zone(request: pytest.FixtureRequest) -> str:
    """Each zone in turn."""
    return str(request.param)


@pytest.fixture(scope="module")
def project(zone: str, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A project that has the zone."""
    workspace = Workspace(tmp_path_factory.mktemp("project"))
    workspace.fill(overlay={})
    if zone == _README:
        put_readmes(workspace)
    else:
        put_example(workspace, zone)
    return workspace


@pytest.fixture(scope="module")
def checked(project: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Checked:
    """What the house's rules say in that project, and the assembly of two tenants there."""
    out = tmp_path_factory.mktemp("out")
    words = ["pytest", "-q", "-n", "0", "-p", "no:cacheprovider", f"--basetemp={out}", *_RULES]
    return _run(project, *words), out / "synth" / "tenants-runs"


def _run(project: Workspace, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", *words],
        cwd=project.root,
        env={**os.environ, "PYTHONPATH": str(project.root)},
        capture_output=True,
        text=True,
        check=False,
    )


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


def test_its_migration_runs_between_its_stacks(zone: str, assembly: Path, templates: list[Template]) -> None:
    """Given the example with a migration, then its pipeline waits for that, and what it says can be read."""
    pipelines = [one for one in read_templates(assembly, place=AWS, given=()) if one.stack == "silo-acme-pipeline"]
    ((_, pipeline),) = pipelines[0].resources("AWS::CodePipeline::Pipeline")
    actions = {one["Name"]: one["RunOrder"] for one in pipeline["Properties"]["Stages"][-1]["Actions"]}
    tasks = [name for name in actions if "Migrate" in name]
    assert len(tasks) == (zone != _README)
    for task in tasks:
        assert actions["silo-acme-data.Deploy"] < actions[task] < actions["silo-acme-resources.Prepare"]
        data = next(one for one in templates if one.stack == "silo-acme-data")
        text = data.body["Outputs"]["GranaryTaskMigrate"]["Value"]
        told = "".join(one if isinstance(one, str) else "x" for one in text["Fn::Join"][1])
        read = Task.of_output("Migrate", {"GranaryTaskMigrate": told}, stack=data.stack)
        if zone == _ECS:
            assert read.ecs
            assert (read.minutes, read.ecs.logs) == (60, "/ecs/silo-acme-migration")
        else:
            assert (bool(read.function), read.ecs, read.build) == (True, None, "")


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
    assert (told == "https://none.example.com") is (zone != _SERVERLESS)


def test_the_check_writes_a_policy_that_suffices(zone: str, project: Workspace) -> None:
    """Given the zone beside the demo's policy, then the check says what that lacks, and leaves one that has it."""
    done = _run(project, "cli", "component", "check", "--json", "--write", str(project.root / "config" / "policies"))
    assert done.returncode == 0, done.stdout + done.stderr
    told = json.loads(done.stdout)
    assert (told["good"], told["findings"], told["policy"]["cannot_tell"]) == (True, [], [])
    assert told["policy"]["lacks"]
    assert told["tenants"].keys() >= {"silo-sample", "pool-sample"}
    documents = [
        json.loads(_run(project, "cli", "execution-policy", "--part", str(part)).stdout)
        for part in range(1, told["policy"]["parts"] + 1)
    ]
    assert (len(documents) > 1) is (zone == _ECS)
    given = grants_of(statement for document in documents for statement in document["Statement"])
    assert uncovered(grants_of(_published(project)), given) == []
    assert max(map(size_of, documents)) <= LIMIT


def _published(project: Workspace) -> list[dict[str, Any]]:
    path = project.root / "config" / "policies" / "workload-execution.json"
    statements: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))["Statement"]
    return statements


def test_other_scanners_find_nothing(templates: list[Template]) -> None:
    """cfn-lint for the Region of each stack, and checkov."""
    paths = {
        one.region: [other.path for other in templates if other.path and other.region == one.region]
        for one in templates
    }
    for region, its in paths.items():
        run = lint(region, *its)
        assert run.returncode == 0, run.stdout + run.stderr
    _, failures = scan(*(path for its in paths.values() for path in its))
    assert failures == []
