"""Every buildspec file: of a shape that CodeBuild takes, with commands that are fixed words and modules that exist."""

from __future__ import annotations

import importlib.util
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from constructs_lib.common.build_commands import BuildCommands
from stacks.buildspecs import commands_of, source_commands

ROOT = Path(__file__).parents[3]
FILES = sorted((ROOT / "buildspecs").rglob("buildspec*.y*ml"))

# https://docs.aws.amazon.com/codebuild/latest/userguide/build-spec-ref.html
TOP = {"version", "run-as", "env", "proxy", "batch", "phases", "reports", "artifacts", "cache"}
PHASES = {"install", "pre_build", "build", "post_build"}
OF_A_PHASE = {"run-as", "on-failure", "runtime-versions", "commands", "finally"}
OF_ENV = {"shell", "variables", "parameter-store", "exported-variables", "secrets-manager", "git-credential-helper"}
MODULE = re.compile(r"python -m (buildspecs(?:\.\w+)+)$")
# Its project's source is a release, from which CodeBuild reads it.
READ_BY_CODEBUILD = {ROOT / "buildspecs" / "saas" / "provision" / "buildspec.yaml"}


@pytest.fixture(params=FILES, ids=lambda file: "/".join(file.parts[-3:-1]))
def file(request: pytest.FixtureRequest) -> Path:
    path: Path = request.param
    return path


@pytest.fixture
def buildspec(file: Path) -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load(file.read_text(encoding="utf-8"))
    return content


def commands(buildspec: dict[str, Any]) -> Iterator[str]:
    for phase in buildspec["phases"].values():
        yield from phase.get("commands", ())
        yield from phase.get("finally", ())


def test_every_job_has_one() -> None:
    """But steps and checks of rooms in CI/CD, which run their entry, and nothing before it."""
    jobs = {path.parent for path in (ROOT / "buildspecs" / "saas").rglob("__main__.py")}
    jobs.add(ROOT / "buildspecs" / "lake" / "synth")
    assert jobs == {path.parent for path in FILES}


def test_its_keys_are_codebuilds(buildspec: dict[str, Any]) -> None:
    assert buildspec["version"] == "0.2"
    assert set(buildspec) <= TOP
    assert set(buildspec.get("env", {})) <= OF_ENV
    assert set(buildspec["phases"]) <= PHASES
    for phase in buildspec["phases"].values():
        assert set(phase) <= OF_A_PHASE
        assert all(isinstance(command, str) for command in phase.get("commands", ()))
        assert all(isinstance(version, str) for version in phase.get("runtime-versions", {}).values())


def test_its_commands_are_fixed_words(buildspec: dict[str, Any]) -> None:
    """Values that people write, such as ids, reach the builds as data and are never read by a shell."""
    for command in commands(buildspec):
        assert shlex.split(command)
        assert not re.search(r"[$`;&|<>(){}*?!~\\\n]", command), command


def test_it_runs_modules_that_exist(file: Path, buildspec: dict[str, Any]) -> None:
    """And none that is its own entry, which reads the file."""
    entry = ".".join(file.parent.relative_to(ROOT).parts)
    modules = [match[1] for command in commands(buildspec) if (match := MODULE.match(command))]
    assert modules
    if file in READ_BY_CODEBUILD:
        assert modules == [entry]
        assert importlib.util.find_spec(f"{entry}.__main__")
        return
    assert entry not in modules
    assert all(map(importlib.util.find_spec, modules))


def test_a_project_runs_the_fixed_entry_and_the_entry_runs_the_file(file: Path, buildspec: dict[str, Any]) -> None:
    room, job = file.parts[-3:-1]
    projects, taken = commands_of(room, job), source_commands(room, job)
    assert f"python -m buildspecs.{room}.{job}" in projects.build
    assert [*taken.install, *taken.build] == list(commands(buildspec))
    assert not list(commands({"phases": projects.rest["phases"]}))


def test_what_a_project_holds_beside_its_commands_fits_all_sources(file: Path, buildspec: dict[str, Any]) -> None:
    """It meets sources of other revisions: variables, for example, the job's module sets itself."""
    if file in READ_BY_CODEBUILD:
        return
    assert set(buildspec) - {"cache"} == {"version", "env", "phases"}
    assert set(buildspec["env"]) == {"shell"}
    assert {key for phase in buildspec["phases"].values() for key in phase} <= {"runtime-versions", "commands"}


def test_commands_of_other_phases_are_refused() -> None:
    phases = {name: {"commands": ["true"]} for name in ("install", "pre_build", "build")}
    with pytest.raises(ValueError, match="phases pre_build are not supported here: use install and build"):
        BuildCommands.from_buildspec({"version": "0.2", "phases": phases})
