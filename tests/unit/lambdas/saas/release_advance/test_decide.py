"""Whether a deployment's turn comes, and what is said of it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lambdas.saas.model.runs import Ring, RingState, Run, RunState
from lambdas.saas.model.status import Outcome, Phase, Status
from lambdas.saas.release_advance.decide import Standing, given_up, revision_before, superseded, was_begun, why_held

RUN = Run(run="r1", revision="new", state=RunState.RUNNING.value, strategy="rings", rings=1, deployments=3)
RING = Ring(
    run="r1",
    index=0,
    name="early",
    state=RingState.ADVANCING.value,
    total=3,
    concurrency=1,
    allowed_failures=1,
    bake_seconds=0,
    failed=1,
)
STANDING = Standing(run=RUN, ring=RING, current="r1")
STATUS = Status(id="a", phase=Phase.ACTIVE, revision_deployed="old")


@pytest.mark.parametrize(
    ("standing", "reason"),
    [
        (STANDING, ""),
        (replace(STANDING, run=replace(RUN, state=RunState.STOPPED.value)), "the run is STOPPED"),
        (replace(STANDING, ring=replace(RING, state=RingState.BAKING.value)), "ring early is BAKING"),
        (replace(STANDING, ring=replace(RING, failed=2)), "the line was stopped: 2 of ring early failed, 1 may"),
    ],
)
def test_nothing_is_begun_once_the_line_has_stopped(standing: Standing, reason: str) -> None:
    assert why_held(standing) == reason


@pytest.mark.parametrize(
    "standing", [replace(STANDING, current="r2"), replace(STANDING, run=None), replace(STANDING, ring=None)]
)
def test_a_run_that_is_not_in_force_is_superseded(standing: Standing) -> None:
    assert superseded(standing, "r1")
    assert not superseded(STANDING, "r1")


@pytest.mark.parametrize(
    ("status", "before"),
    [
        (STATUS, "old"),
        (replace(STATUS, revision_before="older", release_run="r0"), "old"),
        (replace(STATUS, revision_before="older", release_run="r1"), "older"),
        (replace(STATUS, revision_before="older", release_run="r0", revision_deployed="new"), "older"),
        (replace(STATUS, revision_deployed="new"), ""),
    ],
)
def test_what_a_deployment_goes_back_to(status: Status, before: str) -> None:
    assert revision_before(status, run="r1", revision="new") == before


def test_what_is_given_up_says_why() -> None:
    running = replace(STATUS, release_outcome=Outcome.RUNNING.value)
    late = given_up(running, {"Error": "States.Timeout", "Cause": ""}, revision="new", minutes=60)
    assert (late.outcome, late.phase) == (Outcome.FAILED, Phase.FAILED)
    assert late.reason == "the release new did not end within 60 minutes"
    back = replace(STATUS, release_outcome=Outcome.ROLLING_BACK.value)
    broken = given_up(back, {"Error": "Busy", "Cause": "held by a build"}, revision="new", minutes=60)
    assert (broken.outcome, broken.reason) == (Outcome.ROLLBACK_FAILED, "held by a build")
    assert given_up(back, {}, revision="new", minutes=1).reason == "the state machine does not say why"


@pytest.mark.parametrize("facts", [{"revision_before": "old"}, {"release_execution_id": "e1"}])
def test_a_deployment_was_begun_when_the_release_has_reached_it(facts: dict[str, str]) -> None:
    assert was_begun(replace(STATUS, **facts))  # type: ignore[arg-type]
    assert not was_begun(STATUS)
