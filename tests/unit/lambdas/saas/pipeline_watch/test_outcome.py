"""What the end of an execution means to a release."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lambdas.saas.model.release_turns import Ending
from lambdas.saas.model.status import Observation, Outcome, Phase, Status
from lambdas.saas.pipeline_watch.executions import Execution
from lambdas.saas.pipeline_watch.outcome import ending, kept_reason
from tests.unit.lambdas.saas.fakes import START

STATUS = Status(id="a", phase=Phase.UPDATING, revision_wanted="new", release_outcome=Outcome.RUNNING.value)
BACK = replace(
    STATUS, revision_wanted="old", release_outcome=Outcome.ROLLING_BACK.value, release_reason="the stack failed"
)
NEWEST = Execution(id="e1", status="Succeeded", started=START, revision="new")
ARRIVED = Observation(phase=Phase.ACTIVE, revision="new", execution_id="e1")
FAILED = Observation(phase=Phase.FAILED, reason="why")


@pytest.mark.parametrize("status", ["InProgress", "Stopping", "Cancelled", "Superseded"])
def test_an_execution_that_goes_on_tells_nothing(status: str) -> None:
    assert ending(STATUS, replace(NEWEST, status=status), ARRIVED, release="new") is None


def test_the_released_revision_is_a_success() -> None:
    end = ending(STATUS, NEWEST, ARRIVED, release="new")
    assert end
    assert (end.outcome, end.phase, end.reason) == (Outcome.SUCCEEDED, Phase.ACTIVE, "")


@pytest.mark.parametrize("status", ["Failed", "Stopped"])
def test_a_failure_says_what_the_watch_has_seen(status: str) -> None:
    end = ending(STATUS, replace(NEWEST, status=status), FAILED, release="new")
    assert end
    assert (end.outcome, end.phase, end.reason, end.told) == (Outcome.FAILED, Phase.FAILED, "why", "why")


def test_a_rollback_of_the_pipelines_own_is_a_failure() -> None:
    end = ending(STATUS, replace(NEWEST, rollback=True, revision="old"), FAILED, release="new")
    assert end
    assert (end.outcome, end.reason) == (Outcome.FAILED, "why")


@pytest.mark.parametrize("status", [STATUS, BACK])
def test_an_unknown_revision_is_no_success(status: Status) -> None:
    end = ending(status, replace(NEWEST, revision=""), replace(ARRIVED, revision=""), release="new")
    assert end
    assert end.phase is Phase.FAILED
    assert "the pipeline deployed an unknown revision" in end.reason


def test_what_is_back_says_from_where_and_why() -> None:
    end = ending(BACK, replace(NEWEST, revision="old"), replace(ARRIVED, revision="old"), release="new")
    assert end
    assert (end.outcome, end.phase) == (Outcome.ROLLED_BACK, Phase.ACTIVE)
    assert end.reason == "release new failed here and was rolled back to old: the stack failed"


def test_a_rollback_that_fails_says_both() -> None:
    end = ending(BACK, replace(NEWEST, status="Failed"), FAILED, release="new")
    assert end
    assert (end.outcome, end.phase) == (Outcome.ROLLBACK_FAILED, Phase.FAILED)
    assert end.reason == "release new: the stack failed; the rollback to old failed: why"


@pytest.mark.parametrize("outcome", [Outcome.FAILED, Outcome.ROLLED_BACK, Outcome.ROLLBACK_FAILED])
def test_what_a_release_has_said_stays(outcome: Outcome) -> None:
    told = replace(STATUS, phase=Phase.FAILED, reason="told", execution_id="e1", release_outcome=outcome.value)
    assert kept_reason(told, NEWEST, FAILED) == "told"
    assert kept_reason(told, replace(NEWEST, id="e2"), FAILED) == "why"
    assert kept_reason(told, NEWEST, ARRIVED) == ""
    assert kept_reason(replace(told, release_outcome="succeeded"), NEWEST, FAILED) == "why"


@pytest.mark.parametrize(
    "end",
    [
        ending(STATUS, replace(NEWEST, status="Failed"), FAILED, release="new"),
        *(
            ending(BACK, replace(NEWEST, status=status, revision="old"), seen, release="new")
            for status, seen in (("Failed", FAILED), ("Succeeded", replace(ARRIVED, revision="old")))
        ),
    ],
)
def test_what_a_release_says_of_an_end_stays(end: Ending) -> None:
    told = replace(
        STATUS,
        phase=end.phase,
        reason=end.reason,
        execution_id="e1",
        release_outcome=end.outcome.value,
        release_reason=end.told,
    )
    assert kept_reason(told, NEWEST, Observation(phase=end.phase, reason="why")) == end.reason


def test_what_has_become_of_a_rollback_since_the_release_has_failed_is_told() -> None:
    """Given the release has said why it failed, and the rollback of it is under way, then its end is told too."""
    reason = "why; rolling back to old"
    told = replace(STATUS, phase=Phase.FAILED, reason=reason, execution_id="e1", release_reason="why")
    seen = replace(FAILED, reason="why; rolled back to old")
    assert kept_reason(replace(told, release_outcome="failed"), NEWEST, seen) == "why; rolled back to old"
