"""Releases under test: their alarm, and what is waited for."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from lambdas.common.errors import NotReleasedError
from lambdas.saas.model.runs import RingState, Run, RunState
from local_cloud.cloud import LocalCloudError
from local_cloud.factory.granary import wait_until
from local_cloud.factory.moving import current_release
from tests.local.saas.factory import Factory

# What the releases of these tests look at.
HEALTH = "test-health"
_PATIENCE_SECONDS = 420.0


def set_alarm(factory: Factory, state: str) -> None:
    """Have the alarm that the second ring looks at be in a state."""
    client = factory.granary.client("cloudwatch")
    client.put_metric_alarm(
        AlarmName=HEALTH,
        Namespace="Test",
        MetricName="Health",
        Statistic="Sum",
        Period=300,
        EvaluationPeriods=1,
        Threshold=1.0,
        ComparisonOperator="GreaterThanThreshold",
        TreatMissingData="ignore",
    )
    client.set_alarm_state(AlarmName=HEALTH, StateValue=state, StateReason="as the test says")


def ended(factory: Factory, revision: str, state: RunState, *, not_run: str = "") -> Run:
    """Wait until the run in force of a release is over; it must have come to the state.

    `not_run` is one that will be in force no longer.
    """

    def over() -> Run | None:
        run = factory.granary.run(revision)
        return run if run and run.run != not_run and run.state != RunState.RUNNING else None

    run = wait_until(over, seconds=_PATIENCE_SECONDS, what=f"the release of {revision} to end")
    assert run.state == state, (run, factory.granary.rings(run))
    return run


def run_ended(factory: Factory, name: str, state: RunState) -> Run:
    """Wait until a run is over, whichever is in force then; it must have come to the state."""

    def over() -> Run | None:
        run = factory.granary.runs.run(name)
        return run if run and run.state != RunState.RUNNING else None

    run = wait_until(over, seconds=_PATIENCE_SECONDS, what=f"run {name} to end")
    assert run.state == state, (run, factory.granary.rings(run))
    return run


def becomes_current(factory: Factory, revision: str) -> None:
    """Wait until new tenants get a release: that is said after its run's end was written."""

    def said() -> bool | None:
        with suppress(NotReleasedError):  # before the first one
            return True if current_release(factory.granary).revision == revision else None
        return None

    wait_until(said, seconds=60, what=f"{revision} to be the current release")


def told_of(factory: Factory, run: Run, kind: str) -> list[dict[str, Any]]:
    """Wait until an event of a kind was published of a run; returns all of that kind, of every run, the oldest first.

    Events follow what is written, and what a test has read of a run may be newer than what the bus has brought.
    """

    def found() -> list[dict[str, Any]] | None:
        details = [message["detail"] for message in factory.bus.messages() if message["detail-type"] == kind]
        return details if any(detail["run"] == run.run for detail in details) else None

    return wait_until(found, seconds=_PATIENCE_SECONDS, what=f"{kind} to be told of run {run.run}")


def ring_is(factory: Factory, revision: str, ring: str, state: RingState, *, not_run: str = "") -> Run:
    """Wait until a ring of the run in force is in a state; `not_run` is one that is in force no longer."""

    def found() -> Run | None:
        run = factory.granary.run(revision)
        if run is None or run.run == not_run:
            return None
        known = factory.granary.rings(run).get(ring)
        return run if known and known.state == state and (state != RingState.APPROVAL or known.approval_token) else None

    def over() -> list[str]:
        run = factory.granary.run(revision)
        return [f"it is {run}"] if run and run.run != not_run and run.state != RunState.RUNNING else []

    try:
        return wait_until(found, seconds=_PATIENCE_SECONDS, what=f"ring {ring} to be {state}", also=over)
    except LocalCloudError as error:
        run = factory.granary.run(revision)
        raise AssertionError(f"{error}; its rings: {factory.granary.rings(run) if run else None}") from error
