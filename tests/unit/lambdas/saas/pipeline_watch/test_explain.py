"""Reasons of failed executions."""

from __future__ import annotations

from typing import Any

import pytest

from lambdas.saas.pipeline_watch.executions import ActionRun, Execution
from lambdas.saas.pipeline_watch.explain import explain, found_no_capacity
from tests.unit.lambdas.saas.pipeline_watch.pipelines import (
    HOME,
    WORKLOAD,
    FakeFacts,
    at,
    build,
    deploy,
    detail,
    failed_deploy,
    source,
    summary,
)

AT_ITS_LIMIT = "Error calling startBuild: Cannot have more than 1 builds in queue (AccountLimitExceededException)"


def _error(message: str) -> dict[str, Any]:
    return {"executionResult": {"errorDetails": {"code": "JobFailed", "message": message}}}


def reason(details: list[dict[str, Any]], facts: FakeFacts | None = None, **of_summary: Any) -> str:
    execution = Execution.from_summary(summary("e1", "Failed", **of_summary))
    runs = [ActionRun.from_detail(one) for one in details]
    return explain(execution, runs, home=HOME, evidence=facts or FakeFacts())


def test_a_stacks_events_are_asked_for_where_the_action_works() -> None:
    facts = FakeFacts(stack="Queue (AWS::SQS::Queue): no")
    told = reason(failed_deploy(), facts)
    assert told == "stage Deploy, action Deploy: The change set failed; Queue (AWS::SQS::Queue): no"
    assert facts.asked == [("silo-silo1-resources", WORKLOAD, at(3 - 5))]


def test_a_cause_that_cannot_be_read_leaves_the_actions_message() -> None:
    told = reason(failed_deploy(), FakeFacts(stack="!account 222222222222 is not bootstrapped"))
    assert told == (
        "stage Deploy, action Deploy: The change set failed; "
        "the cause could not be read: account 222222222222 is not bootstrapped"
    )


def test_a_change_set_that_cannot_be_made_has_no_events() -> None:
    facts = FakeFacts(stack="an older operation's")
    result = {"errorDetails": {"message": "Template format error"}}
    told = reason([deploy("Failed", mode="CHANGE_SET_REPLACE", result=result)], facts)
    assert told == "stage Deploy, action Prepare: Template format error"
    assert facts.asked == []


def test_a_builds_phase_is_told() -> None:
    facts = FakeFacts(build="phase BUILD: exit status 1")
    told = reason([build("Failed", message="Build terminated"), source()], facts)
    assert told == "stage Build, action Synth: Build terminated; phase BUILD: exit status 1"
    assert facts.asked == ["granary-silo-silo1-synth:1"]


@pytest.mark.parametrize(
    ("failed", "refused"),
    [
        (detail("Build", "Synth", "Failed", provider="CodeBuild", output=_error(AT_ITS_LIMIT)), True),
        (build("Failed", message=AT_ITS_LIMIT), False),
        (detail("Build", "Synth", "Failed", provider="CodeBuild", output=_error("AccessDeniedException")), False),
        (deploy("Failed", result=_error(AT_ITS_LIMIT)["executionResult"]), False),
        (build("Succeeded"), False),
    ],
)
def test_only_a_build_that_was_never_begun_found_no_capacity(failed: dict[str, Any], refused: bool) -> None:
    """A build that has run may say the same of what it has called: trying again would repeat what it did."""
    assert found_no_capacity([ActionRun.from_detail(one) for one in (source(), failed)]) is refused


def test_what_the_message_says_already_is_not_said_twice() -> None:
    told = reason([build("Failed", message="phase BUILD: no")], FakeFacts(build="phase BUILD: no"))
    assert told == "stage Build, action Synth: phase BUILD: no"


def test_the_first_action_to_fail_is_the_cause() -> None:
    later = build("Failed", second=9, message="later")
    assert reason([later, *failed_deploy()]).startswith("stage Deploy, action Deploy")


def test_a_retried_action_counts_with_its_last_run() -> None:
    runs = [build("Succeeded", second=5), build("Failed", second=1, message="flaky"), *failed_deploy()]
    assert reason(runs).startswith("stage Deploy")


def test_an_approvals_comment_is_its_message() -> None:
    output = {"executionResult": {"externalExecutionSummary": "Rejected by Ada: not today"}}
    told = reason([detail("Approve", "Manual", "Failed", provider="Manual", output=output)])
    assert told == "stage Approve, action Manual: Rejected by Ada: not today"


def test_an_action_without_a_message() -> None:
    assert reason([deploy("Failed")]) == "stage Deploy, action Deploy: failed without a message"


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("Entry condition failed", "Entry condition failed"),
        ("", "the execution failed, although none of its actions did: open the execution"),
    ],
)
def test_a_failure_without_a_failed_action(said: str, told: str) -> None:
    assert reason([source()], statusSummary=said) == told
