"""A release's execution that was queued behind one that fails and is rolled back: A fails, R goes back, B waited."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdas.common.clock import stamp
from lambdas.saas.model.runs import Ring, Run
from lambdas.saas.model.status import Outcome, Phase
from lambdas.saas.pipeline_watch.executions import Execution
from tests.unit.lambdas.saas.pipeline_watch.pipelines import (
    PIPELINE,
    FakeHistory,
    at,
    build,
    failed_deploy,
    rollback,
    succeeded,
    summary,
)
from tests.unit.lambdas.saas.pipeline_watch.world import FAILURE, World

BROKE = "stage Build, action Synth: it broke"
ACTIONS = {"Succeeded": succeeded(), "Failed": [build("Failed", message="it broke")]}
REASONS = {"Succeeded": "", "Failed": BROKE, "Stopped": "stopped by request: no reason was given"}


def a(status: str, *, began: int = 1, ended: int = 0) -> dict[str, Any]:
    return summary("a", status, second=began, revision="bad", lastUpdateTime=at(ended))


def b(status: str, *, began: int = 2, ended: int = 0) -> dict[str, Any]:
    return summary("b", status, second=began, revision="new", lastUpdateTime=at(ended))


def r(status: str, *, began: int = 11, ended: int = 0) -> dict[str, Any]:
    stamped = {"lastUpdateTime": at(ended)}
    return rollback("r", status, second=began, target="old", failed="a", revision="old", **stamped)


@pytest.fixture
def waiting() -> World:
    return a_release_waits()


def a_release_waits() -> World:
    """Make a world in which release `new` waits for its execution `b`, and the last one that was seen is `a`."""
    world = World()
    run = Run(run="run", revision="new", state="RUNNING", strategy="rings", rings=1, deployments=1)
    world.runs.begun(run)
    ring = Ring(
        run="run",
        index=0,
        name="canary",
        state="ADVANCING",
        total=1,
        concurrency=1,
        allowed_failures=0,
        bake_seconds=0,
    )
    world.runs.planned(ring)
    world.statuses.items["silo1"] = replace(
        world.status,
        phase=Phase.UPDATING,
        revision_wanted="new",
        revision_deployed="old",
        execution_id="a",
        release_run="run",
        release_ring="canary",
        release_outcome=Outcome.RUNNING.value,
        release_execution_id="b",
        task_token="token",
        claimed_by="release/run",
        claim_expires_at=stamp(world.clock() + timedelta(days=1)),
    )
    world.history.summaries = [summary("old", "Succeeded", revision="old"), a("InProgress")]
    world.history.details = {"old": succeeded(), "a": failed_deploy()}
    return world


def counts(world: World) -> tuple[int, int]:
    (ring,) = world.runs.rings(world.runs.runs["run"])
    return ring.succeeded, ring.failed


def has_not_ended(world: World) -> bool:
    untold = (world.status.release_outcome, counts(world)) == (Outcome.RUNNING, (0, 0))
    return untold and not world.tokens.answers


def test_b_deploys_after_the_rollback(waiting: World) -> None:
    """Given R runs first, then its end is not the release's: that waits until B has ended, and is what B tells."""
    moments = [(b("InProgress"), []), (a("Failed", ended=10), failed_deploy()), (r("InProgress"), [])]
    for execution, actions in [*moments, (r("Succeeded", ended=20), succeeded())]:
        assert waiting.execute(execution, actions) is Phase.UPDATING
        assert (waiting.status.execution_id, waiting.status.reason) == ("b", "")
        assert waiting.status.revision_deployed == "old"
        assert has_not_ended(waiting)
    for _ in range(2):
        waiting.execute(b("Succeeded", ended=30), succeeded())
        status = waiting.status
        assert (status.phase, status.revision_deployed, status.execution_id) == (Phase.ACTIVE, "new", "b")
        assert (status.reason, status.release_outcome) == ("", Outcome.SUCCEEDED)
        assert (counts(waiting), waiting.tokens.of("token")) == ((1, 0), [{"outcome": "succeeded", "count": 1}])


