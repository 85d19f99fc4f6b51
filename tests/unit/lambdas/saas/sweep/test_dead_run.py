"""When a run of a release is dead."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdas.common.clock import stamp
from lambdas.saas.model.runs import Run, RunState
from lambdas.saas.sweep.dead_run import UNKNOWN_GRACE, Execution, may_be_dead, why_dead
from tests.unit.lambdas.saas.fakes import START

RUN = Run(run="r1", revision="abc", state="RUNNING", strategy="rings", rings=1, deployments=1, started_at=stamp(START))
EXECUTION = Execution(arn="arn:e")
OVER = ("ABORTED", "FAILED", "SUCCEEDED", "TIMED_OUT")
LATER = START + UNKNOWN_GRACE + timedelta(seconds=1)


def test_only_a_run_that_goes_on_is_looked_at() -> None:
    assert may_be_dead(None)
    assert [state for state in RunState if may_be_dead(replace(RUN, state=str(state)))] == [RunState.RUNNING]


@pytest.mark.parametrize("run", [RUN, None])
@pytest.mark.parametrize("status", OVER)
def test_what_is_over_is_dead_and_the_reason_says_what_to_do(run: Run | None, status: str) -> None:
    reason = why_dead(run, replace(EXECUTION, status=status), START)
    assert reason == (f"the execution of this run is {status}, so nobody goes on with it: run `granary resume`")


def test_the_cause_is_told() -> None:
    stopped = replace(EXECUTION, status="ABORTED", error="Maintenance", cause="the account moves")
    assert "is ABORTED (Maintenance: the account moves), so" in why_dead(RUN, stopped, START)
    assert "is ABORTED (the account moves), so" in why_dead(RUN, replace(stopped, error=""), START)


def test_a_long_cause_leaves_room_for_what_to_do() -> None:
    reason = why_dead(RUN, replace(EXECUTION, status="FAILED", cause="x" * 32_768), START)
    assert len(reason) < 1_200
    assert reason.endswith("run `granary resume`")


@pytest.mark.parametrize("status", ["RUNNING", "PENDING_REDRIVE", "SOMETHING_NEW"])
@pytest.mark.parametrize("run", [RUN, None])
def test_what_may_go_on_is_left_alone(run: Run | None, status: str) -> None:
    assert why_dead(run, replace(EXECUTION, status=status), LATER) == ""


@pytest.mark.parametrize(
    ("run", "now", "dead"),
    [
        (RUN, START + UNKNOWN_GRACE, False),
        (RUN, LATER, True),
        (replace(RUN, started_at=""), START, True),
        (replace(RUN, started_at="2099-01-01T00:00:00.000+00:00"), START, True),
        (None, START, True),
    ],
)
def test_an_execution_that_is_not_known_may_be_a_new_one(run: Run | None, now: datetime, dead: bool) -> None:
    reason = why_dead(run, EXECUTION, now)
    assert bool(reason) == dead
    assert not dead or reason.startswith("Step Functions knows no execution of this run")


@given(
    st.sampled_from(["", "RUNNING", "PENDING_REDRIVE", *OVER]),
    st.integers(min_value=0, max_value=10_000),
    st.text(max_size=2_000),
    st.booleans(),
)
def test_time_and_texts_decide_nothing_of_an_execution_that_is_known(
    status: str, seconds: int, text: str, written: bool
) -> None:
    execution = replace(EXECUTION, status=status, error=text, cause=text)
    reason = why_dead(RUN if written else None, execution, START + timedelta(seconds=seconds))
    if status:
        assert bool(reason) == (status in OVER)
    assert not reason or ("`granary resume`" in reason and status in reason)
