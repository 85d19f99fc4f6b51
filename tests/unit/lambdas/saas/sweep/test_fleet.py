"""The fleet in a few numbers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdas.common.clock import stamp
from lambdas.common.metrics import Metric
from lambdas.saas.model.failures import FailureCategory
from lambdas.saas.model.runs import Ring, Run, RunState
from lambdas.saas.model.status import Outcome, Phase, Status
from lambdas.saas.sweep.fleet import RINGS_LIMIT, ReleaseSeen, fleet_metrics, release_metrics, wanted_revision

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)


def value(metrics: list[Metric], name: str, dimension: str = "") -> float:
    (found,) = [one for one in metrics if one.name == name and (not dimension or dimension in one.dimensions.values())]
    return found.value


def test_an_empty_fleet_is_all_zeros() -> None:
    metrics = [*fleet_metrics([], NOW), *release_metrics([], ReleaseSeen())]
    assert {metric.name for metric in metrics} == {
        "Deployments",
        "Failures",
        "OldestPendingAge",
        "NotAtWantedRevision",
        "ReleaseDeployments",
        "RemovalsHeld",
        "Unreadable",
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


def deployed(revision: str, phase: Phase = Phase.ACTIVE, **more: Any) -> Status:
    return Status(id="a", phase=phase, revision_deployed=revision, **more)


@pytest.mark.parametrize(
    ("status", "behind"),
    [
        (deployed("1"), 1),
        (deployed("2"), 0),
        # What was wished for it last is not what the fleet is to have: no release has taken it up yet.
        (deployed("1", revision_wanted="1"), 1),
        (deployed("1", Phase.UPDATING), 1),
        (deployed("1", Phase.FAILED), 1),
        (deployed("", Phase.FAILED), 1),
        (deployed("", Phase.PROVISIONING), 0),
        (deployed("1", Phase.SUSPENDED), 0),
        (deployed("1", Phase.RETIRED), 0),
        (deployed("1", row_removed=True), 0),
        (deployed("1", Phase.FAILED, retire_after="2026-12-01"), 0),
    ],
)
def test_who_is_behind(status: Status, behind: int) -> None:
    assert value(release_metrics([status], ReleaseSeen(wanted="2")), "NotAtWantedRevision") == behind


def test_before_the_first_release_nobody_is_behind() -> None:
    assert value(release_metrics([deployed("1")], ReleaseSeen()), "NotAtWantedRevision") == 0


def run(state: RunState) -> Run:
    return Run(run="two", revision="2", state=state, strategy="rings", rings=2, deployments=9)


@pytest.mark.parametrize(
    ("known", "wanted"),
    [
        (None, "1"),
        (run(RunState.RUNNING), "2"),
        (run(RunState.STOPPED), "1"),
        (run(RunState.SUCCEEDED), "1"),
    ],
)
def test_a_release_under_way_says_what_is_wanted(known: Run | None, wanted: str) -> None:
    assert wanted_revision(known, "1") == wanted


def released(name: str, run: str, ring: str, outcome: Outcome) -> Status:
    return Status(id=name, phase=Phase.ACTIVE, release_run=run, release_ring=ring, release_outcome=outcome)


def ring(name: str, total: int, **counts: Any) -> Ring:
    return Ring(
        run="two",
        index=0,
        name=name,
        state="ADVANCING",
        total=total,
        concurrency=1,
        allowed_failures=0,
        bake_seconds=0,
        **counts,
    )


def told_of_rings(metrics: list[Metric]) -> dict[str, tuple[float, float, float]]:
    """By ring: in all, done, failed."""
    names = [one.dimensions["Ring"] for one in metrics if one.name == "ReleaseTotal"]
    counted = ("ReleaseTotal", "ReleaseDone", "ReleaseFailed")
    by_name = {(one.name, one.dimensions.get("Ring")): one.value for one in metrics}
    return {name: (by_name[counted[0], name], by_name[counted[1], name], by_name[counted[2], name]) for name in names}


def test_the_run_in_force_is_told_with_what_it_has_not_touched() -> None:
    """Given a ring that nobody has begun, then its total is told, and an older run's outcomes are not."""
    statuses = [
        released("a", "two", "canary", Outcome.SUCCEEDED),
        released("b", "two", "early", Outcome.RUNNING),
        released("c", "one", "general", Outcome.FAILED),
    ]
    rings = (ring("canary", 1, succeeded=1), ring("early", 4, succeeded=1, failed=1), ring("general", 95))
    metrics = release_metrics(statuses, ReleaseSeen(wanted="2", rings=rings, lineage=("two",)))
    assert value(metrics, "ReleaseDeployments", "succeeded") == 1
    assert value(metrics, "ReleaseDeployments", "running") == 1
    assert value(metrics, "ReleaseDeployments", "failed") == 0
    assert told_of_rings(metrics) == {"canary": (1, 1, 0), "early": (4, 2, 1), "general": (95, 0, 0)}


def test_a_resumed_run_goes_on_counting() -> None:
    """Given a ring of three that stopped after one, when it is resumed with two, then it is one of three again."""
    statuses = [
        released("a", "two", "early", Outcome.SUCCEEDED),
        released("b", "two", "early", Outcome.ROLLED_BACK),
        released("c", "two-r2", "early", Outcome.RUNNING),
        released("d", "zero", "early", Outcome.SUCCEEDED),
    ]
    seen = ReleaseSeen(wanted="2", rings=(ring("early", 2),), lineage=("two-r2", "two"))
    metrics = release_metrics(statuses, seen)
    assert told_of_rings(metrics) == {"early": (3, 1, 0)}
    assert value(metrics, "ReleaseDeployments", "succeeded") == 1
    assert value(metrics, "ReleaseDeployments", "running") == 1


def test_many_rings_are_bounded() -> None:
    rings = tuple(ring(f"ring-{number}", 1) for number in range(RINGS_LIMIT + 5))
    metrics = release_metrics([], ReleaseSeen(rings=rings, lineage=("two",)))
    assert len(told_of_rings(metrics)) == RINGS_LIMIT


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
)


_seen = st.builds(
    ReleaseSeen,
    wanted=st.sampled_from(["", "1", "2"]),
    rings=st.lists(
        st.builds(ring, st.text(max_size=3), st.integers(0, 9)), max_size=40, unique_by=lambda one: one.name
    ).map(tuple),
    lineage=st.sampled_from([(), ("one",), ("two", "one")]),
)


@given(st.lists(_statuses, max_size=60), _seen)
def test_the_counts_add_up_and_no_metric_is_a_tenants(statuses: list[Status], seen: ReleaseSeen) -> None:
    metrics = [*fleet_metrics(statuses, NOW), *release_metrics(statuses, seen)]
    assert sum(one.value for one in metrics if one.name == "Deployments") == len(statuses)
    failed = sum(status.phase is Phase.FAILED for status in statuses)
    assert sum(one.value for one in metrics if one.name == "Failures") == failed
    of_rings = 3 * min(len(seen.rings), RINGS_LIMIT)
    assert len(metrics) == len(Phase) + len(FailureCategory) + len(Outcome) + 4 + of_rings
    assert len({(one.name, *one.dimensions.items()) for one in metrics}) == len(metrics)
    assert all(one.value >= 0 for one in metrics)
    assert all(done <= total for total, done, _ in told_of_rings(metrics).values())
