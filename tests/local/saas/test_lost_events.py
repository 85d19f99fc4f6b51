"""What no event told, the sweep finds out."""

from __future__ import annotations

import pytest

from lambdas.saas.model.status import Phase, Status
from local_cloud.factory.granary import Row, wait_until
from tests.local.saas.factory import PATIENCE_SECONDS, Factory
from tests.local.saas.outages import Schedule, pipeline_events_are_lost, stream_is_lost

LOST = Row(id="lost", type="silo", region="us-east-1")


def test_the_sweep_runs_on_a_schedule(factory: Factory, schedule: Schedule) -> None:
    """A rule of the toolchain invokes the function, as it was deployed."""
    assert (schedule.expression, schedule.state) == ("rate(1 hour)", "ENABLED")
    assert schedule.target.endswith(f":function:{factory.names.function('sweep')}")


def test_the_sweep_makes_up_for_lost_events(factory: Factory, wave: dict[str, Status]) -> None:
    """Given that every event of a row is lost, when the sweep runs, then the row becomes ACTIVE all the same."""
    with stream_is_lost(factory), pipeline_events_are_lost(factory):
        factory.put(LOST)
        assert factory.granary.status(LOST.id) is None
        assert factory.sweep()["started"] >= 1
        wait_until(
            lambda: [e for e in factory.granary.executions(LOST.pipeline) if e["status"] == "Succeeded"] or None,
            seconds=PATIENCE_SECONDS,
            what="the pipeline of the lost row",
        )
        assert factory.reaches(LOST.id, Phase.PROVISIONING).revision_deployed == ""

    # A pipeline that is silent for a short time is none of the sweep's business.
    assert factory.sweep()["looked"] == 0
    factory.time_passes(LOST.id)
    assert factory.sweep()["looked"] == 1

    status = factory.active(LOST)[LOST.id]
    assert status.revision_deployed == status.revision_wanted
    assert factory.component(LOST) is not None
    # The row's own event, late as it is, finds nothing to do.
    factory.stream_is_drained()
    assert len(factory.builds_of(LOST.id)) == 1


@pytest.mark.usefixtures("wave")
def test_a_lost_status_is_written_anew(factory: Factory) -> None:
    """Given that a status is deleted, when the sweep runs, then it is known again, and nothing is deployed again."""
    known = factory.granary.status(LOST.id)
    assert known is not None
    executions = factory.granary.executions(LOST.pipeline)
    factory.granary.client("dynamodb").delete_item(TableName=factory.names.status_table, Key={"id": {"S": LOST.id}})

    assert factory.sweep()["started"] >= 1
    factory.active(LOST)
    factory.sweep()

    def known_again() -> Status | None:
        status = factory.granary.status(LOST.id)
        return status if status and status.revision_deployed and status.pipeline_stack else None

    status = wait_until(known_again, seconds=PATIENCE_SECONDS, what="what is deployed to be known again")
    assert status.pipeline_stack == known.pipeline_stack
    assert status.component_stacks == known.component_stacks
    assert status.revision_deployed == known.revision_deployed
    assert [e["pipelineExecutionId"] for e in factory.granary.executions(LOST.pipeline)] == [
        e["pipelineExecutionId"] for e in executions
    ]
