"""One deployment's turn in a release: what holds it up, what fails it, and which execution tells its outcome."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from lambdas.common.clock import stamp
from lambdas.common.errors import CapacityError, GranaryError
from lambdas.saas.model.rings import ReleasePolicy, RingPolicy
from lambdas.saas.model.runs import RunState
from lambdas.saas.model.status import Outcome, Phase
from lambdas.saas.pipeline_watch.executions import ActionRun
from tests.unit.lambdas.saas.pipeline_watch.pipelines import detail
from tests.unit.lambdas.saas.release.world import OLD, Machine, World, drive, release_of

AT_ITS_LIMIT = "Error calling startBuild: Cannot have more than 1 builds in queue (AccountLimitExceededException)"
FLEET = tuple(f"t{number}" for number in range(10))


@pytest.fixture
def world() -> World:
    world = World()
    world.settle(*FLEET)
    return world


def machine(world: World) -> Machine:
    return Machine(world, "run1", release_of(1))


def in_ring(world: World, run: str, index: int) -> list[str]:
    return [item.id for item in world.shelf.objects[world.rings(run)[index].items]]


def test_a_deployment_that_a_build_holds_all_the_time_is_skipped_and_named(world: World) -> None:
    work = machine(world)
    work.step()
    (canary,) = in_ring(world, "run1", 0)
    world.statuses.items[canary] = replace(
        world.statuses.items[canary],
        claimed_by="granary-provisioning:1",
        claim_expires_at=stamp(world.clock() + timedelta(days=1)),
    )
    drive(world, work)
    status = world.statuses.items[canary]
    assert (status.claimed_by, status.phase) == ("granary-provisioning:1", Phase.ACTIVE), "the build's business"
    ring = world.rings("run1")[0]
    assert (status.release_outcome, ring.skipped, ring.failed) == (Outcome.SKIPPED, 1, 0)
    assert "held by granary-provisioning:1" in status.release_reason
    assert world.run("run1").state == RunState.SUCCEEDED, "half-provisioned tenants never fail a release"


def test_what_could_not_be_taken_for_no_known_reason_has_failed(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Given a fault at every try, then nobody knows whether the release could have reached it: the line stops."""
    work = machine(world)
    work.step()
    (canary,) = in_ring(world, "run1", 0)

    def refuse(*_: object, **__: object) -> bool:
        raise PermissionError("not authorized to perform dynamodb:UpdateItem")

    monkeypatch.setattr(world.releases, "take", refuse)
    drive(world, work)
    assert (world.rings("run1")[0].failed, world.run("run1").state) == (1, RunState.STOPPED)
    assert "dynamodb:UpdateItem" in world.statuses.items[canary].release_reason
    assert "0 rolled back" in world.run("run1").reason


def test_a_deployment_of_which_nothing_is_known_any_more_is_counted_once(world: World) -> None:
    work = machine(world)
    work.step()
    (canary,) = in_ring(world, "run1", 0)
    del world.statuses.items[canary]
    work.step()
    work.begin_item(twice=True)
    drive(world, work)
    ring = world.rings("run1")[0]
    assert (ring.vanished, ring.done, ring.failed) == ((canary,), 1, 0)
    assert world.run("run1").state == RunState.SUCCEEDED


def test_a_service_in_trouble_is_asked_again(world: World) -> None:
    world.pipelines.trouble = [CapacityError("at its limit"), ConnectionError("gone"), None]
    drive(world, machine(world))
    assert world.run("run1").state == RunState.SUCCEEDED
    assert len(world.pipelines.started) == len(FLEET)


def test_a_pipeline_that_cannot_be_started_has_failed(world: World) -> None:
    world.pipelines.trouble = [GranaryError("there is no such pipeline")]
    drive(world, machine(world))
    assert world.run("run1").state == RunState.STOPPED
    (failed,) = [status for status in world.statuses.items.values() if status.release_run]
    assert "there is no such pipeline" in failed.release_reason


def test_a_pipeline_that_does_not_end_has_failed(world: World) -> None:
    work = machine(world)
    work.step()
    work.step()
    work.begin_item()
    (canary,) = in_ring(world, "run1", 0)
    work.time_out()
    assert "release rev1 did not end within 120 minutes" in world.statuses.items[canary].reason
    assert (world.rings("run1")[0].failed, world.statuses.items[canary].claimed_by) == (1, "")


