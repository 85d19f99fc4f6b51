"""What the sweep does about one deployment."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdas.common.clock import stamp
from lambdas.saas.model.lifecycle import ENDED
from lambdas.saas.model.record import DeploymentRecord, InvalidRow
from lambdas.saas.model.status import Phase, StackRef, Status
from lambdas.saas.sweep.decide import PENDING_GRACE, Action, Round, decide
from tests.unit.lambdas.saas.fakes import START

WISH = DeploymentRecord(id="silo1", type="silo", account="222222222222", region="eu-west-1")
OTHER = replace(WISH, region="us-east-1")
BAD = InvalidRow(id="silo1", reasons=("region is missing",))
ENDING = replace(BAD, state="retired")
SEEN = Round(now=START, ended_builds=frozenset({"dead"}))
RETIRING = replace(SEEN, retire_removed=True)
SETTLED = Status(
    id="silo1",
    phase=Phase.ACTIVE,
    wanted_digest=WISH.digest(),
    applied_digest=WISH.digest(),
    updated_at=stamp(START),
    component_stacks=(
        StackRef(kind="component", stack_id="silo-silo1-resources", account="222222222222", region="eu-west-1"),
    ),
)
SOON, LONG_AGO = stamp(START + timedelta(minutes=1)), stamp(START - PENDING_GRACE - timedelta(seconds=1))
NEVER = "2099-01-01T00:00:00.000+00:00"


def status(**changed: Any) -> Status:
    return replace(SETTLED, **changed)


def _held(by: str, **changed: Any) -> Status:
    return status(claimed_by=by, claim_expires_at=SOON, **changed)


IN_THE_WAY = "Stack silo-a-resources is in ROLLBACK_COMPLETE state and can not be updated"


def _failed_execution(**changed: Any) -> Status:
    return status(phase=Phase.FAILED, execution_id="e", **changed)


def _failed_retirement(**changed: Any) -> Status:
    return status(phase=Phase.FAILED, retire_after=LONG_AGO, **changed)


@pytest.mark.parametrize(
    ("case", "wish", "observed", "action"),
    [
        ("nothing at all", None, None, Action.NOTHING),
        ("a row that is gone", None, SETTLED, Action.SAY_REMOVED),
        ("a row known to be gone", None, status(row_removed=True), Action.NOTHING),
        ("a new bad row", BAD, None, Action.SAY_INVALID),
        ("a row that became bad", BAD, SETTLED, Action.SAY_INVALID),
        ("a row known to be bad", BAD, status(phase=Phase.INVALID, reason=BAD.reason), Action.NOTHING),
        ("a row bad in another way", BAD, status(phase=Phase.INVALID, reason="id"), Action.SAY_INVALID),
        ("a lost insertion", WISH, None, Action.START),
        ("a settled deployment", WISH, SETTLED, Action.NOTHING),
        ("a lost change", OTHER, SETTLED, Action.START),
        ("a lost change while updating", OTHER, status(phase=Phase.UPDATING), Action.START),
        ("a row that came back", WISH, status(row_removed=True), Action.START),
        ("a bad row put right", WISH, status(phase=Phase.INVALID, reason="region"), Action.START),
        ("just taken in", WISH, status(phase=Phase.PENDING), Action.NOTHING),
        ("waiting", WISH, status(phase=Phase.PENDING, reason="waiting: full"), Action.START),
        ("its build runs", WISH, status(phase=Phase.PENDING, reason="before", pending_build="b:1"), Action.NOTHING),
        ("its build has died", WISH, status(phase=Phase.PENDING, pending_build="dead"), Action.START),
        ("pending too long", WISH, status(phase=Phase.PENDING, updated_at=LONG_AGO), Action.START),
        ("pending since times to come", WISH, status(phase=Phase.PENDING, updated_at=NEVER), Action.START),
        ("a failure", WISH, status(phase=Phase.FAILED), Action.NOTHING),
        ("a failure to try again", WISH, status(phase=Phase.FAILED, retry=True), Action.START),
        ("a failure tried again before", WISH, status(phase=Phase.FAILED, retry=True, attempts=2), Action.NOTHING),
        (
            "a failure whose next try is due",
            WISH,
            status(phase=Phase.FAILED, retry=True, attempts=2, updated_at=LONG_AGO),
            Action.START,
        ),
        (
            "a failure of times to come",
            WISH,
            status(phase=Phase.FAILED, retry=True, attempts=9, updated_at=NEVER),
            Action.START,
        ),
        ("its first execution failed", WISH, _failed_execution(), Action.LIFECYCLE),
        ("it was looked at before", WISH, _failed_execution(first_failure="no"), Action.NOTHING),
        ("a later one failed", WISH, _failed_execution(revision_deployed="r"), Action.NOTHING),
        ("a stack in its way", WISH, _failed_execution(revision_deployed="r", reason=IN_THE_WAY), Action.LIFECYCLE),
        ("a silent pipeline", WISH, status(phase=Phase.PROVISIONING, updated_at=LONG_AGO), Action.LOOK),
        ("an update of times to come", WISH, status(phase=Phase.UPDATING, updated_at=NEVER), Action.LOOK),
        ("a silent update", WISH, status(phase=Phase.UPDATING, updated_at=LONG_AGO), Action.LOOK),
        ("a settled deployment of which nothing else is known", WISH, status(component_stacks=()), Action.LOOK),
        ("a pipeline at work", WISH, status(phase=Phase.UPDATING), Action.NOTHING),
        ("a failure since put right", OTHER, status(phase=Phase.FAILED), Action.START),
        ("held", OTHER, status(claimed_by="b", claim_expires_at=SOON), Action.NOTHING),
        ("held by a dead build", WISH, status(claimed_by="dead", claim_expires_at=SOON), Action.START),
        ("held too long", WISH, status(claimed_by="b", claim_expires_at=LONG_AGO), Action.START),
    ],
)
def test_table(case: str, wish: DeploymentRecord | InvalidRow | None, observed: Status | None, action: Action) -> None:
    assert decide(wish, observed, SEEN) is action, case


# The phases in which a build may take a deployment up.
BUILDABLE = (
    Phase.PENDING, Phase.PROVISIONING, Phase.ACTIVE, Phase.UPDATING, Phase.FAILED, Phase.INVALID, Phase.MOVING
)  # fmt: skip
statuses = st.builds(
    status,
    phase=st.sampled_from(BUILDABLE),
    reason=st.sampled_from(["", "waiting: full", BAD.reason]),
    wanted_digest=st.sampled_from([WISH.digest(), OTHER.digest(), ""]),
    applied_digest=st.sampled_from([WISH.digest(), OTHER.digest(), ""]),
    row_removed=st.booleans(),
    retry=st.booleans(),
    updated_at=st.sampled_from([stamp(START), LONG_AGO]),
    claimed_by=st.sampled_from(["", "b", "dead"]),
    claim_expires_at=st.sampled_from([SOON, LONG_AGO]),
)


@given(statuses)
def test_a_wish_that_was_not_applied_is_never_forgotten(observed: Status) -> None:
    """Unless it failed for good, is held by a living build or was taken in just now."""
    known_failure = observed.phase is Phase.FAILED and observed.wanted_digest == OTHER.digest()
    held = observed.claimed_by == "b" and observed.claim_expires_at == SOON
    fresh = observed.phase is Phase.PENDING and observed.updated_at != LONG_AGO
    if observed.applied_digest != OTHER.digest() and not (known_failure or held or fresh):
        assert decide(OTHER, observed, SEEN) is Action.START


@given(st.sampled_from([WISH, OTHER, BAD, None]), st.one_of(st.none(), statuses))
def test_a_living_build_is_left_alone(wish: DeploymentRecord | None, observed: Status | None) -> None:
    held = observed is not None and observed.claimed_by == "b" and observed.claim_expires_at == SOON
    if held and observed and not observed.row_removed:
        assert decide(wish, observed, SEEN) is not Action.START


def _waiting(**changed: Any) -> Status:
    """A deployment whose pipeline a release waits for."""
    facts = {"task_token": "t", "release_outcome": "running", "release_execution_id": "e", **changed}
    return _held("release/r", **facts)


def _said_bad(**changed: Any) -> Status:
    return _waiting(phase=Phase.INVALID, reason=BAD.reason, **changed)


SUSPENDED, RETIRED = replace(WISH, state="suspended"), replace(WISH, state="retired")
HERE = SETTLED.component_stacks
THERE = (replace(HERE[0], region="us-east-1"),)
LEFT = status(former_stacks=THERE, attempts=2)


@pytest.mark.parametrize(
    ("case", "wish", "observed", "action"),
    [
        ("to be suspended", SUSPENDED, SETTLED, Action.LIFECYCLE),
        ("suspended", SUSPENDED, status(phase=Phase.SUSPENDED), Action.NOTHING),
        (
            "suspended by a machine that died on its way",
            SUSPENDED,
            status(phase=Phase.SUSPENDED, claimed_by="lifecycle/x", claim_expires_at=LONG_AGO),
            Action.LIFECYCLE,
        ),
        ("never was, and is to be suspended", SUSPENDED, None, Action.LIFECYCLE),
        ("to be brought back", WISH, status(phase=Phase.SUSPENDED), Action.LIFECYCLE),
        ("to be retired", RETIRED, SETTLED, Action.LIFECYCLE),
        ("being retired, the machine at work", RETIRED, _held("lifecycle/x"), Action.NOTHING),
        ("being retired, the machine died", RETIRED, status(phase=Phase.RETIRING), Action.LIFECYCLE),
        ("within its grace period", RETIRED, status(phase=Phase.RETIRING, retire_after=SOON), Action.NOTHING),
        ("back within its grace period", WISH, status(phase=Phase.RETIRING, retire_after=SOON), Action.LIFECYCLE),
        ("after its grace period", RETIRED, status(phase=Phase.RETIRING, retire_after=LONG_AGO), Action.LIFECYCLE),
        ("back after its retirement failed", WISH, _failed_retirement(attempts=0), Action.LIFECYCLE),
        ("retired", RETIRED, status(phase=Phase.RETIRED), Action.NOTHING),
        ("retired, and the row is gone", None, status(phase=Phase.RETIRED), Action.NOTHING),
        ("being retired, and the row is gone", None, status(phase=Phase.RETIRING), Action.LIFECYCLE),
        ("retired, and put anew", WISH, status(phase=Phase.RETIRED_WITH_WARNINGS), Action.START),
        ("to be retired after a failure", RETIRED, status(phase=Phase.FAILED), Action.LIFECYCLE),
        ("retirement failed just now", RETIRED, _failed_retirement(attempts=2), Action.NOTHING),
        ("retirement failed long ago", RETIRED, _failed_retirement(attempts=2, updated_at=LONG_AGO), Action.LIFECYCLE),
        ("to be retired, a build at work", RETIRED, _held("b"), Action.NOTHING),
        ("to be retired, a dead build's", RETIRED, _held("dead"), Action.LIFECYCLE),
        ("moved", WISH, status(phase=Phase.MOVING, former_stacks=THERE), Action.LIFECYCLE),
        ("moving", WISH, status(phase=Phase.MOVING, former_stacks=THERE, component_stacks=()), Action.NOTHING),
        ("moved by a release after a failure", WISH, status(former_stacks=THERE), Action.LIFECYCLE),
        ("left something behind, told just now", WISH, LEFT, Action.NOTHING),
        ("left something behind, told long ago", WISH, replace(LEFT, updated_at=LONG_AGO), Action.LIFECYCLE),
        ("gave a move up", WISH, status(former_stacks=HERE), Action.NOTHING),
        ("its row was wrong", SUSPENDED, status(phase=Phase.SUSPENDED, row_problem="region"), Action.LIFECYCLE),
        ("released, and changed meanwhile", OTHER, _held("release/r"), Action.NOTHING),
        ("a silent release", WISH, _held("release/r", phase=Phase.UPDATING, updated_at=LONG_AGO), Action.LOOK),
        ("a release's answer was lost", WISH, status(task_token="t", release_outcome="failed"), Action.LOOK),
        ("a release waits for its pipeline", WISH, _waiting(phase=Phase.UPDATING), Action.NOTHING),
        ("a release waits for a pipeline that is silent", WISH, _waiting(updated_at=LONG_AGO), Action.LOOK),
        ("nothing was started yet", WISH, _waiting(updated_at=LONG_AGO, release_execution_id=""), Action.NOTHING),
        ("its last event was lost", WISH, _waiting(phase=Phase.FAILED, updated_at=LONG_AGO), Action.LOOK),
        ("its last event was lost, to be retired", RETIRED, _waiting(updated_at=LONG_AGO), Action.LOOK),
        ("its last event was lost, and its row is bad", BAD, _said_bad(updated_at=LONG_AGO), Action.LOOK),
        ("its row is gone", None, _waiting(updated_at=LONG_AGO, row_removed=True), Action.LOOK),
        ("retired, with a token", None, _waiting(phase=Phase.RETIRED, updated_at=LONG_AGO), Action.NOTHING),
        ("a rollback waits", WISH, _waiting(release_outcome="rolling_back", updated_at=LONG_AGO), Action.LOOK),
        ("looked at just now", WISH, _waiting(phase=Phase.FAILED), Action.NOTHING),
    ],
)
def test_table_of_a_whole_life(
    case: str, wish: DeploymentRecord | None, observed: Status | None, action: Action
) -> None:
    assert decide(wish, observed, SEEN) is action, case


@pytest.mark.parametrize(
    ("case", "observed", "action"),
    [
        ("its removal was lost", SETTLED, Action.RETIRE_REMOVED),
        ("its removal was lost, a build at work", _held("b"), Action.RETIRE_REMOVED),
        ("the machine's start was lost", status(row_removed=True), Action.LIFECYCLE),
        ("the machine is at work", _held("lifecycle/x", row_removed=True), Action.NOTHING),
        ("the machine waits for a build", _held("b", row_removed=True), Action.NOTHING),
        (
            "the machine died",
            status(row_removed=True, claimed_by="lifecycle/x", claim_expires_at=LONG_AGO),
            Action.LIFECYCLE,
        ),
        ("within its grace period", status(phase=Phase.RETIRING, retire_after=SOON), Action.NOTHING),
        ("after its grace period", status(phase=Phase.RETIRING, retire_after=LONG_AGO), Action.LIFECYCLE),
        ("the retirement failed just now", _failed_retirement(attempts=2), Action.NOTHING),
        ("retired", status(phase=Phase.RETIRED), Action.NOTHING),
        ("it led nowhere", status(phase=Phase.PENDING), Action.SAY_REMOVED),
        ("it led somewhere, and became bad", status(phase=Phase.INVALID, build_id="b"), Action.RETIRE_REMOVED),
    ],
)
def test_table_of_removed_rows_that_retire(case: str, observed: Status, action: Action) -> None:
    assert decide(None, observed, RETIRING) is action, case


@pytest.mark.parametrize(
    ("case", "observed", "action"),
    [
        ("it stands", SETTLED, Action.LIFECYCLE),
        ("it was said to be invalid", status(phase=Phase.INVALID, reason=BAD.reason, build_id="b"), Action.LIFECYCLE),
        ("suspended", status(phase=Phase.SUSPENDED), Action.LIFECYCLE),
        ("a build at work", _held("b"), Action.NOTHING),
        ("the machine is at work", _held("lifecycle/x"), Action.NOTHING),
        ("within its grace period", status(phase=Phase.RETIRING, retire_after=SOON), Action.NOTHING),
        ("after its grace period", status(phase=Phase.RETIRING, retire_after=LONG_AGO), Action.LIFECYCLE),
        ("the retirement failed just now", _failed_retirement(attempts=2), Action.NOTHING),
        ("retired", status(phase=Phase.RETIRED), Action.NOTHING),
        ("retired with warnings", status(phase=Phase.RETIRED_WITH_WARNINGS), Action.NOTHING),
        ("nothing is known of it", None, Action.SAY_INVALID),
        ("it led nowhere", status(phase=Phase.PENDING), Action.SAY_INVALID),
        ("it led nowhere, and that was said", status(phase=Phase.INVALID, reason=BAD.reason), Action.NOTHING),
    ],
)
def test_table_of_invalid_rows_that_ask_for_the_end(case: str, observed: Status | None, action: Action) -> None:
    assert decide(ENDING, observed, SEEN) is action, case


any_status = st.builds(
    status,
    phase=st.sampled_from(Phase),
    reason=st.sampled_from(["", BAD.reason]),
    row_removed=st.booleans(),
    build_id=st.sampled_from(["", "b"]),
    retire_after=st.sampled_from(["", SOON, LONG_AGO]),
    attempts=st.integers(min_value=0, max_value=3),
    updated_at=st.sampled_from([stamp(START), LONG_AGO]),
    claimed_by=st.sampled_from(["", "b", "dead", "lifecycle/x", "release/r"]),
    claim_expires_at=st.sampled_from([SOON, LONG_AGO]),
)


@given(any_status)
def test_a_removed_row_alone_destroys_nothing(observed: Status) -> None:
    """Unless the configuration says so, or the deployment was being retired before."""
    kept = decide(None, observed, SEEN)
    assert kept is not Action.RETIRE_REMOVED
    if kept is Action.LIFECYCLE:
        assert observed.phase is Phase.RETIRING or observed.retire_after


@given(any_status, st.sampled_from([None, ENDING, BAD]))
def test_what_has_ended_stays_so_and_what_is_held_is_not_begun_twice(observed: Status, wish: InvalidRow | None) -> None:
    """Given a row that asks for the end, then neither a tombstone nor whoever is at work is disturbed."""
    action = decide(wish, observed, RETIRING)
    if observed.phase in ENDED and wish is not BAD:
        assert action is Action.NOTHING
    if observed.claimed_by in ("b", "lifecycle/x", "release/r") and observed.claim_expires_at == SOON:
        assert action is not Action.LIFECYCLE


@given(any_status)
def test_what_a_removed_row_has_left_is_never_forgotten(observed: Status) -> None:
    """Given that removed rows retire, then what led somewhere is retired unless it is held, waits or has failed."""
    led = observed.build_id or observed.phase not in (Phase.INVALID, Phase.PENDING)
    held = observed.claim_expires_at == SOON and observed.claimed_by not in ("", "dead")
    if led and not (held or observed.phase in ENDED or observed.retire_after):
        assert decide(None, observed, RETIRING) in (Action.RETIRE_REMOVED, Action.LIFECYCLE)


@pytest.mark.parametrize(
    ("revision", "deployed", "action"),
    [("r1", "", Action.NOTHING), ("r2", "", Action.START), ("r2", "r0", Action.NOTHING), ("", "", Action.NOTHING)],
)
def test_what_never_stood_is_tried_again_with_the_next_release(revision: str, deployed: str, action: Action) -> None:
    """A tenant that stands is the release's business, one that never did is the sweep's."""
    failed = status(phase=Phase.FAILED, revision_wanted="r1", revision_deployed=deployed)
    assert decide(WISH, failed, replace(SEEN, revision=revision)) is action
