"""Second thoughts: a grace period in which a retired tenant comes back, and removals that retire."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from lambdas.common import clock
from lambdas.common.aws_errors import ignoring
from lambdas.saas.model.status import Phase, Status
from local_cloud.factory.granary import NAMES, Row, wait_until
from tests.local.saas.factory import PATIENCE_SECONDS, Factory
from tests.local.saas.outages import stream_is_lost
from tests.local.saas.settings import setting

WAVERER = Row(id="waverer", type="silo", region="us-east-1", ring="general")
LEAVER = Row(id="leaver", type="pool", region="us-east-1", ring="general")
_LIFECYCLE = NAMES.function("lifecycle")


@pytest.fixture(scope="module")
def grace(factory: Factory, wave: dict[str, Status]) -> Iterator[None]:
    """Two tenants that stand; whoever is retired may come back for an hour, and a removed row retires."""
    factory.put(WAVERER, LEAVER)
    factory.active(WAVERER, LEAVER)
    with setting(factory.granary, _LIFECYCLE, GRACE_HOURS="1", ON_ROW_REMOVED="retire"):
        yield


def retiring(factory: Factory, row: Row) -> Status:
    """Wait until the grace period has begun, and all is quiet."""

    def quiet() -> Status | None:
        status = factory.granary.status(row.id)
        if status is None or status.phase is not Phase.RETIRING or not status.retire_after:
            return None
        # The machine gives its claim back for the time that it waits.
        return None if status.claimed_by or enabled(factory, row) else status

    return wait_until(quiet, seconds=PATIENCE_SECONDS, what=f"the grace period of {row.id}")


def enabled(factory: Factory, row: Row) -> bool:
    """Whether the pipeline takes anything in."""
    states = factory.granary.client("codepipeline").get_pipeline_state(name=row.pipeline)["stageStates"]
    return bool(states[1]["inboundTransitionState"]["enabled"])


def the_hour_passes(factory: Factory, row: Row) -> None:
    """Make the grace period end a minute ago; the machine that waits for it does not know."""
    then = clock.stamp(clock.now() - timedelta(minutes=1))
    factory.granary.client("dynamodb").update_item(
        TableName=NAMES.status_table,
        Key={"id": {"S": row.id}},
        UpdateExpression="SET retire_after = :then",
        ExpressionAttributeValues={":then": {"S": then}},
    )


def end_machines(factory: Factory, row: Row) -> None:
    """End the executions that still sleep for a deployment: one would wake up within a later scenario, and do its work.

    None of them holds it then.
    """

    def free() -> bool | None:
        status = factory.granary.status(row.id)
        return True if status and not status.claimed_by else None

    wait_until(free, seconds=PATIENCE_SECONDS, what=f"{row.id} to be held by nobody")
    machines = factory.granary.client("stepfunctions")
    (arn,) = [
        one["stateMachineArn"]
        for one in machines.list_state_machines()["stateMachines"]
        if one["name"] == NAMES.lifecycle_machine
    ]
    for one in machines.list_executions(stateMachineArn=arn, statusFilter="RUNNING")["executions"]:
        if one["name"].startswith(f"{row.id}-"):
            with ignoring("ValidationException"):  # it has come to its end meanwhile
                machines.stop_execution(executionArn=one["executionArn"])


def test_a_retired_tenant_can_come_back_within_the_grace_period(factory: Factory, grace: None) -> None:
    """Given a tenant that is being retired, when it is wanted again in time, then nothing of it was touched."""
    component = factory.component(WAVERER)
    assert factory.cli("retire", "--yes", WAVERER.id).returncode == 0
    status = retiring(factory, WAVERER)
    left = clock.moment(status.retire_after) - clock.now()
    assert timedelta(minutes=50) < left < timedelta(hours=1)
    assert factory.sweep()["lifecycle"] == 0, "somebody waits for it already"
    assert factory.component(WAVERER) == component

    assert factory.cli("activate", WAVERER.id).returncode == 0
    factory.leaves(WAVERER.id, Phase.RETIRING)
    after = factory.active(WAVERER)[WAVERER.id]
    assert (after.retire_after, after.execution_id) == ("", status.execution_id)
    assert enabled(factory, WAVERER)
    assert factory.component(WAVERER) == component
    end_machines(factory, WAVERER)


def test_after_the_grace_period_a_tenant_is_deleted(factory: Factory, grace: None) -> None:
    """Given a machine that still waits, when the time has come, then the sweep has another one do the work."""
    assert factory.cli("retire", "--yes", WAVERER.id).returncode == 0
    retiring(factory, WAVERER)
    the_hour_passes(factory, WAVERER)
    assert factory.sweep()["lifecycle"] == 1
    factory.reaches(WAVERER.id, Phase.RETIRED)
    assert factory.component(WAVERER) is None
    assert factory.pipeline(WAVERER.pipeline) is None


def test_a_removal_whose_event_was_lost_retires_when_that_is_configured(factory: Factory, grace: None) -> None:
    """Given `on_row_removed: retire`, when nobody hears of a removal, then the sweep sees to it."""
    with stream_is_lost(factory), setting(factory.granary, NAMES.function("sweep"), ON_ROW_REMOVED="retire"):
        factory.remove(LEAVER)
        counts = factory.sweep()
        assert (counts["removed"], counts["lifecycle"]) == (1, 1)
        retiring(factory, LEAVER)
        the_hour_passes(factory, LEAVER)
        assert factory.sweep()["lifecycle"] == 1
    factory.reaches(LEAVER.id, Phase.RETIRED)
    assert factory.component(LEAVER) is None
