"""How a run begins: what it goes on with, who it takes up, and what is kept of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import boto3
import pytest
from botocore.stub import Stubber
from hypothesis import given
from hypothesis import strategies as st

from lambdas.common.clock import stamp
from lambdas.saas.model.rings import Skipped
from lambdas.saas.model.runs import RingState, Run, RunState
from lambdas.saas.model.status import Outcome, Phase
from lambdas.saas.release.begin import Asked
from lambdas.saas.release.build_places import QuotaOfBuilds
from tests.unit.lambdas.saas.fakes import FakeStatuses
from tests.unit.lambdas.saas.release.world import OLD, POLICY, Machine, World, drive, provisioned, release_of, row

FLEET = tuple(f"t{number}" for number in range(10))


@pytest.fixture
def world() -> World:
    world = World()
    world.settle(*FLEET)
    return world


def machine(world: World, name: str = "run1", *, number: int = 1, resumes: str = "", catch_up: bool = False) -> Machine:
    return Machine(world, name, release_of(number), resumes=resumes, catch_up=catch_up)


def catch_up(world: World, *, resumes: str = "run1", fails: frozenset[str] = frozenset()) -> Machine:
    work = machine(world, "late", resumes=resumes, catch_up=True)
    drive(world, work, fails=fails)
    return work


def started(world: World) -> list[str]:
    return [deployment_id for deployment_id, _, _ in world.pipelines.started]


def test_pipelines_that_cannot_be_listed_hold_no_release_up(world: World, caplog: pytest.LogCaptureFixture) -> None:
    """Given CodePipeline that does not answer, then nobody's pipeline counts as gone, and everybody is planned."""

    def throttled() -> frozenset[str]:
        raise ConnectionError("throttled")

    beginning = replace(world.beginning, pipelines=throttled)
    beginning.begin("run1", release=release_of(1), resumes="", execution="arn:e")
    assert (world.run("run1").state, world.run("run1").deployments) == (RunState.RUNNING, len(FLEET))
    assert "the pipelines could not be listed" in caplog.text


@pytest.mark.parametrize("spoilt", ["a ring is gone", "the run cannot be read"])
def test_a_former_run_that_is_spoilt_holds_no_newer_release_up(world: World, spoilt: str) -> None:
    """Given a run that waits for an approval, when it cannot be told of the newer one, then that one begins."""
    canary, *others = POLICY.rings
    world.policy = replace(POLICY, rings=(replace(canary, approval=True), *others))
    machine(world).step()
    if spoilt == "a ring is gone":
        del world.runs.all_rings["run1", 1]
    else:
        world.runs.unreadable.add("run1")
    world.beginning.begin("run2", release=release_of(2), resumes="", execution="arn:e")
    assert (world.runs.current(), world.run("run2").state) == ("run2", RunState.RUNNING)


@pytest.mark.parametrize(("places", "at_a_time"), [(None, 3), (6, 3), (2, 2)])
def test_no_ring_is_larger_than_what_codebuild_takes(world: World, places: int | None, at_a_time: int) -> None:
    """Given ring `early` of four deployments, three at a time, when fewer builds find a place, then fewer are begun."""
    world.places.known = places
    drive(world, machine(world))
    assert (world.rings("run1")[1].total, world.rings("run1")[1].concurrency) == (4, at_a_time)
    assert world.run("run1").state == RunState.SUCCEEDED


