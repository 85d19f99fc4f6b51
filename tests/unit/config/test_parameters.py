"""Parameters and tiers of config/workloads.yaml, and rings that match them: what is refused, and what functions get."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from config.loader import load
from config.policy import release_policy, target_policy
from lambdas.saas.model.declared import Parameter, Tier
from lambdas.saas.model.rings import ReleasePolicy
from lambdas.saas.model.target_policy import TargetPolicy
from tests.unit.config.files import TOOLCHAIN, WORKLOADS, changed, errors_of, write

DOMAIN = {"description": "Its address.", "default": "none", "pattern": "[a-z.]+"}
LICENSE = {"description": "Its licence.", "default": "", "reference": "secret"}
GOLD = {"size": "large", "ring": "general", "parameters": {"domain": "gold.example"}, "tags": {"tier": "gold"}}


def declared(*, parameters: Any = None, tiers: Any = None) -> dict[str, Any]:
    return {**WORKLOADS, "parameters": parameters or {"domain": DOMAIN, "license": LICENSE}, "tiers": tiers or {}}


def test_functions_and_builds_get_what_rows_are_checked_by(tmp_path: Path) -> None:
    configuration = load(write(tmp_path, workloads=declared(tiers={"gold": GOLD, "free": {}})))
    policy = target_policy(configuration)
    assert policy.parameters == {
        "domain": Parameter(default="none", pattern="[a-z.]+"),
        "license": Parameter(reference="secret"),
    }
    assert policy.tiers == {
        "gold": Tier(size="large", ring="general", parameters={"domain": "gold.example"}, tags={"tier": "gold"}),
        "free": Tier(),
    }
    assert TargetPolicy.from_json(policy.to_json()) == policy


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"default": None}, "parameters.domain.default"),
        ({"description": ""}, "parameters.domain.description"),
        ({"pattern": "[a"}, "is no regular expression"),
        ({"choices": ["none"]}, "give one of pattern, choices and reference"),
        ({"pattern": "[a-m]+"}, "default does not fit: use what the pattern [a-m]+ has"),
        ({"default": "x" * 513}, "512"),
        ({"pattern": ".*", "default": "{{resolve:ssm:x}}"}, "default has what CloudFormation or a terminal would obey"),
        ({"pattern": ".*", "default": "AKIAIOSFODNN7EXAMPLE"}, "default looks like a secret"),
        (
            {
                "pattern": None,
                "reference": "secret",
                "default": "arn:aws:secretsmanager:us-east-1:222222222222:secret:x",
            },
            "default is an ARN, which is of one account and Region",
        ),
    ],
)
def test_a_declaration_that_cannot_hold_is_refused(tmp_path: Path, changes: dict[str, Any], said: str) -> None:
    (error,) = errors_of(write(tmp_path, workloads=declared(parameters={"domain": {**DOMAIN, **changes}})))
    assert said in error


def test_a_parameter_needs_a_default(tmp_path: Path) -> None:
    """Functions demand nothing of rows that no release knows yet."""
    without = {key: value for key, value in DOMAIN.items() if key != "default"}
    (error,) = errors_of(write(tmp_path, workloads=declared(parameters={"domain": without})))
    assert "parameters.domain.default" in error


@pytest.mark.parametrize("name", ["db_password", "api-key", "auth_token", "secret"])
def test_what_is_called_as_a_secret_is_a_reference(tmp_path: Path, name: str) -> None:
    (error,) = errors_of(write(tmp_path, workloads=declared(parameters={name: {**DOMAIN}})))
    assert f"{name}: is called as a secret is, and no row holds one: give it `reference: secret`" in error
    load(write(tmp_path, workloads=declared(parameters={name: LICENSE})))


@pytest.mark.parametrize(
    ("tier", "said"),
    [
        ({"parameters": {"size": "1"}}, "tiers.gold.parameters.size is not declared under `parameters`"),
        ({"parameters": {"domain": "GOLD"}}, "tiers.gold.parameters.domain does not fit"),
        ({"size": "huge"}, "tiers.gold.size"),
        ({"ring": "vip"}, "tiers.gold.ring: vip is no ring: use canary, early, general"),
        ({"tags": {"aws:x": "y"}}, "are not yours"),
    ],
)
def test_a_tier_that_cannot_hold_is_refused(tmp_path: Path, tier: dict[str, Any], said: str) -> None:
    (error,) = errors_of(write(tmp_path, workloads=declared(tiers={"gold": tier})))
    assert said in error


def test_rings_match_by_rule(tmp_path: Path) -> None:
    rings = [{"name": "first", "match": {"tier": "free", "region": "eu-*"}}, {"name": "rest"}]
    toolchain = changed(TOOLCHAIN, "releases.rings", rings)
    configuration = load(write(tmp_path, toolchain=toolchain, workloads=declared(tiers={"free": {}})))
    assert configuration.without_effect() == []
    policy = release_policy(configuration)
    assert [ring.match for ring in policy.rings] == [{"tier": "free", "region": "eu-*"}, {}]
    assert ReleasePolicy.from_json(policy.to_json()) == policy
    (told,) = load(write(tmp_path, toolchain=toolchain)).without_effect()
    assert told == "toolchain.yaml: releases.rings.0.match.tier has no effect: free is no tier"


@pytest.mark.parametrize("match", [{"account": "2"}, {"tier": "a?"}, {"tier": ["free"]}])
def test_a_match_that_means_nothing_is_refused(tmp_path: Path, match: dict[str, Any]) -> None:
    toolchain = changed(TOOLCHAIN, "releases.rings", [{"name": "first", "match": match}, {"name": "rest"}])
    assert any("releases.rings.0.match" in line for line in errors_of(write(tmp_path, toolchain=toolchain)))