@pytest.mark.parametrize("undone", ["Succeeded", "Failed", "Stopped"])
def test_b_fails_after_the_rollback(waiting: World, undone: str) -> None:
    waiting.happen(a("Failed", ended=10), failed_deploy())
    waiting.happen(b("InProgress"), [])
    waiting.execute(r(undone, ended=20))
    assert has_not_ended(waiting)
    waiting.execute(b("Failed", ended=30), ACTIONS["Failed"])
    assert (waiting.status.phase, waiting.status.reason, waiting.status.release_reason) == (Phase.FAILED, BROKE, BROKE)
    assert (waiting.status.execution_id, waiting.status.revision_deployed, counts(waiting)) == ("b", "old", (0, 1))


def test_b_ends_while_the_rollback_goes_on(waiting: World) -> None:
    """Given B's build fails while R is deployed, then the release has B's reason at once, and the state is R's."""
    waiting.happen(a("Failed", ended=10), failed_deploy())
    waiting.happen(r("InProgress"), [])
    waiting.execute(b("Failed", ended=15), ACTIONS["Failed"])
    assert (waiting.status.release_outcome, waiting.status.release_reason) == (Outcome.FAILED, BROKE)
    assert waiting.status.reason == f"{FAILURE}; rolling back to old"
    waiting.execute(r("Succeeded", ended=20), succeeded())
    assert (waiting.status.execution_id, waiting.status.reason) == ("r", f"{FAILURE}; rolled back to old")
    assert (waiting.status.release_reason, counts(waiting)) == (BROKE, (0, 1))


def test_the_rollback_deploys_after_b(waiting: World) -> None:
    """Given R comes last, and a look that sees no more than the end of it, then what stands is what R went back to."""
    waiting.happen(a("Failed", ended=10), failed_deploy())
    waiting.happen(b("Succeeded", ended=15), succeeded())
    assert waiting.execute(r("Succeeded", ended=20), succeeded()) is Phase.FAILED
    status = waiting.status
    assert (status.execution_id, status.revision_deployed) == ("r", "old")
    assert (status.reason, status.release_outcome) == (f"{FAILURE}; rolled back to old", Outcome.SUCCEEDED)
    assert counts(waiting) == (1, 0)


def test_an_overtaken_rollback_hides_no_end(waiting: World) -> None:
    waiting.happen(a("Failed", ended=10), failed_deploy())
    waiting.happen(b("Succeeded", ended=15), succeeded())
    assert waiting.execute(r("Cancelled", ended=20)) is Phase.ACTIVE
    assert (waiting.status.revision_deployed, counts(waiting)) == ("new", (1, 0))


def own_rollback(status: str) -> dict[str, Any]:
    return rollback("s", status, second=31, target="old", failed="b", revision="old")


def test_the_releases_own_rollback_is_its_failure(waiting: World) -> None:
    waiting.happen(a("Failed", ended=10), failed_deploy())
    waiting.happen(r("Succeeded", ended=20), succeeded())
    waiting.happen(b("Failed", ended=30), failed_deploy())
    assert waiting.execute(own_rollback("InProgress")) is Phase.FAILED
    assert has_not_ended(waiting)
    waiting.execute(own_rollback("Succeeded"), succeeded())
    assert waiting.status.release_reason == f"{FAILURE}; rolled back to old"
    assert counts(waiting) == (0, 1)


@pytest.mark.parametrize(
    ("undone", "known"),
    [("Succeeded", ["silo-silo1-resources"]), ("Failed", ["silo-silo1-resources", "silo-silo1-other"])],
)
def test_what_a_and_its_rollback_may_have_made_stays_known(waiting: World, undone: str, known: list[str]) -> None:
    """Given R is passed over, then the stacks that A has touched are not forgotten, nor those of an R that failed."""
    deploy, *_ = failed_deploy()
    configuration = {"ActionMode": "CHANGE_SET_EXECUTE", "StackName": "silo-silo1-other"}
    elsewhere = {**deploy, "input": {**deploy["input"], "configuration": configuration}}
    waiting.facts.known_id = None
    waiting.happen(a("Failed", ended=10), failed_deploy())
    waiting.happen(b("InProgress"), [])
    waiting.execute(r(undone, ended=20), [elsewhere])
    assert [stack.stack_id for stack in waiting.status.further_stacks] == known
    assert waiting.status.execution_id == "b"