def test_the_places_are_those_that_run_and_a_queue_of_five_times_as_many() -> None:
    client = boto3.client("service-quotas", region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b")
    with Stubber(client) as quotas:
        asked = {"ServiceCode": "codebuild", "QuotaCode": "L-5ED1D25B"}
        quotas.add_response("get_service_quota", {"Quota": {"Value": 2.0}}, asked)
        quotas.add_client_error("get_service_quota", "AccessDeniedException")
        assert [QuotaOfBuilds(client=client).count() for _ in range(2)] == [12, None]


def test_who_was_provisioned_meanwhile_catches_up(world: World) -> None:
    """Given a release that is through, and one that it did not know, then that one alone gets it."""
    drive(world, machine(world))
    world.settle("new")
    before = len(started(world))
    catch_up(world)
    assert started(world)[before:] == ["new"]
    assert world.run("late").state == RunState.SUCCEEDED
    assert world.runs.current() == "late"
    assert {status.revision_deployed for status in world.statuses.items.values()} == {"rev1"}


def test_nobody_is_asked_and_nothing_waited_for_when_one_catches_up(world: World) -> None:
    """Given a ring with everything, when a tenant of it catches up, then with its budget and its concurrency only."""
    drive(world, machine(world))
    canary, *others = POLICY.rings
    strict = replace(canary, approval=True, bake_minutes=60, alarms=("errors",), max_failures=3, concurrency=7)
    world.policy = replace(POLICY, rings=(strict, *others))
    world.settle("new", ring="canary")
    began = world.clock()
    catch_up(world)
    assert world.run("late").state == RunState.SUCCEEDED
    assert (world.clock() - began).total_seconds() < 60
    ring = world.rings("late")[0]
    assert (ring.needs_approval, ring.bake_seconds, ring.alarms) == (False, 0, ())
    assert (ring.total, ring.allowed_failures, ring.concurrency) == (1, 3, 7)
    assert {ring.state for ring in world.rings("late")} == {RingState.DONE}


def test_who_failed_within_the_budget_does_not_catch_up_but_is_resumed(world: World) -> None:
    """Given one that failed within its ring's budget, then only a person has it tried again."""
    first = machine(world)
    first.step()
    bad = world.shelf.objects[world.rings("run1")[1].items][0].id
    drive(world, first, fails=frozenset({bad}))
    assert world.run("run1").state == RunState.SUCCEEDED
    catch_up(world)
    assert (world.run("late").state, world.run("late").deployments) == (RunState.SUCCEEDED, 0)
    drive(world, machine(world, "again", resumes="late"))
    assert (world.run("again").state, world.run("again").deployments) == (RunState.SUCCEEDED, 1)
    assert world.statuses.items[bad].revision_deployed == "rev1"


def test_who_fails_to_catch_up_is_not_tried_twice(world: World) -> None:
    drive(world, machine(world))
    world.settle("new", ring="early")
    catch_up(world, fails=frozenset({"new"}))
    assert world.statuses.items["new"].release_outcome == Outcome.FAILED
    again = machine(world, "later", resumes="late", catch_up=True)
    drive(world, again)
    assert world.run("later").deployments == 0


@pytest.mark.parametrize("state", [RunState.STOPPED, RunState.RUNNING, RunState.SUPERSEDED])
def test_nobody_catches_up_with_a_release_that_is_not_through(world: World, state: RunState) -> None:
    """Given a line that was stopped, then a run that asks nobody must not go past its gates."""
    drive(world, machine(world))
    world.runs.runs["run1"] = replace(world.run("run1"), state=state.value)
    world.settle("new")
    assert catch_up(world).ended == "superseded"
    assert f"run run1 is {state}: only after one that SUCCEEDED" in world.run("late").reason
    assert (world.runs.current(), world.statuses.items["new"].revision_deployed) == ("run1", OLD)


def test_to_catch_up_is_to_go_on_with_a_run(world: World) -> None:
    work = machine(world, catch_up=True)
    drive(world, work)
    assert (work.ended, world.runs.current()) == ("superseded", "")


@pytest.mark.parametrize(("state", "ended"), [
    (RunState.STOPPED, "finish"),
    (RunState.SUCCEEDED, "finish"),
    (RunState.RUNNING, "superseded"),
    (RunState.SUPERSEDED, "superseded"),
])  # fmt: skip
def test_which_runs_can_be_resumed(world: World, state: RunState, ended: str) -> None:
    drive(world, machine(world))
    world.runs.runs["run1"] = replace(world.run("run1"), state=state.value)
    world.settle("new")
    again = machine(world, "again", resumes="run1")
    drive(world, again)
    assert again.ended == ended
    assert (world.statuses.items["new"].revision_deployed == "rev1") is (ended == "finish")
    assert world.runs.current() == ("again" if ended == "finish" else "run1")


def test_a_run_that_is_not_known_cannot_be_resumed(world: World) -> None:
    drive(world, machine(world))
    again = machine(world, "again", resumes="nothing")
    drive(world, again)
    assert (again.ended, world.runs.current()) == ("superseded", "run1")
    assert "there is no run nothing" in world.run("again").reason


@pytest.mark.parametrize("state", [RunState.STOPPED, RunState.RUNNING, RunState.SUCCEEDED])
def test_a_second_first_run_of_a_release_comes_to_nothing(world: World, state: RunState) -> None:
    """Given a stage of CI/CD that is run again, even as if it were published later, then nothing is started over."""
    drive(world, machine(world))
    world.runs.runs["run1"] = replace(world.run("run1"), state=state.value)
    world.settle("new")
    later = replace(release_of(1), published_at=release_of(9).published_at)
    world.shelf.publish(later)
    again = Machine(world, "again", later)
    drive(world, again)
    assert (again.ended, world.runs.current()) == ("superseded", "run1")
    assert "run run1 of the same release is in force: `granary resume`" in world.run("again").reason
    assert world.statuses.items["new"].revision_deployed == OLD


def test_the_release_is_kept_whatever_breaks(world: World) -> None:
    """Given a beginning that cannot plan, then the release can be found, and be started under another name."""

    class Broken(FakeStatuses):
        def all(self) -> None:  # type: ignore[override]
            raise ConnectionError("the status table cannot be read")

    world.releases.statuses = Broken()
    with pytest.raises(ConnectionError):
        machine(world).step()
    assert world.runs.release("rev1") == release_of(1)
    assert (world.runs.current(), world.runs.runs) == ("", {})
    world.releases.statuses = world.statuses
    drive(world, machine(world, "run1-r2"))
    assert world.run("run1-r2").state == RunState.SUCCEEDED


def test_everybody_who_is_left_out_is_kept(world: World) -> None:
    """Given more than an item can hold, then the run has the first fifty, and names the object with all."""
    names = [f"s{number:03}" for number in range(70)]
    for name in names:
        world.deployments.items[name] = row(name, state="suspended")
    drive(world, machine(world))
    run = world.run("run1")
    assert (run.skipped, len(run.skipped_names), run.skipped_list) == (70, 50, "runs/run1/skipped.json")
    reason = "its row asks for it to be suspended"
    assert world.shelf.skipped == {run.skipped_list: [Skipped(id=name, reason=reason) for name in names]}


def test_without_anybody_left_out_there_is_no_list(world: World) -> None:
    drive(world, machine(world))
    assert (world.run("run1").skipped_list, world.shelf.skipped) == ("", {})


@pytest.mark.parametrize(
    ("event", "asked"),
    [
        ({"input": {"catch_up": True}}, True),
        ({"input": {"catch_up": False}}, False),
        ({"input": {"catch_up": "yes"}}, False),
        ({"input": {}}, False),
        ({"input": []}, False),
        ({}, False),
    ],
)
def test_only_who_says_so_catches_up(event: dict[str, object], asked: bool) -> None:
    assert Asked.of(event).catch_up is asked


@given(
    st.dictionaries(st.sampled_from([f"x{number}" for number in range(6)]), st.sampled_from(Phase), max_size=6),
    st.frozensets(st.sampled_from([f"x{number}" for number in range(6)]), max_size=6),
)
def test_after_catching_up_nobody_is_late(phases: dict[str, Phase], fails: frozenset[str]) -> None:
    """Given tenants that came, in any phase, while a release ran, then one run is enough for those that can have it."""
    world = World()
    world.settle(*FLEET)
    drive(world, machine(world))
    for name, phase in phases.items():
        world.settle(name)
        world.statuses.items[name] = replace(provisioned(name), phase=phase)
    catch_up(world, fails=fails)
    run: Run = world.run("late")
    assert run.state in (RunState.SUCCEEDED, RunState.STOPPED)
    if run.state == RunState.SUCCEEDED:
        drive(world, machine(world, "later", resumes="late", catch_up=True))
        assert world.run("later").deployments == 0
    assert {world.statuses.items[name].revision_deployed for name in FLEET} == {"rev1"}


def test_a_run_that_cannot_be_read_stops_no_newer_release(world: World) -> None:
    """Given a run in force whose item is malformed, then the next release supersedes it, as its error advises."""
    drive(world, machine(world))
    world.runs.unreadable = {"run1"}
    drive(world, machine(world, "run2", number=2))
    assert world.run("run2").state == RunState.SUCCEEDED
    assert {status.revision_deployed for status in world.statuses.items.values()} == {"rev2"}


def test_whose_status_cannot_be_read_is_left_out_with_the_reason(world: World) -> None:
    world.statuses.unreadable = {"t3": "phase is missing"}
    drive(world, machine(world))
    assert world.run("run1").state == RunState.SUCCEEDED
    assert world.run("run1").skipped_names == ("t3: its status cannot be read: phase is missing",)
    assert "t3" not in started(world)


def test_a_release_of_the_future_is_refused_and_the_next_one_comes_into_force(world: World) -> None:
    """Given a build with a wrong clock, then its release does not bar the way of those that follow."""
    wrong = replace(release_of(1), published_at="9999-01-01T00:00:00.000+00:00")
    world.shelf.publish(wrong)
    drive(world, Machine(world, "run1", wrong))
    assert (world.run("run1").state, world.runs.current()) == (RunState.STOPPED, "")
    assert "it was published at 9999-01-01" in world.run("run1").reason
    assert "which is in the future" in world.run("run1").reason
    drive(world, machine(world, "run2", number=2))
    assert world.runs.current() == "run2"


def test_the_clocks_of_builds_may_be_a_little_fast(world: World) -> None:
    fast = replace(release_of(1), published_at=stamp(world.clock() + timedelta(minutes=4)))
    world.shelf.publish(fast)
    drive(world, Machine(world, "run1", fast))
    assert world.run("run1").state == RunState.SUCCEEDED


def test_a_release_of_before_is_as_old_as_its_object(world: World) -> None:
    """Given an object that says neither its digest nor when it was published, then its bytes and its time tell."""
    release = replace(release_of(2), published_at="9999-01-01")
    key = release.key, release.version_id
    world.shelf.releases[key] = replace(world.shelf.releases[key], metadata={})
    drive(world, Machine(world, "run2", release))
    assert world.run("run2").state == RunState.SUCCEEDED
    assert world.runs.force["published_at"] == release_of(2).published_at
    assert world.runs.kept["rev2"] == release_of(2)


def test_what_is_kept_of_a_release_is_never_replaced(world: World) -> None:
    """Given the same bytes under another version, then what others may go back to stays what it was."""
    drive(world, machine(world))
    twin = replace(release_of(1), version_id="twin")
    world.shelf.publish(twin)
    drive(world, Machine(world, "twin", twin, resumes="run1"))
    assert world.runs.kept["rev1"] == release_of(1)
    assert world.run("twin").state == RunState.STOPPED
    assert "version v1 of its object is kept already, not twin" in world.run("twin").reason
