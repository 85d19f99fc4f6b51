"""The app's entry: it reads the configuration, picks the mode and hands over; the stacks are tested elsewhere."""

from __future__ import annotations

import gc
import json
import os
import runpy
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import aws_cdk as cdk
import pytest

import config.loader
from config.loader import ConfigurationError, load
from stacks import tags, validation
from stacks.saas import factory, tenants
from tests.unit.config.files import TOOLCHAIN, changed, write

APP = Path(__file__).parents[2] / "app.py"
# What comes last, in every mode.
TAGGED = [("tag_stacks", load().toolchain.tags), ("synth", {})]


@dataclass
class App:
    """A CDK app that synthesizes nothing; the real one reads its context from the environment of the jsii process."""

    context: ClassVar[dict[str, str]]
    calls: ClassVar[list[tuple[str, dict[str, Any]]]]
    analytics_reporting: bool
    node: Any = field(init=False)

    def __post_init__(self) -> None:
        self.node = self

    def try_get_context(self, key: str) -> str | None:
        return self.context.get(key)

    def set_context(self, key: str, value: str) -> None:
        assert (key, value) == ("@aws-cdk/core:bootstrapQualifier", "hnb659fds")

    def synth(self) -> None:
        self.calls.append(("synth", {}))


@pytest.fixture
def app(monkeypatch: pytest.MonkeyPatch) -> type[App]:
    """The app's context, and the calls that it made."""
    monkeypatch.setattr(App, "context", {}, raising=False)
    monkeypatch.setattr(App, "calls", [], raising=False)
    monkeypatch.setattr(cdk, "App", App)
    monkeypatch.setattr(gc, "disable", lambda: None)
    for module, name in ((factory, "build_factory"), (tenants, "build_tenants")):
        monkeypatch.setattr(module, name, lambda _app, _name=name, **given: App.calls.append((_name, given)))
    monkeypatch.setattr(tags, "tag_stacks", lambda _app, given: App.calls.append(("tag_stacks", given)))
    monkeypatch.setattr(validation, "add_rules", lambda _app: App.calls.append(("add_rules", {})))
    return App


def test_without_context_it_is_the_factory(app: type[App]) -> None:
    runpy.run_path(str(APP))
    assert app.calls == [("build_factory", {"configuration": load()}), ("add_rules", {}), *TAGGED]


def test_with_a_plan_it_is_the_tenants(app: type[App]) -> None:
    app.context["tenants"] = "plan.json"
    runpy.run_path(str(APP))
    assert app.calls == [
        ("build_tenants", {"configuration": load(), "plan_file": "plan.json"}),
        *TAGGED,
    ]


def test_another_configuration_may_be_asked_for_and_several_modes(app: type[App], tmp_path: Path) -> None:
    other = load(write(tmp_path))
    app.context |= {"configuration": str(tmp_path), "factory": "true", "tenants": "plan.json"}
    runpy.run_path(str(APP))
    assert app.calls == [
        ("build_factory", {"configuration": other}),
        ("add_rules", {}),
        ("build_tenants", {"configuration": other, "plan_file": "plan.json"}),
        ("tag_stacks", {}),
        ("synth", {}),
    ]


def test_a_bad_configuration_stops_it_before_anything_is_built(app: type[App], monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: Path) -> None:
        raise ConfigurationError("toolchain.yaml: prefix: is missing")

    monkeypatch.setattr(config.loader, "load", refuse)
    with pytest.raises(SystemExit, match=r"^error: toolchain\.yaml: prefix: is missing$"):
        runpy.run_path(str(APP))
    assert app.calls == []


def test_a_wrong_configuration_ends_in_its_message_alone(tmp_path: Path) -> None:
    """As `make synth` and CI/CD run it: no traceback stands before what is wrong."""
    directory = write(tmp_path, toolchain=changed(TOOLCHAIN, "prefix", "Granary"))
    context = json.dumps({"configuration": str(directory)})
    environment = {**os.environ, "CDK_CONTEXT_JSON": context, "CDK_OUTDIR": str(tmp_path / "out")}
    done = subprocess.run(
        [sys.executable, APP.name], cwd=APP.parent, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert done.stderr.startswith("error: the configuration has errors:\n  toolchain.yaml: prefix: must match")
    assert "Traceback" not in done.stderr


def test_keys_without_effect_are_warned_of(app: type[App], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    directory = write(tmp_path, toolchain=changed(TOOLCHAIN, "releases.rings", [{"name": "all", "percent": 5}]))
    app.context["configuration"] = str(directory)
    runpy.run_path(str(APP))
    said = "warning: toolchain.yaml: releases.rings.0.percent has no effect: the last ring gets the rest\n"
    assert capsys.readouterr().err == said


def test_it_is_what_cdk_json_runs() -> None:
    settings = json.loads((APP.parent / "cdk.json").read_text(encoding="utf-8"))
    assert settings["app"] == f"python {APP.name}"
