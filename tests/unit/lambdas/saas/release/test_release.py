"""A release from its beginning to its end, in a fleet in memory."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from lambdas.common.errors import GranaryError, UnreadableError
from lambdas.saas.model.release_turns import Aside
from lambdas.saas.model.releases import Release
from lambdas.saas.model.rings import ReleasePolicy, RingPolicy
from lambdas.saas.model.runs import RunState, Strategy
from lambdas.saas.model.status import Outcome, Phase
from lambdas.saas.store.tenant_copies import PipelineGoneError
from tests.unit.lambdas.saas.release.world import (
    OLD,
    POLICY,
    Machine,
    World,
    drive,
    drive_once,
    provisioned,
    release_of,
    row,
)

FLEET = tuple(f"t{number}" for number in range(10))


@pytest.fixture
def world() -> World:
    world = World()
    world.settle(*FLEET)
    return world


def machine(world: World, number: int = 1, *, name: str = "", resumes: str = "") -> Machine:
    return Machine(world, name or f"run{number}", release_of(number), resumes=resumes)


def in_ring(world: World, run: str, index: int) -> list[str]:
    return [item.id for item in world.shelf.objects[world.rings(run)[index].items]]


def test_every_deployment_gets_the_release(world: World) -> None:
    """Given nothing fails, when a release runs, then all have it, it is current, and each ring has counted its own."""
    drive(world, machine(world))
    assert {status.revision_deployed for status in world.statuses.items.values()} == {"rev1"}
    assert {status.phase for status in world.statuses.items.values()} == {Phase.ACTIVE}
    assert world.run("run1").state == RunState.SUCCEEDED
    assert world.shelf.current == [release_of(1)]
    assert [(ring.name, ring.total, ring.succeeded, ring.state) for ring in world.rings("run1")] == [
        ("canary", 1, 1, "DONE"),
        ("early", 4, 4, "DONE"),
        ("general", 5, 5, "DONE"),
    ]
    assert not any(status.task_token or status.claimed_by for status in world.statuses.items.values())


@pytest.mark.parametrize("gone", [True, False])
def test_a_later_ring_that_is_spoilt_keeps_no_outcome_from_an_earlier_one(world: World, gone: bool) -> None:
    """Given a ring that is under way, when a later one is gone, or cannot be read, then its outcomes count at once."""
    work = machine(world)
    for _ in range(2):
        work.step()
    work.begin_item()
    if gone:
        del world.runs.all_rings["run1", 2]
    else:
        world.runs.spoilt_rings.add(("run1", 2))
    drive_once(world, work)
    ring = world.runs.ring("run1", 0)
    assert ring
    assert ring.succeeded == 1
    with pytest.raises(UnreadableError, match="ring/run1/2"):
        drive(world, work)


def test_no_tenants_at_all_is_a_success() -> None:
    world = World()
    drive(world, machine(world))
    assert world.run("run1").state == RunState.SUCCEEDED
    assert world.shelf.current == [release_of(1)]


def test_a_canary_that_fails_stops_the_line(world: World) -> None:
    """Given the canary's pipeline fails, then it is rolled back, and nobody else has seen the release."""
    work = machine(world)
    work.step()
    (canary,) = in_ring(world, "run1", 0)
    drive(world, work, fails=frozenset({canary}))
    status = world.statuses.items[canary]
    assert (work.ended, world.run("run1").state) == ("stop", RunState.STOPPED)
    assert "ring canary: 1 of 1 failed, 0 may; 1 rolled back" in world.run("run1").reason
    assert (status.phase, status.revision_deployed, status.release_outcome) == (Phase.ACTIVE, OLD, Outcome.ROLLED_BACK)
    assert status.reason == f"release rev1 failed here and was rolled back to {OLD}: it was Failed"
    assert {one for one, _, _ in world.pipelines.started} == {canary}
    assert world.shelf.current == [], "new tenants get the release before"
    assert [ring.state for ring in world.rings("run1")] == ["FAILED", "WAITING", "WAITING"]


def test_a_later_look_keeps_what_the_release_has_said(world: World) -> None:
    work = machine(world)
    work.step()
    (canary,) = in_ring(world, "run1", 0)
    drive(world, work, fails=frozenset({canary}))
    before = world.statuses.items[canary].reason
    world.look(canary)
    assert world.statuses.items[canary].reason == before


def test_a_resumed_run_goes_on_where_the_first_one_stopped(world: World) -> None:
    """Given a ring failed, when the cause is gone and the run resumed, then only what remains is started."""
    first = machine(world)
    first.step()
    bad = set(in_ring(world, "run1", 1)[:3])
    drive(world, first, fails=frozenset(bad))
    assert world.run("run1").state == RunState.STOPPED
    begun = len(world.pipelines.started)
    drive(world, machine(world, name="run1-again", resumes="run1"))
    assert world.run("run1-again").state == RunState.SUCCEEDED
    assert {status.revision_deployed for status in world.statuses.items.values()} == {"rev1"}
    done = sum(ring.succeeded for ring in world.rings("run1"))
    assert len(world.pipelines.started) - begun == len(FLEET) - done
    assert {ring.name for ring in world.rings("run1-again")} == {"canary", "early", "general"}
    assert bad <= set(in_ring(world, "run1-again", 1)), "each stays in its ring"


