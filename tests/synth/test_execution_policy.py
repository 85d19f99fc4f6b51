"""The component's execution policy is what its templates need: nothing is lacking, and nothing is there besides."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from config.loader import CONFIG_DIR
from stacks.saas.generated_policy import Deployed, Generated, generate
from stacks.saas.policy_grants import Grant, grants_of, uncovered
from stacks.saas.resource_types import known_types
from tests.component.exceptions import WIDER
from tests.synth.assembly import Template

# What tenants get, in every setting that a local cloud or AWS deploys.
_CASES = ("tenants-runs", "tenants-nothing-runs")
_TENANTS = ("silo-acme", "pool-shared-1")
Read = Callable[[str], list[Template]]


def needed(templates: list[Template]) -> Generated:
    """What the stacks of tenants need; with a boundary, for a policy of a role's own is a gap without."""
    stacks = [
        Deployed(tenant=tenant, name=one.stack, body=one.body)
        for one in templates
        for tenant in _TENANTS
        if one.stack.startswith(f"{tenant}-") and not one.stack.endswith("-pipeline")
    ]
    assert len(stacks) >= len(_TENANTS)
    return generate(stacks, types=known_types(), qualifier="granary", has_boundary=True)


@pytest.fixture
def given() -> set[Grant]:
    document: dict[str, Any] = json.loads((CONFIG_DIR / "policies" / "workload-execution.json").read_text("utf-8"))
    assert {one["Effect"] for one in document["Statement"]} == {"Allow"}
    return grants_of(document["Statement"])


@pytest.mark.parametrize("case", [*_CASES, "tenants-gov"])
def test_nothing_is_lacking(case: str, given: set[Grant], templates_of: Read) -> None:
    made = needed(templates_of(case))
    assert made.gaps == set()
    assert uncovered(made.grants, given) == []


def test_nothing_is_there_besides_but_what_says_why(given: set[Grant], templates_of: Read) -> None:
    wanted = {grant for case in _CASES for grant in needed(templates_of(case)).grants}
    assert {(one.action, one.resource) for one in uncovered(given, wanted)} == set(WIDER)
