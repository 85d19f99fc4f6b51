"""Seeing to it that a deployed pipeline runs."""

from __future__ import annotations

from datetime import datetime

import pytest

from buildspecs.saas.provision.pipelines import Deployed
from tests.unit.buildspecs.saas.provision.clients import CREATED, LATER, NAME, RECORD, CodePipeline, pipelines
from tests.unit.buildspecs.saas.provision.fakes import stack_of


@pytest.mark.parametrize(
    ("newest", "answer", "starts"),
    [
        (None, None, True),
        ("Succeeded", "e1", False),
        ("InProgress", None, False),
        ("Stopping", None, False),
        ("Failed", None, True),
        ("Stopped", None, True),
        ("Cancelled", None, True),
        ("Superseded", None, True),
    ],
)
def test_an_unchanged_pipeline_is_started_unless_it_runs_or_has_delivered(
    newest: str | None, answer: str | None, starts: bool
) -> None:
    codepipeline = CodePipeline([{"pipelineExecutionId": "e1", "status": newest}] if newest else [])
    unchanged = Deployed(stack=stack_of("a"), changed=False)
    assert pipelines(codepipeline=codepipeline).run(RECORD, deployed=unchanged, token="t") == answer
    assert codepipeline.started == ([{"name": NAME, "clientRequestToken": "t"}] if starts else [])


@pytest.mark.parametrize(
    ("status", "started", "answer", "starts"),
    [
        ("Succeeded", CREATED, None, True),
        ("Succeeded", LATER, "e1", False),
        ("InProgress", CREATED, None, False),
    ],
)
def test_what_was_delivered_before_the_stack_changed_stands_for_nothing(
    status: str, started: datetime, answer: str | None, starts: bool
) -> None:
    """Given a build that ended between changing a project and starting the pipeline,
    when the next build finds the stack as it should be, then it starts the pipeline."""
    newest = {"pipelineExecutionId": "e1", "status": status, "startTime": started}
    codepipeline = CodePipeline([newest])
    unchanged = Deployed(stack=stack_of("a"), changed=False, touched=LATER)
    assert pipelines(codepipeline=codepipeline).run(RECORD, deployed=unchanged, token="t") == answer
    assert len(codepipeline.started) == starts


def test_a_changed_pipeline_starts_by_itself() -> None:
    codepipeline = CodePipeline([{"pipelineExecutionId": "e1", "status": "Succeeded"}])
    changed = Deployed(stack=stack_of("a"), changed=True)
    assert pipelines(codepipeline=codepipeline).run(RECORD, deployed=changed, token="t") is None
    assert codepipeline.started == []


def test_a_pipeline_is_started_when_only_a_project_of_its_stack_has_changed() -> None:
    codepipeline = CodePipeline([{"pipelineExecutionId": "e1", "status": "Succeeded"}])
    beside = Deployed(stack=stack_of("a"), changed=True, restarted=False)
    assert pipelines(codepipeline=codepipeline).run(RECORD, deployed=beside, token="t") is None
    assert codepipeline.started == [{"name": NAME, "clientRequestToken": "t"}]