def _refused_build() -> ActionRun:
    error = {"errorDetails": {"code": "JobFailed", "message": AT_ITS_LIMIT}}
    output = {"executionResult": error}
    return ActionRun.from_detail(detail("Build", "Synth", "Failed", provider="CodeBuild", output=output))


def _refuse_a_build(world: World, deployment_id: str) -> str:
    """Let a deployment's pipeline fail as CodePipeline lets it when CodeBuild's queue is full; its execution's id."""
    ((pipeline, execution),) = world.histories.running()
    world.histories.actions[execution.id] = [_refused_build()]
    world.histories.finish(pipeline, execution.id, "Failed")
    world.look(deployment_id)
    return execution.id


def test_a_pipeline_without_capacity_for_a_build_is_started_again(world: World) -> None:
    work = machine(world)
    work.step()
    work.step()
    work.begin_item()
    (canary,) = in_ring(world, "run1", 0)
    executions = {_refuse_a_build(world, canary)}
    world.look(canary)
    status = world.statuses.items[canary]
    assert {answer["Error"] for answer in world.tokens.of("run1:1")} == {"NoCapacity"}
    assert (status.phase, status.release_outcome, status.reason) == (Phase.UPDATING, Outcome.RUNNING, "")
    work.take_answers()
    executions.add(_refuse_a_build(world, canary))
    work.take_answers()
    ((_, third),) = world.histories.running()
    assert third.id not in executions
    drive(world, work)
    assert (world.run("run1").state, world.rings("run1")[0].failed) == (RunState.SUCCEEDED, 0)
    assert world.statuses.items[canary].revision_deployed == "rev1"


def test_a_ring_that_is_larger_than_codebuilds_queue_completes(world: World) -> None:
    """Given nobody knows the quota, and two builds at a time find a place, then nobody fails for want of one."""
    world.policy = ReleasePolicy(concurrency=10, rings=(RingPolicy(name="all"),))
    work, refused = machine(world), 0
    while not work.ended:
        work.take_answers(tries=100)
        if work.may_step:
            work.step()
        elif work.may_begin:
            work.begin_item()
        else:
            for pipeline, execution in world.histories.running()[2:]:
                world.histories.actions[execution.id] = [_refused_build()]
                world.histories.finish(pipeline, execution.id, "Failed")
                refused += 1
                world.look(pipeline.removeprefix("silo-").removesuffix("-pipeline"))
            for pipeline, execution in world.histories.running():
                world.histories.finish(pipeline, execution.id, "Succeeded")
                world.look(pipeline.removeprefix("silo-").removesuffix("-pipeline"))
    assert refused > len(FLEET)
    (ring,) = world.rings("run1")
    assert (ring.succeeded, ring.failed, world.run("run1").state) == (len(FLEET), 0, RunState.SUCCEEDED)


def test_a_turn_that_is_had_again_starts_one_execution_however_often_it_is_taken(world: World) -> None:
    work = machine(world)
    work.step()
    work.step()
    work.begin_item()
    (canary,) = in_ring(world, "run1", 0)
    _refuse_a_build(world, canary)
    item = work.waiting.pop("run1:1")
    work.begin_item(item, twice=True)
    work.begin_item(item)
    assert len(world.histories.running()) == 1


