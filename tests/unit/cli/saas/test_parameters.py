"""Parameters, tier and external id, as the commands tell them."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml

from lambdas.saas.model.record import DeploymentRecord
from tests.unit.cli.saas.factory import NOW, RELEASE, Factory, stack

DECLARED = {
    "parameters": {
        "domain": {"description": "Its address.", "default": "none.example.com", "pattern": "[a-z.]+"},
        "plan": {"description": "What it may do.", "default": "basic", "choices": ["basic", "full"]},
        "license": {"description": "Its licence.", "default": "", "reference": "secret"},
    },
    "tiers": {"gold": {"size": "large", "parameters": {"plan": "full"}, "tags": {"tier": "gold"}}},
}
SAYS: dict[str, Any] = {"tier": "gold", "parameters": {"domain": "acme.example.com"}, "external_id": "4711"}


@pytest.fixture
def factory(factory: Factory) -> Factory:
    """One whose configuration declares parameters and tiers."""
    path = factory.directory / "workloads.yaml"
    path.write_text(yaml.safe_dump({**yaml.safe_load(path.read_text(encoding="utf-8")), **DECLARED}), encoding="utf-8")
    return factory


def test_status_tells_what_is_wished_and_apart_from_it_what_is_applied(factory: Factory) -> None:
    factory.row(**SAYS)
    factory.status(applied_tier="gold", applied_parameters={"domain": "old.example.com", "plan": "basic"})
    lines = factory.granary("status", "acme").stdout.splitlines()
    assert lines[0] == "row: silo, active, tier gold, size large, account 222222222222, eu-west-1"
    assert "external id: 4711" in lines
    assert "tags: tier=gold (default)" in lines
    assert "parameters: domain=acme.example.com, license= (default), plan=full (default)" in lines
    assert "applied tier: gold" in lines
    assert "applied parameters: domain=old.example.com, plan=basic" in lines
    document = factory.granary("status", "acme", "--json").document
    assert document["parameters"] == {"domain": "acme.example.com", "license": "", "plan": "full"}
    assert document["status"]["applied_parameters"] == {"domain": "old.example.com", "plan": "basic"}


def test_what_a_pinned_release_fills_in_is_not_told_by_the_checkout(factory: Factory) -> None:
    factory.row(**SAYS, revision="0ld")
    factory.status(pinned="0ld", revision_deployed="0ld")
    lines = factory.granary("status", "acme").stdout.splitlines()
    assert lines[0] == "row: silo, active, tier gold, account 222222222222, eu-west-1"
    assert "parameters: domain=acme.example.com" in lines
    assert "defaults: those of release 0ld, which it pins" in lines
    assert "(default)" not in "".join(lines)
    document = factory.granary("status", "acme", "--json").document
    assert document["parameters"] == {"domain": "acme.example.com"}


def test_a_plan_tells_what_would_become_of_the_parameters(factory: Factory) -> None:
    factory.row(**SAYS)
    factory.status(
        applied_digest="other",
        applied_parameters={"plan": "basic"},
        revision_deployed=RELEASE.revision,
        component_stacks=[stack("component")],
        pipeline_stack=stack("pipeline"),
    )
    (intent,) = factory.granary("plan", "reconcile", "--json").document
    assert intent["why"] == (
        "it is ACTIVE, its row asks for active, its row is not what is applied: tier none -> gold, parameter domain "
        "none -> acme.example.com, parameter plan basic -> none"
    )


def test_list_finds_by_external_id(factory: Factory) -> None:
    """Given one with a row, one whose row is gone and another, then rows tell, and else statuses."""
    factory.row("acme", external_id="4711")
    factory.status("acme", external_id="4710")
    factory.status("gone", external_id="0815")
    factory.row("other")
    found = factory.granary("list", "--json", "--external-id", "4711", "--external-id", "0815").document
    assert [(one["id"], one["external_id"]) for one in found] == [("acme", "4711"), ("gone", "0815")]
    assert factory.granary("list", "--json", "--external-id", "4710").document == []


def test_validate_refuses_what_is_undeclared_or_looks_like_a_secret(factory: Factory) -> None:
    row = {"id": "acme", "type": "silo", "account": "222222222222", "region": "eu-west-1", **SAYS}
    assert factory.granary("validate", "-", stdin=json.dumps(row)).code == 0
    wrong = {**row, "parameters": {"domain": "A", "plan": "AKIAIOSFODNN7EXAMPLE", "size": "1"}, "external-id": "1"}
    answer = factory.granary("validate", "-", "--json", stdin=json.dumps(wrong))
    assert answer.code == 1
    problems = answer.document["problems"]
    assert [(one["field"], one["warning"]) for one in problems] == [
        ("parameters", False),
        ("parameters", False),
        ("parameters", False),
        ("external-id", True),
    ]
    assert "AKIA" not in answer.stdout


def test_a_declaration_that_is_taken_out_leaves_what_stands_and_says_so(factory: Factory) -> None:
    """Given a row that names a parameter of before, then it is told, and nothing is planned but to say so."""
    record = DeploymentRecord(
        id="acme", type="silo", account="222222222222", region="eu-west-1", parameters=(("gone", "x"),)
    )
    factory.row(parameters={"gone": "x"})
    factory.status(applied_digest=record.digest(), applied_parameters={"gone": "x"}, updated_at=NOW)
    lines = factory.granary("status", "acme").stdout.splitlines()
    assert lines[1].startswith('problem: parameter "gone" is not declared: take it out of the row, or declare it')
    assert "applied parameters: gone=x" in lines
    (intent,) = factory.granary("plan", "reconcile", "--json").document
    assert intent["action"] == "say invalid"


def test_the_plan_of_a_release_tells_whom_a_ring_is_for(factory: Factory) -> None:
    path = factory.directory / "toolchain.yaml"
    rings = [{"name": "first", "match": {"tier": "gold", "region": "eu-*"}}, {"name": "rest"}]
    toolchain = {**yaml.safe_load(path.read_text(encoding="utf-8")), "releases": {"rings": rings}}
    path.write_text(yaml.safe_dump(toolchain), encoding="utf-8")
    factory.runs.keep(RELEASE)
    for name, said in (("acme", SAYS), ("other", {})):
        factory.row(name, **said)
        stacks: dict[str, Any] = {
            "pipeline_stack": stack("pipeline", name),
            "component_stacks": [stack("component", name)],
        }
        factory.status(name, revision_deployed="old", **stacks)
    document = factory.granary("plan", "release", "--revision", RELEASE.revision, "--json").document
    assert [(ring["name"], ring["deployments"], ring["match"]) for ring in document["rings"]] == [
        ("first", ["acme"], {"tier": "gold", "region": "eu-*"}),
        ("rest", ["other"], {}),
    ]
    lines = factory.granary("plan", "release", "--revision", RELEASE.revision).stdout.splitlines()
    assert lines[1].endswith(", first for region eu-*, tier gold")