def test_a_list_that_does_not_show_b_yet_tells_nothing(waiting: World) -> None:
    before = waiting.status
    assert waiting.execute(a("Failed", ended=10), failed_deploy()) is None
    assert waiting.status == before


def test_an_execution_that_is_in_no_list_ends_no_release(waiting: World) -> None:
    """Given something else has begun that was not seen before, then the state is told, and the release waits on."""
    assert waiting.execute(summary("c", "Failed", second=5), failed_deploy()) is Phase.FAILED
    assert waiting.status.reason == FAILURE
    assert has_not_ended(waiting)


@dataclass
class LaggingHistory(FakeHistory):
    """A list that shows its newest execution from the second reading on."""

    readings: int = 0

    def executions(self, pipeline: str) -> Iterator[Execution]:
        listed = super().executions(pipeline)
        self.readings += 1
        if self.readings == 1:
            next(listed)
        yield from listed


def test_an_older_end_is_not_the_releases_because_its_own_is_listed_meanwhile(waiting: World) -> None:
    lagging = LaggingHistory(details=waiting.history.details)
    lagging.summaries = [a("Failed", ended=10), b("InProgress")]
    waiting.history = lagging
    waiting.statuses.items["silo1"] = replace(waiting.status, execution_id="another")
    waiting.watch.look(PIPELINE)
    assert has_not_ended(waiting)


EVENTS = ("a ends", "r begins", "r ends", "b begins", "b ends")


@st.composite
def orders(draw: st.DrawFn) -> list[str]:
    """Draw an order in which things can happen: R begins when A has failed, and what ends has begun."""
    order = draw(st.permutations(EVENTS))
    for first, then in (("r begins", "r ends"), ("a ends", "r begins"), ("r begins", "r ends"), ("b begins", "b ends")):
        i, j = order.index(first), order.index(then)
        order[min(i, j)], order[max(i, j)] = first, then
    return order


def happens(world: World, event: str, second: int, began: dict[str, int], ends: dict[str, str]) -> None:
    name, what = event.split()
    status, actions = "InProgress", list[dict[str, Any]]()
    if what == "begins":
        began[name] = second
    else:
        status = ends[name]
        actions = failed_deploy() if name == "a" else ACTIONS.get(status, [])
    make = {"a": a, "b": b, "r": r}[name]
    world.happen(make(status, began=began[name], ended=second), actions)


@given(
    order=orders(),
    looks=st.lists(st.integers(0, 2), min_size=len(EVENTS), max_size=len(EVENTS)),
    r_ends=st.sampled_from(["Succeeded", "Failed", "Stopped", "Cancelled"]),
    b_ends=st.sampled_from(["Succeeded", "Failed", "Stopped"]),
)
def test_whatever_the_order_the_releases_end_is_that_of_b(
    order: list[str], looks: list[int], r_ends: str, b_ends: str
) -> None:
    """Given A, R and B in any order, and looks that are lost or repeated, then B's end, and nothing else, is told."""
    world = a_release_waits()
    began = {"a": 1}
    for second, (event, count) in enumerate(zip(order, looks, strict=True), start=10):
        happens(world, event, second, began, {"a": "Failed", "r": r_ends, "b": b_ends})
        for _ in range(count):
            world.clock.pass_time(seconds=1)
            world.watch.look(PIPELINE)
        if order.index("b ends") > order.index(event):
            assert has_not_ended(world)
    world.clock.pass_time(seconds=1)
    world.watch.look(PIPELINE)
    outcome = "succeeded" if b_ends == "Succeeded" else "failed"
    assert world.tokens.of("token") == [{"outcome": outcome, "count": 1}]
    assert counts(world) == ((1, 0) if outcome == "succeeded" else (0, 1))
    assert world.status.release_reason == REASONS[b_ends]
    if began["b"] > began["r"] or order[-1] == "b ends":
        assert world.status.execution_id == "b"
        assert world.status.revision_deployed == ("new" if outcome == "succeeded" else "old")
    elif r_ends == "Succeeded":
        assert (world.status.execution_id, world.status.revision_deployed) == ("r", "old")
