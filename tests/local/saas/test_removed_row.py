"""A row that is simply removed destroys nothing, and leaves nothing when nothing came of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lambdas.saas.model.status import Phase, Status
from local_cloud.factory.granary import Row, wait_until
from tests.local.saas.factory import PATIENCE_SECONDS, Factory
from tests.local.saas.wave import EARLY

# The configuration allows no such Region.
MISTAKEN = Row(id="mistaken", type="silo", region="us-gov-west-1")


def _is_removal(event: Mapping[str, Any], deployment_id: str) -> bool:
    return bool(event["detail-type"] == "Deployment Row Removed" and event["detail"]["id"] == deployment_id)


def _tells_removal(message: Mapping[str, Any], deployment_id: str) -> bool:
    return f"row of deployment {deployment_id} was removed" in str(message["Message"])


def test_a_removed_row_destroys_nothing_and_alarms(factory: Factory, wave: dict[str, Status]) -> None:
    """Given a tenant, when its row is removed, then everything stays, and everybody is told."""
    component, pipeline_stack = factory.component(EARLY), factory.stack(EARLY.pipeline)

    factory.remove(EARLY)

    def removed() -> Status | None:
        status = factory.granary.status(EARLY.id)
        return status if status and status.row_removed else None

    status = wait_until(removed, seconds=PATIENCE_SECONDS, what="the removal to be noticed")
    assert status.phase is Phase.ACTIVE
    assert "put the row back to keep it" in status.reason
    assert factory.component(EARLY) == component
    assert factory.stack(EARLY.pipeline) == pipeline_stack
    assert factory.pipeline(EARLY.pipeline) is not None

    def told() -> dict[str, object] | None:
        return next((event["detail"] for event in factory.bus.messages() if _is_removal(event, EARLY.id)), None)

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


def test_nothing_is_left_of_a_row_that_was_only_ever_invalid(factory: Factory) -> None:
    """Given a row that no build took up, when it is removed, then its status goes too, and nobody is told.

    The row is put once more after that: what is told of it then was told later than anything about its removal.
    """
    for times in (1, 2):
        factory.put(MISTAKEN)
        factory.reaches(MISTAKEN.id, Phase.INVALID)
        factory.people_hear(f"Deployment {MISTAKEN.id} ", "us-gov-west-1", times=times)
        factory.remove(MISTAKEN)
        factory.forgets(MISTAKEN.id)

    assert [(detail["from"], detail["to"]) for detail in factory.told(MISTAKEN.id)] == [("", "INVALID")] * 2
    assert not [event for event in factory.bus.messages() if _is_removal(event, MISTAKEN.id)]
    assert not [message for message in factory.people.messages() if _tells_removal(message, MISTAKEN.id)]
