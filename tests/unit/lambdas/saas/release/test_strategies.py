"""Strategies without rings, and a bake time: the state machine's own definition, played in simulated time."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise

import pytest

from lambdas.common.clock import moment
from lambdas.common.dynamo import read_item
from lambdas.common.names import WHOLE_FLEET
from lambdas.saas.model.rings import ReleasePolicy, RingPolicy
from lambdas.saas.model.runs import Ring, RingState, Run, RunState, Strategy
from tests.bench.release.fleet import NEW
from tests.bench.release.scenario import Outcome, Pace, Scenario
from tests.bench.release.world import RUN, World

TENANTS, CONCURRENCY = 6, 40
BAKE = timedelta(minutes=10)
PIPELINE = timedelta(seconds=Pace().pipeline)
# What the functions and the events of an end take.
SOON = timedelta(seconds=5)
POLICY = ReleasePolicy(
    concurrency=CONCURRENCY, rings=(RingPolicy(name="canary", percent=10), RingPolicy(name="general", max_failures=2))
)


class Played:
    """A release that is over, and what was seen of it every few seconds: the ring, and what new tenants got."""

    def __init__(self, policy: ReleasePolicy) -> None:
        self.world = World(Scenario(deployments=TENANTS, policy=policy))
        self.seen: list[tuple[datetime, Ring | None, str]] = []
        for seconds in range(0, int((PIPELINE * TENANTS + BAKE).total_seconds()), 7):
            self.world.simulation.after(seconds, self._look)
        self.outcome: Outcome = self.world.run()

    def _look(self) -> None:
        current = "".join(self.world.parameters.values.values())
        self.seen.append((self.world.simulation.clock(), self.ring, current))

    @property
    def run(self) -> Run:
        return Run.from_item(read_item(self.world.dynamo.tables["releases"][f"run/{RUN}"]))

    @property
    def ring(self) -> Ring | None:
        rings = [
            Ring.from_item(read_item(item))
            for key, item in self.world.dynamo.tables["releases"].items()
            if key.startswith("ring/")
        ]
        assert len(rings) <= 1, rings
        return rings[0] if rings else None

    @property
    def begun(self) -> list[datetime]:
        """When each tenant's pipeline began with the release; it is at work for as long as every other."""
        executions = [one for (one,) in self.world.pipelines.executions.values()]
        assert {one.revision for one in executions} == {NEW}
        return sorted(one.started for one in executions)


@pytest.fixture(scope="module")
def in_line() -> Played:
    return Played(replace(POLICY, strategy=Strategy.ONE_AT_A_TIME.value))


@pytest.fixture(scope="module")
def baked() -> Played:
    canary, general = POLICY.rings
    rings = (canary, replace(general, bake_minutes=BAKE.seconds // 60))
    return Played(replace(POLICY, strategy=Strategy.ALL_AT_ONCE.value, rings=rings))


@pytest.mark.parametrize(("played", "concurrency", "failures"), [("in_line", 1, 0), ("baked", CONCURRENCY, 2)])
def test_one_ring_reaches_everybody(
    played: str, concurrency: int, failures: int, request: pytest.FixtureRequest
) -> None:
    """Given a strategy without rings, then its one ring has the whole fleet; one at a time, no failure is allowed."""
    found: Played = request.getfixturevalue(played)
    assert found.ring
    assert (found.run.state, found.run.rings, found.run.deployments) == (RunState.SUCCEEDED, 1, TENANTS)
    assert (found.ring.name, found.ring.state, found.ring.concurrency) == (WHOLE_FLEET, RingState.DONE, concurrency)
    assert (found.ring.allowed_failures, found.ring.total, found.ring.succeeded) == (failures, TENANTS, TENANTS)
    assert found.outcome.revisions == {NEW: TENANTS}
    assert f'"{NEW}"' in "".join(found.world.parameters.values.values())


def test_one_at_a_time_never_has_two_under_way(in_line: Played) -> None:
    """Given tenants that all wait for the same release, then each is begun when the one before it is done."""
    assert len(in_line.begun) == TENANTS
    for earlier, later in pairwise(in_line.begun):
        assert earlier + PIPELINE <= later


def test_all_at_once_has_all_under_way_together(baked: Played) -> None:
    """Given tenants that all wait for the same release, then the last one is begun before the first one is done."""
    assert len(baked.begun) == TENANTS
    assert max(baked.begun) < min(baked.begun) + PIPELINE


def test_while_a_ring_bakes_new_tenants_get_the_former_release(baked: Played) -> None:
    """Given a bake time, when every tenant has the release, then it is not yet the current one."""
    baking = [(ring, current) for _, ring, current in baked.seen if ring and ring.state == RingState.BAKING]
    assert len(baking) > 1
    for ring, current in baking:
        assert (ring.succeeded, ring.failed) == (ring.total, 0)
        assert NEW not in current


def test_the_bake_time_begins_with_the_last_outcome_and_is_kept(baked: Played) -> None:
    """Given a bake time, then the release ends, and becomes the current one, no sooner than that, and then at once."""
    last = max(baked.begun) + PIPELINE
    (until,) = {moment(ring.bake_until) for _, ring, _ in baked.seen if ring and ring.state == RingState.BAKING}
    assert last <= until - BAKE <= last + SOON
    assert until <= moment(baked.run.ended_at) <= until + SOON
    assert all(at >= until for at, _, current in baked.seen if NEW in current)
