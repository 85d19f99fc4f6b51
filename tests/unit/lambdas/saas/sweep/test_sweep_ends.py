"""Rounds of the sweep over rows that were removed or are to be retired, and over runs that died."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lambdas.saas.model.status import Phase
from tests.unit.lambdas.saas.sweep.world import NOTHING, World


def _removed(world: World, deployment_id: str) -> None:
    world.put(deployment_id)
    world.provision(deployment_id)
    del world.deployments.items[deployment_id]


@pytest.mark.parametrize("retire", [False, True])
def test_a_lost_removal_retires_only_when_configured(world: World, retire: bool) -> None:
    world.retire_removed = retire
    _removed(world, "a")
    assert world.run() == {**NOTHING, "removed": 1, "lifecycle": int(retire)}
    assert world.statuses.items["a"].row_removed
    assert (world.lifecycles.started, world.lifecycles.counted) == ((["a"], ["a"]) if retire else ([], []))


def test_a_lost_start_is_made_up_for_by_the_next_round(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Given a machine that could not be started when the removal was said, then the next round starts it."""
    world.retire_removed = True
    _removed(world, "a")

    def denied(_deployment_id: str, *, token: str, counted: bool) -> None:
        raise ConnectionError(f"no answer to {token}, {counted}")

    with monkeypatch.context() as patch:
        patch.setattr(world.lifecycles, "start", denied)
        assert "deployment a could not be swept (ConnectionError: no answer to " in world.fails()
    assert world.statuses.items["a"].row_removed
    assert world.run() == {**NOTHING, "lifecycle": 1}
    assert (world.lifecycles.started, world.lifecycles.counted) == (["a"], ["a"])


def test_a_lost_removal_of_what_led_nowhere_starts_nothing(world: World) -> None:
    world.retire_removed = True
    world.put("a", type="x")
    world.run()
    del world.deployments.items["a"]
    assert world.run() == {**NOTHING, "removed": 1}
    assert (world.statuses.items, world.lifecycles.started) == ({}, [])


def test_a_retirement_meanwhile_is_no_removal(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Given a machine that began to retire the deployment after it was read, then nothing is said or started."""
    world.retire_removed = True
    _removed(world, "a")
    read = list(world.statuses.all())
    world.statuses.items["a"] = replace(world.statuses.items["a"], phase=Phase.RETIRING)
    monkeypatch.setattr(world.statuses, "all", lambda: iter(read))
    assert world.run() == NOTHING
    assert world.lifecycles.started == []


def test_a_row_that_is_no_longer_valid_can_still_be_retired(world: World) -> None:
    """Given an account that has gone from the configuration, then its tenants can be retired all the same."""
    world.put("a")
    world.provision("a")
    world.put("a", account="999999999999", state="retired")
    assert world.run() == {**NOTHING, "lifecycle": 1}
    assert (world.lifecycles.started, world.statuses.items["a"].phase) == (["a"], Phase.ACTIVE)
    assert world.lifecycles.counted == [], "its row asks for it: nothing was counted"
    world.statuses.items["a"] = replace(world.statuses.items["a"], phase=Phase.RETIRED)
    assert world.run() == NOTHING, "its tombstone stays"


def test_another_type_does_not_keep_a_row_from_being_retired(world: World) -> None:
    """Given a row whose type was changed, which is no change that is made, when it asks for the end, then it ends."""
    world.put("a")
    world.provision("a")
    world.put("a", type="pool")
    assert world.run() == {**NOTHING, "invalid": 1}
    world.put("a", type="pool", state="retired")
    assert world.run() == {**NOTHING, "lifecycle": 1}


def test_a_dead_run_is_stopped_after_the_deployments_were_seen_to(world: World) -> None:
    world.put("a")
    world.dead_runs = [True]
    assert world.run() == {**NOTHING, "started": 1, "stopped": 1}


def test_a_release_that_cannot_be_looked_at_costs_no_round(world: World, caplog: pytest.LogCaptureFixture) -> None:
    world.put("a")
    world.dead_runs = [ValueError("the run is spoilt"), True]
    assert "the release that is under way could not be looked at (ValueError: the run is spoilt)" in world.fails()
    assert world.builds.started == [("a",)]
    assert "the release that is under way could not be looked at" in caplog.text
    assert "the run is spoilt" in caplog.text
    assert world.run() == {**NOTHING, "stopped": 1}
