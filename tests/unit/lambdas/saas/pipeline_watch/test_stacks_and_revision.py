"""The stacks and the revision that an execution deployed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from urllib.parse import quote

import pytest

from lambdas.saas.model.status import StackRef
from lambdas.saas.pipeline_watch.executions import ActionRun, Execution
from lambdas.saas.pipeline_watch.stacks import component_stacks, touched_stacks
from tests.unit.lambdas.saas.fakes import START
from tests.unit.lambdas.saas.pipeline_watch.pipelines import (
    HOME,
    STACK_ID,
    WORKLOAD,
    FakeFacts,
    build,
    deploy,
    detail,
    source,
    summary,
)

STACK = StackRef(kind="component", stack_id=STACK_ID, account="222222222222", region="eu-west-1")


def runs(*details: dict[str, Any]) -> list[ActionRun]:
    return [ActionRun.from_detail(one) for one in details]


@pytest.mark.parametrize(
    "result",
    [
        {"externalExecutionId": STACK_ID},
        {"externalExecutionId": f"stack/detail?stackId={STACK_ID}"},
        {"externalExecutionUrl": f"https://console/home?region=x#/stack/detail?stackId={quote(STACK_ID, safe='')}"},
        {"externalExecutionUrl": f"https://console/home#/stacks/outputs?stackId={STACK_ID}&filtering=x"},
    ],
)
def test_the_recorded_id_is_taken(result: dict[str, str]) -> None:
    facts = FakeFacts()
    assert component_stacks(runs(deploy("Succeeded", result=result)), home=HOME, ids=facts) == (STACK,)
    assert facts.asked == []


def test_an_id_that_is_not_recorded_is_asked_for() -> None:
    facts = FakeFacts()
    assert component_stacks(runs(deploy("Succeeded")), home=HOME, ids=facts) == (STACK,)
    assert facts.asked == [("silo-silo1-resources", WORKLOAD)]


def test_a_stack_whose_id_stays_unknown_is_kept_by_its_name() -> None:
    (stack,) = component_stacks(runs(deploy("Succeeded")), home=HOME, ids=FakeFacts(known_id=None))
    assert stack.stack_id == "silo-silo1-resources"


def test_preparing_and_failing_deploy_nothing() -> None:
    details = [
        deploy("Succeeded", mode="CHANGE_SET_REPLACE"),
        deploy("Failed"),
        build("Succeeded"),
        source(),
    ]
    assert component_stacks(runs(*details), home=HOME, ids=FakeFacts()) == ()


def test_what_failed_may_have_made_a_stack() -> None:
    """Given an execution that failed, then its stack is known, once, whichever action got how far."""
    prepared = deploy("Succeeded", mode="CHANGE_SET_REPLACE", second=2)
    facts = FakeFacts(known_id=None)
    by_name = replace(STACK, stack_id="silo-silo1-resources")
    assert touched_stacks(runs(deploy("Failed"), prepared, build("Succeeded")), home=HOME, ids=facts) == (by_name,)
    assert facts.asked == [("silo-silo1-resources", WORKLOAD)]
    recorded = deploy("Failed", mode="CHANGE_SET_REPLACE", second=2, result={"externalExecutionId": STACK_ID})
    assert touched_stacks(runs(recorded), home=HOME, ids=FakeFacts(known_id=None)) == (STACK,)
    assert touched_stacks(runs(deploy("Succeeded", mode="DELETE_ONLY")), home=HOME, ids=FakeFacts()) == ()


def test_an_action_without_role_and_region_works_at_home() -> None:
    given = {"configuration": {"ActionMode": "CREATE_UPDATE", "StackName": "s"}}
    details = detail("Deploy", "Deploy", "Succeeded", provider="CloudFormation", given=given)
    (stack,) = component_stacks(runs(details), home=HOME, ids=FakeFacts())
    assert (stack.account, stack.region) == (HOME.account, HOME.region)


@pytest.mark.parametrize(
    ("said", "revision"),
    [
        ("abc123", "abc123"),
        ("v1.2_3-rc", "v1.2_3-rc"),
        ("Amazon S3 version id: L4kqtJlcpXroDTDmpUMLUo", ""),
        ("Edited README.txt", ""),
        ("", ""),
        ("x" * 65, ""),
    ],
)
def test_the_releases_own_metadata_names_the_revision(said: str, revision: str) -> None:
    assert Execution.from_summary(summary("e1", "Succeeded", revision=said)).revision == revision


def test_before_the_source_is_fetched_there_is_no_revision() -> None:
    bare = {"pipelineExecutionId": "e1", "status": "InProgress", "startTime": START}
    assert Execution.from_summary(bare).revision == ""