def test_a_newer_release_supersedes_an_unfinished_one(world: World) -> None:
    """Given a release that waits for a pipeline, when a newer one runs, then the older one ends and says so."""
    older, newer = machine(world), machine(world, 2)
    for _ in range(2):
        older.step()
    older.begin_item()
    drive(world, newer)
    assert world.run("run2").state == RunState.SUCCEEDED
    drive(world, older)
    assert (older.ended, world.run("run1").state) == ("superseded", RunState.SUPERSEDED)
    assert {status.revision_deployed for status in world.statuses.items.values()} == {"rev2"}
    assert world.shelf.current == [release_of(2)]


def test_an_older_release_never_comes_into_force(world: World) -> None:
    drive(world, machine(world, 2))
    late = machine(world, 1)
    drive(world, late)
    assert (late.ended, world.run("run1").state) == ("superseded", RunState.SUPERSEDED)
    assert world.shelf.current == [release_of(2)]


@pytest.mark.parametrize(("port", "call"), [("runs", "end"), ("runs", "release"), ("shelf", "make_current")])
def test_a_newer_release_that_succeeds_meanwhile_stays_current(
    monkeypatch: pytest.MonkeyPatch, port: str, call: str
) -> None:
    """Given a run about to say that it succeeded, when a newer one comes and succeeds first, then that one counts."""
    world = World()
    older = machine(world)
    older.step()
    real = getattr(getattr(world, port), call)

    def overtaken(*given: Any, **more: Any) -> Any:
        monkeypatch.setattr(getattr(world, port), call, real)
        drive(world, machine(world, 2))
        return real(*given, **more)

    monkeypatch.setattr(getattr(world, port), call, overtaken)
    drive(world, older)
    assert world.run("run2").state == RunState.SUCCEEDED
    assert world.shelf.current[-1] == release_of(2)


