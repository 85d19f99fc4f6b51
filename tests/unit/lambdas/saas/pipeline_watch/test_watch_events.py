"""Events that are lost, late, repeated, or in another order."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdas.saas.model.status import Observation, Phase, Status
from tests.unit.lambdas.saas.pipeline_watch.pipelines import (
    PIPELINE,
    failed_deploy,
    rollback,
    succeeded,
    summary,
)
from tests.unit.lambdas.saas.pipeline_watch.world import World

HISTORIES: dict[str, list[tuple[dict[str, Any], list[dict[str, Any]]]]] = {
    "first": [(summary("e1", "InProgress"), []), (summary("e1", "Succeeded", revision="one"), succeeded())],
    "self-mutated": [
        (summary("e1", "InProgress"), []),
        (summary("e1", "Cancelled"), []),
        (summary("e2", "InProgress", second=5), []),
        (summary("e2", "Succeeded", second=5, revision="one"), succeeded()),
    ],
    "failed": [(summary("e1", "InProgress"), []), (summary("e1", "Failed", revision="one"), failed_deploy())],
    "rolled back": [
        (summary("e1", "Succeeded", revision="one"), succeeded()),
        (summary("e2", "InProgress", second=5), []),
        (summary("e2", "Failed", second=5, revision="two"), failed_deploy()),
        (rollback("e3", "InProgress", second=9, target="e1", failed="e2", revision="one"), []),
        (rollback("e3", "Succeeded", second=9, target="e1", failed="e2", revision="one"), []),
    ],
}


def _settle(states: list[tuple[dict[str, Any], list[dict[str, Any]]]], looks: list[int]) -> Status:
    """Let a history come true, with so many looks after each of its states, and one after all of it."""
    world = World()
    for (one, actions), count in zip(states, looks, strict=True):
        world.happen(one, actions)
        for _ in range(count):
            world.watch.look(PIPELINE)
            world.clock.pass_time(seconds=1)
    world.watch.look(PIPELINE)
    # Which stacks are the component's is told by a success alone, and by the next one if its every event is lost.
    known = (*world.status.component_stacks, *world.status.further_stacks)
    return replace(world.status, updated_at="", observed_at="", component_stacks=(), further_stacks=known)


@pytest.mark.parametrize("name", HISTORIES)
@given(data=st.data())
def test_lost_late_and_repeated_events_do_no_harm(name: str, data: st.DataObject) -> None:
    states = HISTORIES[name]
    looks = data.draw(st.lists(st.integers(0, 3), min_size=len(states), max_size=len(states)))
    assert _settle(states, looks) == _settle(states, [1] * len(states))


@given(st.permutations(range(6)))
def test_looks_that_end_in_another_order_leave_the_latest(order: list[int]) -> None:
    """Six looks begin one after the other, each sees what is true then, and their writes arrive in any order."""
    seen = [Phase.PROVISIONING] * 3 + [Phase.ACTIVE] * 3
    world = World()
    began = world.clock()
    for number in order:
        world.statuses.observed(
            "silo1",
            Observation(phase=seen[number], execution_id="e1", execution_url=""),
            now=began.replace(second=number),
        )
    assert world.status.phase is Phase.ACTIVE
