"""CodeBuild at its limit delays rows; it loses none."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from lambdas.saas.model.status import Phase, Status
from local_cloud.factory.granary import Row
from tests.local.saas.factory import Factory
from tests.local.saas.wave import UNREACHABLE

ROWS = (
    Row(id="patient1", type="silo", region="us-east-1"),
    Row(id="patient2", type="pool", region="us-east-1"),
    Row(id="patient3", type="pool", region="eu-west-1"),
)
REFUSALS = 3


@pytest.fixture
def codebuild_at_its_limit(factory: Factory, wave: dict[str, Status]) -> Iterator[None]:
    """The next calls of StartBuild are refused as CodeBuild refuses them at the account's limit."""
    faults = factory.granary.cloud.faults
    faults.set({"codebuild:StartBuild": {"every": 1, "error": "AccountLimitExceededException", "count": REFUSALS}})
    yield
    faults.clear()


@pytest.mark.usefixtures("codebuild_at_its_limit")
def test_rows_wait_for_capacity_and_none_is_lost(factory: Factory) -> None:
    """Given CodeBuild at its limit, when rows are put, then they wait, say why, and each is deployed exactly once."""
    factory.put(*ROWS)
    factory.active(*ROWS)

    fault = factory.granary.cloud.faults.get()["codebuild:StartBuild"]
    assert fault["raised"] == REFUSALS
    waited = [detail for row in ROWS for detail in factory.told(row.id) if detail["reason"]]
    assert waited
    assert all(detail["reason"].startswith("waiting: CodeBuild is at its limit") for detail in waited)
    assert {detail["to"] for detail in waited} == {"PENDING"}
    for row in ROWS:
        status, component = factory.granary.status(row.id), factory.component(row)
        assert status is not None
        assert component is not None
        assert status.pipeline_stack is not None
        assert factory.operations(status.pipeline_stack.stack_id) == ["CREATE_IN_PROGRESS"]
        place = {"account": row.account, "region": row.region}
        assert factory.operations(component["StackId"], **place) == ["CREATE_IN_PROGRESS"]
        assert (status.phase, status.attempts) == (Phase.ACTIVE, 0)


def test_throttled_calls_are_repeated_at_once(factory: Factory, wave: dict[str, Status]) -> None:
    """Given two throttled calls, when the sweep starts a build, then the SDK repeats them and nothing waits."""
    factory.reaches(UNREACHABLE.id, Phase.FAILED)
    factory.time_passes(UNREACHABLE.id)
    faults = factory.granary.cloud.faults
    faults.set({"codebuild:StartBuild": {"every": 1, "error": "ThrottlingException", "count": 2}})
    try:
        answer = factory.sweep()
        assert faults.get()["codebuild:StartBuild"]["raised"] == 2
    finally:
        faults.clear()
    assert (answer["started"], answer["waiting"]) == (1, 0)
    factory.build_ended(factory.builds_of(UNREACHABLE.id)[0]["id"])
    factory.reaches(UNREACHABLE.id, Phase.FAILED)