def test_a_step_that_breaks_after_the_runs_end_makes_its_release_current_when_repeated(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = World()
    work = machine(world)
    work.step()

    def broken(_release: Release) -> None:
        raise ConnectionError("reset by peer")

    with monkeypatch.context() as patch:
        patch.setattr(world.shelf, "make_current", broken)
        with pytest.raises(ConnectionError):
            work.step()
    work.step()
    assert (work.ended, world.shelf.current) == ("finish", [release_of(1)])


def test_what_is_not_in_use_is_skipped_and_named(world: World) -> None:
    world.deployments.items["t1"] = row("t1", state="suspended")
    world.deployments.items["t2"] = row("t2", region="mars")
    world.deployments.items["new"] = row("new")
    world.statuses.items["fresh"] = replace(provisioned("fresh"), phase=Phase.PROVISIONING, revision_deployed="")
    world.deployments.items["fresh"] = row("fresh")
    drive(world, machine(world))
    run = world.run("run1")
    assert (run.state, run.skipped, run.deployments) == (RunState.SUCCEEDED, 4, 8)
    assert "t1: its row asks for it to be suspended" in run.skipped_names
    assert "new: it is not provisioned yet" in run.skipped_names
    assert any(name.startswith("t2: its row is not valid: region") for name in run.skipped_names)


def test_a_row_that_changes_before_its_turn_is_skipped(world: World) -> None:
    work = machine(world)
    work.step()
    (canary,) = in_ring(world, "run1", 0)
    world.deployments.items[canary] = row(canary, state="suspended")
    drive(world, work)
    assert world.statuses.items[canary].release_outcome == Aside.SKIPPED
    assert [ring.skipped for ring in world.rings("run1")] == [1, 0, 0]
    assert world.run("run1").state == RunState.SUCCEEDED


def test_a_pipeline_that_is_gone_is_skipped_and_named(world: World) -> None:
    """Given a pipeline that somebody has deleted, then the line goes on without its tenant."""
    world.deleted = {"silo-t3-pipeline"}
    drive(world, machine(world))
    run = world.run("run1")
    assert (run.state, run.skipped) == (RunState.SUCCEEDED, 1)
    assert run.skipped_names == ("t3: its pipeline is gone, and it is not provisioned yet",)


def test_a_pipeline_that_goes_before_its_turn_is_skipped(world: World) -> None:
    work = machine(world)
    work.step()
    world.pipelines.trouble = [PipelineGoneError("its pipeline is gone")]
    drive(world, work)
    (canary,) = in_ring(world, "run1", 0)
    status = world.statuses.items[canary]
    assert (status.release_outcome, status.release_reason) == (Outcome.SKIPPED, "its pipeline is gone")
    assert (status.phase, status.claimed_by) == (Phase.FAILED, "")
    assert world.run("run1").state == RunState.SUCCEEDED
    assert [(ring.skipped, ring.failed) for ring in world.rings("run1")] == [(1, 0), (0, 0), (0, 0)]


def test_the_budget_stops_what_has_not_begun(world: World) -> None:
    """Given all pipelines of a ring fail, then at most the budget and what was under way with it have failed."""
    world.policy = replace(POLICY, rings=(RingPolicy(name="all", concurrency=2, max_failures=1),))
    work = machine(world)
    drive(world, work, fails=frozenset(FLEET))
    (ring,) = world.rings("run1")
    assert (ring.failed, ring.held, ring.rolled_back) == (3, 7, 3) or (ring.failed, ring.held) == (2, 8)
    assert ring.failed <= ring.allowed_failures + ring.concurrency


def test_what_came_to_no_outcome_counts_as_failed(world: World) -> None:
    """Given tasks that died without a word, then the gate cannot tell, and the line stops."""
    work = machine(world)
    work.step()
    work.step()
    work.pending.clear()
    drive(world, work)
    run = world.run("run1")
    assert run.state == RunState.STOPPED
    assert "ring canary: 0 of 1 failed, 1 came to no outcome, 0 may" in run.reason
    assert {status.revision_deployed for status in world.statuses.items.values()} == {OLD}


def approving(world: World) -> Machine:
    canary, *others = POLICY.rings
    world.policy = replace(POLICY, rings=(replace(canary, approval=True), *others))
    work = machine(world)
    work.step()
    work.step()
    assert work.move
    assert work.move["action"] == "approve"
    return work


@pytest.mark.parametrize(("answer", "state", "reason"), [
    ({"approved": True, "proof": "ann", "reason": "go"}, RunState.SUCCEEDED, ""),
    ({"approved": True, "by": "ann", "reason": "go"}, RunState.STOPPED, "whose answer it was is not proven"),
    ({"approved": False, "proof": "ann", "reason": "not today"}, RunState.STOPPED, "not approved: ann: not today"),
    ({"approved": False, "by": "ann", "reason": "not today"}, RunState.STOPPED, "not approved: not today"),
    ({"Error": "States.Timeout", "Cause": ""}, RunState.STOPPED, "not approved: nobody answered in time"),
    ({"Error": "Rejected", "Cause": "no"}, RunState.STOPPED, "not approved: no: Rejected"),
    ({"odd": 1}, RunState.STOPPED, "not approved: the answer was neither"),
])  # fmt: skip
def test_a_ring_waits_for_its_approval(world: World, answer: dict[str, object], state: RunState, reason: str) -> None:
    work = approving(world)
    assert work.move
    work.move["answer"] = answer
    drive(world, work)
    assert world.run("run1").state == state
    assert reason in world.run("run1").reason
    ring = world.rings("run1")[0]
    assert (ring.approved_by, ring.approval_comment) == (("ann", "go") if state is RunState.SUCCEEDED else ("", ""))


def test_a_superseded_run_does_not_wait_for_its_approval(world: World) -> None:
    approving(world)
    ring = world.rings("run1")[0]
    world.runs.asked(ring, token="approval", now=world.clock())
    world.policy = POLICY
    machine(world, 2).step()
    assert world.tokens.of("approval") == [{"Error": "Superseded", "Cause": "superseded by run run2"}]


@pytest.mark.parametrize("strategy", [Strategy.ONE_AT_A_TIME, Strategy.ALL_AT_ONCE])
def test_strategies_with_one_ring(world: World, strategy: Strategy) -> None:
    world.policy = ReleasePolicy(strategy=strategy.value, concurrency=7, rings=POLICY.rings)
    work = machine(world)
    work.step()
    (ring,) = world.rings("run1")
    one = strategy is Strategy.ONE_AT_A_TIME
    assert (ring.total, ring.concurrency, ring.allowed_failures) == (10, 1 if one else 7, 0 if one else 2)
    drive(world, work)
    assert world.run("run1").state == RunState.SUCCEEDED


def test_a_step_that_is_repeated_goes_on_where_it_was(world: World) -> None:
    """Given a function's answer is lost and it is invoked again, then it answers the same."""
    work = machine(world)
    work.step()
    done = work.move
    work.step()
    first, work.move = work.move, done
    work.step()
    assert work.move == first


def test_a_run_that_did_not_begin_is_an_error(world: World) -> None:
    work = machine(world)
    work.move = {"action": "begin", "ring": -1, "answer": {}}
    with pytest.raises(GranaryError, match="run run1 is not known"):
        work.step()