def test_an_answer_that_was_lost_is_given_by_the_next_look(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    work = machine(world)
    work.step()
    work.step()
    work.begin_item()
    (canary,) = in_ring(world, "run1", 0)
    with monkeypatch.context() as patch:
        patch.setattr(world.tokens, "fail", lambda *_, **__: (_ for _ in ()).throw(ConnectionError("gone")))
        with pytest.raises(ConnectionError):
            _refuse_a_build(world, canary)
    world.look(canary)
    assert [answer["Error"] for answer in world.tokens.of("run1:1")] == ["NoCapacity"]
    drive(world, work)
    assert world.run("run1").state == RunState.SUCCEEDED


def test_a_release_that_is_superseded_lets_go_of_what_waits_for_capacity(world: World) -> None:
    work = machine(world)
    work.step()
    work.step()
    work.begin_item()
    (canary,) = in_ring(world, "run1", 0)
    _refuse_a_build(world, canary)
    Machine(world, "run2", release_of(2)).step()
    work.take_answers()
    status = world.statuses.items[canary]
    assert (status.claimed_by, status.release_outcome) == ("", Outcome.FAILED)


def test_self_mutation_is_followed(world: World) -> None:
    """Given the first execution changes the pipeline, then the outcome is the next one's."""
    work = machine(world)
    work.step()
    work.step()
    work.begin_item()
    ((pipeline, first),) = world.histories.running()
    (canary,) = in_ring(world, "run1", 0)
    world.histories.finish(pipeline, first.id, "Cancelled")
    world.look(canary)
    assert not world.tokens.answers
    world.histories.begin(canary, "rev1", "second")
    world.look(canary)
    world.histories.finish(pipeline, "second", "Succeeded")
    world.look(canary)
    world.look(canary)
    assert world.tokens.answers == [("run1:1", {"outcome": "succeeded", "count": 1})]
    assert world.rings("run1")[0].succeeded == 1


def test_an_execution_of_before_tells_nothing(world: World) -> None:
    work = machine(world)
    work.step()
    work.step()
    (canary,) = in_ring(world, "run1", 0)
    world.histories.begin(canary, OLD, "before")
    world.pipelines.on_start = lambda *_: None
    work.begin_item()
    world.histories.finish(f"silo-{canary}-pipeline", "before", "Failed")
    world.look(canary)
    assert not world.tokens.answers
    assert world.statuses.items[canary].release_outcome == Outcome.RUNNING


def test_another_revision_is_no_success(world: World) -> None:
    work = machine(world)
    work.step()
    work.step()
    work.begin_item()
    ((pipeline, first),) = world.histories.running()
    (canary,) = in_ring(world, "run1", 0)
    world.histories.finish(pipeline, first.id, "Succeeded", revision="other")
    world.look(canary)
    status = world.statuses.items[canary]
    assert status.reason == "the pipeline deployed revision other where release rev1 was to be deployed"
    assert (status.release_outcome, status.revision_deployed) == (Outcome.FAILED, "other")


def test_an_answer_that_was_lost_is_sent_again(world: World) -> None:
    work = machine(world)
    work.step()
    work.step()
    work.begin_item()
    ((pipeline, first),) = world.histories.running()
    (canary,) = in_ring(world, "run1", 0)
    world.histories.finish(pipeline, first.id, "Succeeded")
    world.look(canary)
    world.statuses.items[canary] = replace(world.statuses.items[canary], task_token="run1:1")
    world.look(canary)
    assert world.tokens.of("run1:1") == [{"outcome": "succeeded", "count": 1}] * 2
    assert (world.statuses.items[canary].task_token, world.rings("run1")[0].succeeded) == ("", 1)


def test_whose_status_cannot_be_read_when_its_turn_comes_is_passed_over(world: World) -> None:
    """Given a status that was spoilt after the plan, then it costs the ring nothing, and the pipeline is left alone."""
    work = machine(world)
    work.step()
    (canary,) = in_ring(world, "run1", 0)
    world.statuses.unreadable = {canary: "phase is missing"}
    drive(world, work)
    ring = world.rings("run1")[0]
    assert (ring.vanished, ring.failed) == ((canary,), 0)
    assert canary not in [deployment_id for deployment_id, _, _ in world.pipelines.started]
    assert world.run("run1").state == RunState.SUCCEEDED


def test_a_run_that_cannot_be_read_keeps_no_pipeline_from_being_watched(world: World) -> None:
    """Given a pipeline that ends, and a run that cannot be told, then how the deployment stands is written."""
    work = machine(world)
    work.step()
    work.step()
    work.begin_item()
    ((pipeline, first),) = world.histories.running()
    (canary,) = in_ring(world, "run1", 0)
    world.runs.unreadable = {"run1"}
    world.histories.finish(pipeline, first.id, "Succeeded")
    world.look(canary)
    assert world.statuses.items[canary].phase is Phase.ACTIVE
