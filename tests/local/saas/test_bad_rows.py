"""Rows that cannot be acted on are refused with a reason, hurt nobody, and may be corrected."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from lambdas.saas.model.status import Phase, Status
from tests.local.saas.factory import Factory
from tests.local.saas.wave import BAD, CORRECTABLE, GOOD, with_extra

_CASES = pytest.mark.parametrize(("item", "words"), BAD, ids=[words for _, words in BAD])


@_CASES
def test_a_bad_row_is_invalid_with_a_reason(
    factory: Factory, wave: dict[str, Status], item: dict[str, Any], words: str
) -> None:
    """Given a bad row among good ones, then it is INVALID, its reason says why, and people are told."""
    status = factory.reaches(item["id"]["S"], Phase.INVALID)
    assert words in status.reason
    assert (status.pipeline_stack, status.component_stacks, status.build_id) == (None, (), "")
    (told,) = factory.hears(item["id"]["S"], "INVALID")
    assert (told["from"], told["to"], told["reason"]) == ("", "INVALID", status.reason)
    assert "Correct the row" in told["next_step"]


@_CASES
def test_nothing_is_deployed_for_a_bad_row(
    factory: Factory, wave: dict[str, Status], item: dict[str, Any], words: str
) -> None:
    """No build was asked to look at it, and no pipeline has its id."""
    deployment_id = item["id"]["S"]
    assert factory.builds_of(deployment_id) == []
    names = [entry["name"] for entry in factory.granary.client("codepipeline").list_pipelines()["pipelines"]]
    assert not [name for name in names if deployment_id in name]
    assert not Path("/tmp/granary-was-here").exists()  # noqa: S108 - what the row's shell characters would create


def test_good_rows_are_not_delayed_by_bad_ones(factory: Factory, wave: dict[str, Status]) -> None:
    """Every good row of the wave was taken in by its first build, and none was dropped."""
    sqs = factory.granary.client("sqs")
    queue = sqs.get_queue_url(QueueName=factory.names.dead_letter_queue)["QueueUrl"]
    attributes = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["ApproximateNumberOfMessages"])["Attributes"]
    assert attributes == {"ApproximateNumberOfMessages": "0"}
    assert {wave[row.id].phase for row in GOOD} == {Phase.ACTIVE}
    first = {row.id: min(factory.builds_of(row.id), key=lambda build: build["startTime"])["id"] for row in GOOD}
    assert {row.id: wave[row.id].build_id for row in GOOD} == first


@_CASES
def test_rows_are_left_as_people_wrote_them(
    factory: Factory, wave: dict[str, Status], item: dict[str, Any], words: str
) -> None:
    """The factory writes nothing into the deployments table, whatever else a row holds."""
    assert factory.item(item["id"]["S"]) == with_extra(item)
    assert factory.item(GOOD[0].id) == with_extra(GOOD[0].item())


def test_people_are_told_of_bad_rows(factory: Factory, wave: dict[str, Status]) -> None:
    """The topic for failures says which row, and why."""
    for item, words in BAD:
        factory.people_hear(item["id"]["S"], words)


def test_a_corrected_row_becomes_active(factory: Factory, wave: dict[str, Status]) -> None:
    """Given an INVALID row, when it is put with a Region that is allowed, then it becomes a tenant like any other."""
    factory.reaches(CORRECTABLE.id, Phase.INVALID)
    factory.put(CORRECTABLE)
    factory.leaves(CORRECTABLE.id, Phase.INVALID)
    status = factory.active(CORRECTABLE)[CORRECTABLE.id]
    assert status.reason == ""
    component = factory.component(CORRECTABLE)
    assert component is not None
    assert component["StackStatus"] == "CREATE_COMPLETE"
    factory.hears(CORRECTABLE.id, "INVALID", "PENDING", "PROVISIONING", "ACTIVE")
