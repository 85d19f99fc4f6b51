"""What to do about a deployment, from its phase and reason."""

from __future__ import annotations

import pytest

from lambdas.saas.model.next_steps import is_in_the_way, step_of
from lambdas.saas.model.status import Phase

QUOTING = "stage Deploy, action before-M: task M (before s) failed: function f: other is in DELETE_FAILED state"


@pytest.mark.parametrize(
    ("reason", "step"),
    [
        ("stack s is in ROLLBACK_COMPLETE state and can not be updated", "a stack that never stood is deleted"),
        ("stack s is in UPDATE_ROLLBACK_FAILED state", "continue-update-rollback"),
        ("stack s is in DELETE_FAILED state", "retaining what is to stay"),
        ("stack s is in REVIEW_IN_PROGRESS state", "delete the stack in its account"),
        ("stack s: UPDATE_ROLLBACK_COMPLETE", "remove the cause that the reason names"),
        ("Stack:arn:aws:cloudformation:r:1:stack/s/1 is in DELETE_FAILED state and can not be updated", "retaining"),
        (f"release 1: {QUOTING}; the rollback to 0 failed: s is in UPDATE_ROLLBACK_FAILED state", "continue-update-"),
        (
            f"{QUOTING}; not rolled back: task M (before s) is forward-only and has run: push",
            "push a release that goes",
        ),
        ("stage Deploy failed; not rolled back: task M is forward-only and has run: push", "push a release that goes"),
        ("no such image", "remove the cause that the reason names"),
    ],
)
def test_the_state_of_a_stack_has_a_step_of_its_own(reason: str, step: str) -> None:
    told = step_of(Phase.FAILED, deployment_id="acme", reason=reason)
    assert step in told
    assert "granary retry acme" in told


@pytest.mark.parametrize("target", ["4f2c9d1", "an unknown revision"])
def test_what_is_being_rolled_back_is_waited_for(target: str) -> None:
    """Another execution would wait behind the rollback, and deploy the same once more."""
    told = step_of(Phase.FAILED, deployment_id="acme", reason=f"no such image; rolling back to {target}")
    assert told.startswith("nothing before CodePipeline has rolled it back; then remove the cause")
    over = step_of(Phase.FAILED, deployment_id="acme", reason=f"no such image; rolled back to {target}")
    assert over.startswith("remove the cause that the reason names")
    elsewhere = step_of(Phase.FAILED, deployment_id="acme", reason=f"x; rolling back to {target} was tried: no image")
    assert elsewhere.startswith("remove the cause that the reason names")


def test_a_state_counts_for_a_failure_alone() -> None:
    assert step_of(Phase.UPDATING, deployment_id="acme", reason="ROLLBACK_COMPLETE").startswith("nothing")
    assert not is_in_the_way("UPDATE_ROLLBACK_COMPLETE")


@pytest.mark.parametrize("beginning", [QUOTING, "stage Build, action Synth: build b failed; its log: "])
@pytest.mark.parametrize(
    "state", ["DELETE_FAILED", "REVIEW_IN_PROGRESS", "ROLLBACK_COMPLETE", "UPDATE_ROLLBACK_FAILED"]
)
def test_what_is_quoted_of_others_chooses_no_step(beginning: str, state: str) -> None:
    """Given a migration, or a build, that has written of a stack which is somebody else's."""
    reason = f"{beginning}stack x is in {state} state and can not be updated | it is forward-only and has run"
    assert not is_in_the_way(reason)
    assert step_of(Phase.FAILED, deployment_id="acme", reason=reason).startswith("remove the cause that the reason")
