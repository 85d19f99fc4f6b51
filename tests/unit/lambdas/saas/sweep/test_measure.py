"""The metrics that the function `sweep` writes, on moto's AWS."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest

from lambdas.common import clients
from lambdas.saas.model.runs import Ring, Run, RunState
from lambdas.saas.model.status import Phase, Status
from lambdas.saas.store.runs_table import RunsTable
from lambdas.saas.sweep.handler import _measure
from tests.unit.lambdas.saas.fakes import RELEASE, START
from tests.unit.lambdas.saas.strategies import POLICY
from tests.unit.lambdas.saas.sweep.test_sweep_handler import ENVIRONMENT

NOW = datetime.now(UTC)  # moto keeps what is recent
STATUSES = [Status(id="a", phase=Phase.ACTIVE, revision_deployed="old")]
RUN = Run(run="r", revision="new", state=RunState.RUNNING, strategy="rings", rings=1, deployments=4)
RING = Ring(
    run="r",
    index=0,
    name="canary",
    state="ADVANCING",
    total=4,
    concurrency=1,
    allowed_failures=0,
    bake_seconds=0,
    succeeded=1,
    failed=1,
)


@pytest.fixture
def client(make_table: Callable[[str], Any], give_settings: Callable[..., None]) -> Iterator[Any]:
    """The releases table, and what the function reads its name of; answers the client of DynamoDB."""
    give_settings(ENVIRONMENT, target_policy=POLICY.to_json())
    clients.client.cache_clear()
    yield make_table("releases")
    clients.client.cache_clear()


def written() -> dict[tuple[str, str], float]:
    """Every value, by the metric's name and its dimension besides the factory."""
    cloudwatch = boto3.client("cloudwatch")
    found = {}
    for metric in cloudwatch.get_paginator("list_metrics").paginate(Namespace="Granary").search("Metrics[]"):
        more = "".join(one["Value"] for one in metric["Dimensions"] if one["Name"] != "Factory")
        points = cloudwatch.get_metric_statistics(
            **metric,
            StartTime=NOW - timedelta(minutes=5),
            EndTime=NOW + timedelta(minutes=5),
            Period=60,
            Statistics=["Maximum"],
        )["Datapoints"]
        found[metric["MetricName"], more] = points[0]["Maximum"]
    return found


def test_the_run_in_force_is_measured(client: Any) -> None:
    runs = RunsTable(client=client, name="releases")
    assert runs.take_over("r", release=RELEASE, resumes="", now=START)
    runs.planned(RING)
    runs.begun(RUN)
    _measure(STATUSES, [], NOW)
    found = written()
    counts = [found[name, "canary"] for name in ("ReleaseTotal", "ReleaseDone", "ReleaseFailed")]
    assert counts == [4, 2, 1]
    assert found["NotAtWantedRevision", ""] == 1
    assert found["Deployments", "ACTIVE"] == 1


def test_a_releases_table_that_cannot_be_read_costs_the_releases_figures_alone(client: Any) -> None:
    client.delete_table(TableName="releases")
    _measure(STATUSES, [], NOW)
    found = written()
    assert found["Deployments", "ACTIVE"] == 1
    assert ("NotAtWantedRevision", "") not in found  # no figure is better than one that says that all is well


def test_what_cannot_be_read_is_measured(client: Any) -> None:
    """Given a status and a ring that cannot be read, then both are counted, and the fleet's figures are there."""
    runs = RunsTable(client=client, name="releases")
    assert runs.take_over("r", release=RELEASE, resumes="", now=START)
    runs.begun(RUN)
    client.put_item(TableName="releases", Item={"id": {"S": "ring/r/0"}, "run": {"S": "r"}})
    _measure(STATUSES, ["nothing is done about deployment b"], NOW)
    found = written()
    assert found["Unreadable", ""] == 2
    assert found["Deployments", "ACTIVE"] == 1
