"""Who was given a pipeline, and has none any more."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lambdas.saas.model.status import Phase, Placement, StackRef, Status
from lambdas.saas.store.standing_pipelines import standing_pipelines, without_pipeline
from tests.unit.lambdas.saas.fakes import Paged, PagingClient

STACK = StackRef(kind="pipeline", stack_id="arn:p", account="111111111111", region="eu-west-1")
ACME = Status(id="acme", phase=Phase.ACTIVE, type="silo", pipeline_stack=STACK)


def test_all_pages_are_read() -> None:
    pages = Paged([{"pipelines": [{"name": "silo-a-pipeline"}]}, {"pipelines": [{"name": "cicd"}]}])
    assert standing_pipelines(PagingClient(pages)) == {"silo-a-pipeline", "cicd"}


@pytest.mark.parametrize(
    ("status", "lost"),
    [
        (ACME, True),
        (replace(ACME, phase=Phase.FAILED), True),
        (replace(ACME, id="other"), False),
        (replace(ACME, pipeline_stack=None), False),
        (replace(ACME, phase=Phase.PENDING), False),
        (replace(ACME, phase=Phase.SUSPENDED), False),
        (replace(ACME, phase=Phase.FAILED, retire_after="2026"), False),
        (replace(ACME, id="other", type="pool", placed=(Placement(type="silo", account="1", region="r"),)), False),
    ],
)
def test_whoever_needs_one_and_was_given_one(status: Status, lost: bool) -> None:
    assert bool(without_pipeline([status], lambda: {"silo-other-pipeline"})) is lost
