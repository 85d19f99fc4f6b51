"""Synthesizing tenants' pipelines: what the app is told, and what is said when it fails."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from buildspecs import synthesis
from buildspecs.synthesis import ROOT, SynthesisError, synthesize
from lambdas.saas.model.record import DeploymentRecord
from stacks.saas.plan import TenantsPlan
from tests.examples import examples
from tests.unit.buildspecs.saas.commands import Commands, stand_in
from tests.unit.lambdas.saas.strategies import records

RECORD = DeploymentRecord(id="a", type="silo", account="222222222222", region="eu-west-1")
PLAN = TenantsPlan(artifact_keys={"eu-west-1": "arn:aws:kms:eu-west-1:1:key/2"}, deployments=(RECORD,))


@pytest.fixture
def commands(monkeypatch: pytest.MonkeyPatch) -> Commands:
    return stand_in(monkeypatch)


def test_the_app_is_run_without_validation_on_the_plan(commands: Commands, tmp_path: Path) -> None:
    out = tmp_path / "assembly"
    synthesize(PLAN, out=out)
    assert commands.run == [[sys.executable, "app.py"]]
    (options,) = commands.options
    assert options["cwd"] == ROOT
    assert "shell" not in options
    environment = options["env"]
    assert environment["CDK_OUTDIR"] == str(out)
    assert environment["CDK_VALIDATION"] == "false"
    assert environment["PATH"] == os.environ["PATH"]
    context = json.loads(environment["CDK_CONTEXT_JSON"])
    assert TenantsPlan.read(Path(context.pop("tenants"))) == PLAN
    assert context == json.loads((ROOT / "cdk.json").read_text(encoding="utf-8"))["context"]


def test_what_ci_has_not_seen_is_validated(commands: Commands, tmp_path: Path) -> None:
    synthesize(PLAN, out=tmp_path / "assembly", validated=True)
    assert commands.options[0]["env"]["CDK_VALIDATION"] == "true"


def test_the_plan_is_not_written_into_the_assembly(commands: Commands, tmp_path: Path) -> None:
    synthesize(PLAN, out=tmp_path / "cdk.out")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["cdk.out", "cdk.plan.json"]
    assert [path.name for path in (tmp_path / "cdk.out").iterdir()] == ["manifest.json"]


def test_committed_lookups_reach_the_app_and_settings_go_first(
    commands: Commands, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(synthesis, "ROOT", tmp_path)
    (tmp_path / "cdk.json").write_text('{"context": {"flag": true}}', encoding="utf-8")
    (tmp_path / "cdk.context.json").write_text('{"vpc-provider:a": {"vpcId": "vpc-1"}, "flag": 0}', encoding="utf-8")
    synthesize(PLAN, out=tmp_path / "assembly")
    context = json.loads(commands.options[0]["env"]["CDK_CONTEXT_JSON"])
    assert (context["vpc-provider:a"], context["flag"]) == ({"vpcId": "vpc-1"}, True)


def test_a_lookup_that_is_not_committed_fails_by_name(commands: Commands, tmp_path: Path) -> None:
    commands.missing = ("vpc-provider:account=222222222222", "ami:region=eu-west-1")
    with pytest.raises(SynthesisError) as raised:
        synthesize(PLAN, out=tmp_path / "assembly")
    assert "cdk.context.json lacks vpc-provider:account=222222222222, ami:region=eu-west-1: " in str(raised.value)
    assert "commit the file" in str(raised.value)


def test_a_failure_ends_with_the_error_that_the_app_printed(commands: Commands, tmp_path: Path) -> None:
    commands.returncode = 1
    commands.stderr = "\n".join(f"line {n}" for n in range(9)) + "\nKeyError: 'image'\n"
    with pytest.raises(SynthesisError) as raised:
        synthesize(PLAN, out=tmp_path / "assembly")
    assert str(raised.value) == "synth failed: line 5 | line 6 | line 7 | line 8 | KeyError: 'image'"


@pytest.fixture(scope="module")
def plan_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("plans") / "plan.json"


@settings(deadline=None, max_examples=examples(40))
@given(st.lists(records, max_size=3), st.dictionaries(st.sampled_from(["eu-west-1", "us-east-1"]), st.text()))
def test_a_plan_survives_its_file(plan_file: Path, deployments: list[DeploymentRecord], keys: dict[str, str]) -> None:
    plan = TenantsPlan(artifact_keys=keys, deployments=tuple(deployments))
    plan.write(plan_file)
    assert TenantsPlan.read(plan_file) == plan
