"""Which releases the functions can handle, and what is said of the others."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from lambdas.common.errors import NotReleasedError
from lambdas.saas.model import contract
from lambdas.saas.model.contract import (
    CONTRACT,
    MINIMUM,
    PARAMETERS,
    STANDBYS,
    contract_needed,
    has_waited,
    mismatch,
    unfit,
    usable,
)
from lambdas.saas.model.runs import Run, RunState
from lambdas.saas.model.status import Phase, Placement, Status
from tests.unit.lambdas.saas.fakes import RELEASE

NEWER = replace(RELEASE, contract=CONTRACT + 1)


@pytest.mark.parametrize("number", range(MINIMUM, CONTRACT + 1))
def test_what_the_functions_know_is_handled(number: int) -> None:
    assert mismatch(replace(RELEASE, contract=number)) == ""


def test_what_needs_newer_functions_waits_for_them() -> None:
    with pytest.raises(NotReleasedError, match=rf"needs contract {CONTRACT + 1}, .* know {CONTRACT}: it waits"):
        usable(NEWER)


@pytest.mark.parametrize("number", [0, 1])
def test_what_deploys_with_bootstrap_roles_is_refused_with_the_next_step(number: int) -> None:
    """Releases of before there were contracts name none: that is 0."""
    with pytest.raises(NotReleasedError, match=rf"needs contract {number}, .* know: {MINIMUM} is the oldest; publish"):
        usable(replace(RELEASE, contract=number))


@pytest.mark.parametrize("state", RunState)
def test_only_a_run_that_was_stopped_for_it_has_waited(monkeypatch: pytest.MonkeyPatch, state: RunState) -> None:
    run = Run(run="r", revision="x", state=state, strategy="rings", rings=1, deployments=1, reason=mismatch(NEWER))
    assert not has_waited(run, NEWER), "the functions are as old as before"
    monkeypatch.setattr(contract, "CONTRACT", NEWER.contract)
    assert has_waited(run, NEWER) is (state is RunState.STOPPED)
    assert not has_waited(run, None)
    assert not has_waited(replace(run, reason="ring canary: 1 of 1 failed, 0 may"), NEWER)
    comment = f"rejected by somebody: no, for {run.reason}"
    assert not has_waited(replace(run, reason=comment), NEWER), "a person's no stays a no, whatever its words"


OLDER = Status(id="acme", phase=Phase.ACTIVE)
HERE, THERE = (Placement(type="silo", account="222222222222", region=region) for region in ("eu-west-1", "us-east-1"))


@pytest.mark.parametrize(
    ("needs", "status", "row"),
    [
        (0, None, {}),
        (0, None, {"id": "acme2", "size": "large", "external_id": "4711", "standby_region": "", "tier": ""}),
        (0, OLDER, None),
        (0, replace(OLDER, placed=(HERE,)), {"id": "acme"}),
        (STANDBYS, None, {"id": "acme", "standby_region": "us-east-1"}),
        (STANDBYS, replace(OLDER, standby_region="us-east-1"), None),
        (STANDBYS, replace(OLDER, placed=(HERE, THERE)), {"id": "acme"}),
        (PARAMETERS, None, {"id": "acme", "tier": "gold", "standby_region": "us-east-1"}),
        (PARAMETERS, OLDER, {"id": "acme", "parameters": {"domain": "x"}}),
        (PARAMETERS, replace(OLDER, applied_tier="gold"), {"id": "acme"}),
        (PARAMETERS, replace(OLDER, applied_parameters={"domain": "x"}, standby_region="us-east-1"), None),
        (PARAMETERS, None, {"id": "4711-shop"}),
        (PARAMETERS, replace(OLDER, id="4711-shop"), None),
        (0, None, {"id": 4711}),
    ],
)
def test_what_a_tenant_has_and_what_its_row_wants_need_a_contract(
    needs: int, status: Status | None, row: dict[str, Any] | None
) -> None:
    assert contract_needed(status, row) == needs


@pytest.mark.parametrize(
    ("needs", "words"),
    [
        (STANDBYS, "knows no standby_region (its contract is 3, and 4 is needed)"),
        (
            PARAMETERS,
            "knows no tier or parameters, nor ids that begin with a digit (its contract is 4, and 5 is needed)",
        ),
    ],
)
def test_a_release_of_before_is_unfit(needs: int, words: str) -> None:
    before = replace(RELEASE, contract=needs - 1)
    assert usable(before) == before
    assert unfit(before, 0) == ""
    assert words in unfit(before, needs)
    assert unfit(replace(before, contract=needs), needs) == ""
