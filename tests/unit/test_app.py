"""The app's entry: it reads the configuration, picks the mode and hands over; the stacks are tested elsewhere."""

from __future__ import annotations

import json
import runpy
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest

import config.loader
from config.loader import ConfigurationError, load
from stacks.saas import factory, tenants

APP = Path(__file__).parents[2] / "app.py"


@pytest.fixture
def built(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[tuple[str, dict[str, Any]]]:
    """Which mode the app picked, and with what."""
    calls: list[tuple[str, dict[str, Any]]] = []
    for module, name in ((factory, "build_factory"), (tenants, "build_tenants")):
        monkeypatch.setattr(module, name, lambda _app, _name=name, **given: calls.append((_name, given)))
    monkeypatch.setenv("CDK_OUTDIR", str(tmp_path / "out"))
    monkeypatch.delenv("CDK_CONTEXT_JSON", raising=False)
    return calls


def test_without_context_it_is_the_factory(built: list[tuple[str, dict[str, Any]]], tmp_path: Path) -> None:
    runpy.run_path(str(APP))
    assert built == [("build_factory", {"configuration": load()})]
    assert (tmp_path / "out" / "manifest.json").is_file()


def test_with_a_plan_it_is_the_tenants(
    built: list[tuple[str, dict[str, Any]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CDK_CONTEXT_JSON", json.dumps({"tenants": "plan.json"}))
    runpy.run_path(str(APP))
    assert built == [("build_tenants", {"configuration": load(), "plan_file": "plan.json"})]


def test_a_bad_configuration_stops_it_before_anything_is_built(
    built: list[tuple[str, dict[str, Any]]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def refuse() -> None:
        raise ConfigurationError("toolchain.yaml: prefix: is missing")

    monkeypatch.setattr(config.loader, "load", refuse)
    with pytest.raises(ConfigurationError, match="prefix: is missing"):
        runpy.run_path(str(APP))
    assert built == []
    assert not (tmp_path / "out").exists()


def test_it_is_what_cdk_json_runs() -> None:
    settings = json.loads((APP.parent / "cdk.json").read_text(encoding="utf-8"))
    assert settings["app"] == "python app.py"
    assert cdk.App is not None
