"""Who was left behind by a release that is through."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdas.common.clock import stamp
from lambdas.saas.model.catch_up import is_late
from lambdas.saas.model.eligible import is_there, why_not
from lambdas.saas.model.record import DeploymentRecord, Wanted
from lambdas.saas.model.status import Outcome, Phase, StackRef, Status
from tests.unit.lambdas.saas.fakes import START

WISH = DeploymentRecord(id="acme", type="silo", account="222222222222", region="eu-west-1")
NOW, SOON, AGO = stamp(START), stamp(START + timedelta(minutes=1)), stamp(START - timedelta(minutes=1))
RUNS = ("r-r2", "r")
STACK = StackRef(kind="pipeline", stack_id="arn:p", account="111111111111", region="eu-west-1")
BEHIND = Status(id="acme", phase=Phase.ACTIVE, revision_deployed="old", pipeline_stack=STACK)
FAILED = (Outcome.FAILED, Outcome.ROLLED_BACK, Outcome.ROLLBACK_FAILED)


def late(status: Status | None, wish: DeploymentRecord = WISH) -> bool:
    return is_late(wish, status, revisions=("new",), runs=RUNS, now=NOW)


@pytest.mark.parametrize(
    ("case", "changes", "expected"),
    [
        ("provisioned with the former release", {}, True),
        ("skipped at its turn", {"release_run": "r", "release_outcome": "skipped"}, True),
        ("held at its turn", {"release_run": "r", "release_outcome": "held"}, True),
        ("failed in the run in force", {"release_run": "r-r2", "release_outcome": "failed"}, False),
        ("rolled back in the one before", {"release_run": "r", "release_outcome": "rolled_back"}, False),
        ("its rollback failed", {"release_run": "r", "release_outcome": "rollback_failed"}, False),
        ("failed in an older release", {"release_run": "q", "release_outcome": "failed"}, True),
        ("failed for reasons of its own", {"phase": Phase.FAILED}, True),
        ("it has the release", {"revision_deployed": "new"}, False),
        ("its row is being applied to the release", {"revision_deployed": "new", "phase": Phase.UPDATING}, False),
        ("a build holds it", {"claimed_by": "b", "claim_expires_at": SOON}, False),
        ("the lifecycle machine holds it", {"claimed_by": "lifecycle/x", "claim_expires_at": SOON}, False),
        ("a build held it", {"claimed_by": "b", "claim_expires_at": AGO}, True),
        ("a run that is over holds it", {"claimed_by": "release/q", "claim_expires_at": SOON}, True),
        ("it waits for a build", {"phase": Phase.PENDING}, False),
        ("it never deployed anything", {"revision_deployed": ""}, False),
        ("it failed, and was pinned since", {"release_run": "r", "release_outcome": "failed", "pinned": "old"}, True),
        ("its pin failed it", {"revision_deployed": "new", "phase": Phase.FAILED, "pinned": "old"}, True),
        ("it was pinned to the release", {"revision_deployed": "new", "pinned": "new"}, False),
    ],
)
def test_table(case: str, changes: dict[str, Any], expected: bool) -> None:
    assert late(replace(BEHIND, **changes)) is expected, case


statuses = st.builds(
    lambda **changes: replace(BEHIND, **changes),
    phase=st.sampled_from(Phase),
    revision_deployed=st.sampled_from(["", "old", "new"]),
    pipeline_stack=st.sampled_from([None, STACK]),
    release_run=st.sampled_from(["", "q", *RUNS]),
    release_outcome=st.sampled_from(["", *map(str, Outcome)]),
    claimed_by=st.sampled_from(["", "b", "lifecycle/x", "release/q", "release/r"]),
    claim_expires_at=st.sampled_from([SOON, AGO]),
)
wishes = st.builds(lambda state: replace(WISH, state=state.value), st.sampled_from(Wanted))


@given(st.one_of(st.none(), statuses), wishes)
def test_who_is_late_could_be_taken_up_and_nobody_is_disturbed(status: Status | None, wish: DeploymentRecord) -> None:
    if late(status, wish):
        assert status is not None
        assert wish.state == Wanted.ACTIVE
        assert not why_not(wish, status)
        assert not is_there(status, "new")
        assert not status.claimed_at(NOW) or status.claimed_by.startswith("release/")
        assert status.release_run not in RUNS or status.release_outcome not in FAILED


@given(statuses)
def test_nobody_is_left_behind_but_who_failed_or_is_being_worked_on(status: Status) -> None:
    behind = not why_not(WISH, status) and status.revision_deployed != "new"
    at_work = status.claim_expires_at == SOON and status.claimed_by in ("b", "lifecycle/x")
    failed = status.release_run in RUNS and status.release_outcome in FAILED
    assert late(status) is (behind and not at_work and not failed)


@given(statuses, st.sampled_from(FAILED))
def test_what_a_run_that_caught_up_came_to_is_not_tried_again(status: Status, outcome: Outcome) -> None:
    """Given any outcome of the last run, then the sweep does not start the same over and over."""
    assert not late(replace(status, release_run=RUNS[0], release_outcome=str(outcome)))
    assert not late(replace(status, release_run=RUNS[0], revision_deployed="new"))
