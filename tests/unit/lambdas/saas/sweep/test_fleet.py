"""The fleet in a few numbers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdas.common.clock import stamp
from lambdas.common.metrics import Metric
from lambdas.common.status import Outcome, Phase, Status
from lambdas.saas.sweep.fleet import RINGS_LIMIT, fleet_metrics

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)


def value(metrics: list[Metric], name: str, dimension: str = "") -> float:
    (found,) = [one for one in metrics if one.name == name and (not dimension or dimension in one.dimensions.values())]
    return found.value


def test_an_empty_fleet_is_all_zeros() -> None:
    metrics = fleet_metrics([], NOW)
    assert {metric.name for metric in metrics} == {
        "Deployments",
        "Failures",
        "OldestPendingAge",
        "NotAtWantedRevision",
        "ReleaseDeployments",
    }
    assert not any(metric.value for metric in metrics)


def test_the_oldest_pending_row_counts() -> None:
    """Given rows that wait and one that does not, then the age is that of the one that waits longest."""
    ages = {"a": 10, "b": 2_400, "c": 60}
    pending = [
        Status(id=name, phase=Phase.PENDING, pending_since=stamp(NOW - timedelta(seconds=age)), updated_at=stamp(NOW))
        for name, age in ages.items()
    ]
    old = Status(id="d", phase=Phase.ACTIVE, updated_at=stamp(NOW - timedelta(days=9)))
    assert value(fleet_metrics([*pending, old], NOW), "OldestPendingAge") == 2_400


@pytest.mark.parametrize(
    ("status", "behind"),
    [
        (Status(id="a", phase=Phase.ACTIVE, revision_wanted="2", revision_deployed="1"), 1),
        (Status(id="a", phase=Phase.ACTIVE, revision_wanted="2", revision_deployed="2"), 0),
        (Status(id="a", phase=Phase.PROVISIONING, revision_wanted="2"), 0),
        (Status(id="a", phase=Phase.SUSPENDED, revision_wanted="2", revision_deployed="1"), 0),
        (Status(id="a", phase=Phase.RETIRED, revision_wanted="2", revision_deployed="1"), 0),
    ],
)
def test_who_is_behind(status: Status, behind: int) -> None:
    assert value(fleet_metrics([status], NOW), "NotAtWantedRevision") == behind


def released(name: str, run: str, ring: str, outcome: Outcome, started: str) -> Status:
    return Status(
        id=name,
        phase=Phase.ACTIVE,
        release_run=run,
        release_ring=ring,
        release_outcome=outcome,
        release_started_at=started,
    )


def test_the_newest_release_is_the_one_that_is_told() -> None:
    """Given an older release that failed somewhere, then only the newest is counted, by outcome and by ring."""
    metrics = fleet_metrics(
        [
            released("a", "two", "canary", Outcome.SUCCEEDED, "2026-11-25T11:00"),
            released("b", "two", "early", Outcome.RUNNING, "2026-11-25T11:20"),
            released("c", "one", "general", Outcome.FAILED, "2026-11-24T11:00"),
        ],
        NOW,
    )
    assert value(metrics, "ReleaseDeployments", "succeeded") == 1
    assert value(metrics, "ReleaseDeployments", "running") == 1
    assert value(metrics, "ReleaseDeployments", "failed") == 0
    rings = {one.dimensions["Ring"]: one.value for one in metrics if one.name == "ReleaseSucceeded"}
    assert rings == {"canary": 1, "early": 0}


_stamps = st.datetimes(min_value=datetime(2026, 1, 1), max_value=datetime(2027, 1, 1)).map(
    lambda moment: stamp(moment.replace(tzinfo=UTC))
)
_statuses = st.builds(
    Status,
    id=st.text(min_size=1, max_size=5),
    phase=st.sampled_from(Phase),
    reason=st.text(max_size=30),
    updated_at=_stamps,
    revision_wanted=st.sampled_from(["", "1", "2"]),
    revision_deployed=st.sampled_from(["", "1", "2"]),
    release_run=st.sampled_from(["", "one", "two"]),
    release_ring=st.text(max_size=3),
    release_outcome=st.sampled_from(["", *Outcome]),
    release_started_at=_stamps,
)


@given(st.lists(_statuses, max_size=60))
def test_the_counts_add_up_and_no_metric_is_a_tenants(statuses: list[Status]) -> None:
    metrics = fleet_metrics(statuses, NOW)
    assert sum(one.value for one in metrics if one.name == "Deployments") == len(statuses)
    failed = sum(status.phase is Phase.FAILED for status in statuses)
    assert sum(one.value for one in metrics if one.name == "Failures") == failed
    assert len(metrics) <= len(Phase) + 8 + 2 + len(Outcome) + RINGS_LIMIT
    assert len({(one.name, *one.dimensions.items()) for one in metrics}) == len(metrics)
    assert all(one.value >= 0 for one in metrics)
