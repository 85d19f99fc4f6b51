"""Which releases the functions can handle, and what is said of the others."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lambdas.common.errors import NotReleasedError
from lambdas.saas.model import contract
from lambdas.saas.model.contract import CONTRACT, MINIMUM, PARAMETERS, STANDBYS, has_waited, mismatch, unfit, usable
from lambdas.saas.model.runs import Run, RunState
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


def test_a_standby_needs_a_release_that_knows_it() -> None:
    before = replace(RELEASE, contract=STANDBYS - 1)
    assert usable(before) == before
    assert unfit(before, standby=False) == ""
    assert "knows no standby_region (its contract is 3, and 4 is needed)" in unfit(before, standby=True)
    assert unfit(replace(RELEASE, contract=STANDBYS), standby=True) == ""


def test_what_a_row_says_needs_a_release_that_hands_it_on() -> None:
    before = replace(RELEASE, contract=PARAMETERS - 1)
    assert unfit(before, standby=True, parameters=False) == ""
    assert "knows no tier or parameters (its contract is 4, and 5 is needed)" in unfit(
        before, standby=False, parameters=True
    )
    assert unfit(RELEASE, standby=True, parameters=True) == ""
