"""A row that is simply removed destroys nothing."""

from __future__ import annotations

from lambdas.common.status import Phase, Status
from local_cloud.factory.granary import wait_until
from tests.local.saas.factory import PATIENCE_SECONDS, Factory
from tests.local.saas.wave import EARLY


def test_a_removed_row_destroys_nothing_and_alarms(factory: Factory, wave: dict[str, Status]) -> None:
    """Given a tenant, when its row is removed, then everything stays, and everybody is told."""
    component, pipeline_stack = factory.component(EARLY), factory.stack(EARLY.pipeline)

    factory.remove(EARLY)

    def removed() -> Status | None:
        status = factory.granary.status(EARLY.id)
        return status if status and status.row_removed else None

    status = wait_until(removed, seconds=PATIENCE_SECONDS, what="the removal to be noticed")
    assert status.phase is Phase.ACTIVE
    assert "nothing was destroyed; put the row back" in status.reason
    assert factory.component(EARLY) == component
    assert factory.stack(EARLY.pipeline) == pipeline_stack
    assert factory.pipeline(EARLY.pipeline) is not None

    def told() -> dict[str, object] | None:
        events = [event for event in factory.bus.messages() if event["detail-type"] == "Deployment Row Removed"]
        return next((event["detail"] for event in events if event["detail"]["id"] == EARLY.id), None)

    detail = wait_until(told, seconds=PATIENCE_SECONDS, what="the event on the bus")
    assert "Put the row back to keep the deployment" in str(detail["next_step"])

    factory.people_hear(f"row of deployment {EARLY.id} was removed", "nothing was destroyed")


def test_a_row_that_is_put_back_is_active_again(factory: Factory, wave: dict[str, Status]) -> None:
    """Given a removed row, when it is put back, then the tenant is ACTIVE as before, and nothing is deployed anew."""
    executions = [execution["pipelineExecutionId"] for execution in factory.granary.executions(EARLY.pipeline)]
    builds = len(factory.builds_of(EARLY.id))

    factory.put(EARLY)

    def back() -> Status | None:
        status = factory.granary.status(EARLY.id)
        return status if status and not status.row_removed and status.phase is Phase.ACTIVE else None

    status = wait_until(back, seconds=PATIENCE_SECONDS, what="the row to be known again")
    assert status.reason == ""
    assert status.component_stacks == wave[EARLY.id].component_stacks
    assert len(factory.builds_of(EARLY.id)) == builds + 1
    assert [e["pipelineExecutionId"] for e in factory.granary.executions(EARLY.pipeline)] == executions
