"""Jobs that ask for a task: begun once, followed, told, and never begun again when it has succeeded."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError, EndpointConnectionError, ParamValidationError
from hypothesis import given
from hypothesis import strategies as st

from lambdas.common.errors import CapacityError, GranaryError
from lambdas.common.pipeline_jobs import Later
from lambdas.saas.model.status import ForwardOnly, Outcome
from lambdas.saas.model.task_runs import TaskState
from lambdas.saas.model.tasks import Task
from lambdas.saas.tasks.asking import Execution
from tests.unit.lambdas.saas.tasks.world import ECS, FUNCTION, GIVEN, World

_KEY = "task/acme/Deploy/silo-acme-data/Migrate"
_LABEL = r"task Migrate \(before silo-acme-resources\)"


def _error(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "no"}, "ResponseMetadata": {"HTTPStatusCode": 400}}, "Run")  # type: ignore[typeddict-item]


def test_a_task_is_begun_and_followed_until_it_ends() -> None:
    world = World()
    assert isinstance(world.job(), Later)
    assert isinstance(world.job("job2", first=False), Later)
    world.ends = True
    said = world.job("job3", first=False)
    assert isinstance(said, str)
    assert said.startswith("task Migrate (before silo-acme-resources) succeeded")
    assert world.begun == 1
    assert world.requests[0]["revision"] == "rev2"


def test_a_task_that_fails_says_why_and_a_retry_of_the_stage_runs_it_again() -> None:
    world = World()
    world.job()
    world.ends = False
    with pytest.raises(GranaryError, match=rf"{_LABEL} failed: .* is over"):
        world.job("job2", first=False)
    # The last job, delivered twice, has no second run; a retry's first job has.
    with pytest.raises(GranaryError, match="failed"):
        world.job("job2", first=False)
    assert world.begun == 1
    world.ends = None
    world.job("retry")
    world.ends = True
    assert isinstance(world.job("retry2", first=False), str)
    assert world.begun == 2


def test_what_has_succeeded_is_not_run_again_in_its_execution_and_is_in_the_next() -> None:
    world = World()
    world.job()
    world.ends = True
    world.job("job2", first=False)
    assert "has succeeded in this execution" in str(world.job("retry"))
    assert world.begun == 1
    world.job("job9", execution="e2")
    assert world.begun == 2


@pytest.mark.parametrize(("ends", "forgotten"), [(True, False), (False, False), (None, True)])
def test_what_a_stopped_execution_has_left_at_work_is_waited_for(*, ends: bool | None, forgotten: bool) -> None:
    """Given an execution that was stopped while its task ran, then the next one begins none beside it."""
    world = World()
    world.job()
    for job in ("job2", "job3"):
        assert isinstance(world.job(job, execution="e2", first=job == "job2"), Later)
        assert world.begun == 1
    world.ends, world.forgotten = ends, forgotten
    assert isinstance(world.job("job4", execution="e2", first=False), Later)
    assert (world.begun, world.stopped) == (2, [])


def test_what_a_stopped_execution_has_left_at_work_is_stopped_when_its_time_is_over() -> None:
    world = World()
    world.job()
    world.clock.pass_time(minutes=31)
    assert isinstance(world.job("job2", execution="e2"), Later)
    assert (world.begun, world.stopped) == (1, world.calls)
    world.ends = False
    assert isinstance(world.job("job3", execution="e2", first=False), Later)
    assert world.begun == 2


def test_what_a_stopped_execution_has_left_at_work_leads_nowhere_back_when_it_has_ended_well() -> None:
    world = World()
    world.job(rollback="never")
    world.ends = True
    world.job("job2", execution="e2", rollback="never")
    assert [(one.execution, one.before) for one in world.marks] == [("e1", "rev1")]
    assert world.begun == 2


def test_a_function_that_a_stopped_execution_has_left_at_work_is_waited_for() -> None:
    world = World(task=FUNCTION, ends=True, failures={"answer": RuntimeError("the function was ended")})
    with pytest.raises(RuntimeError):
        world.job()
    assert isinstance(world.job("job2", execution="e2"), Later)
    assert world.begun == 1
    world.clock.pass_time(minutes=17)
    assert "succeeded" in str(world.job("job3", execution="e2", first=False))


@pytest.mark.parametrize("error", [_error("ThrottlingException"), CapacityError("no room")])
def test_what_cannot_be_begun_now_is_begun_later_as_the_same(error: Exception) -> None:
    world = World(failures={"begin": error})
    assert isinstance(world.job(), Later)
    assert isinstance(world.job("job2", first=False), Later)
    assert (len(world.calls), world.begun) == (2, 1)
    assert world.runs[_KEY].state is TaskState.RUNNING


def test_what_cannot_be_begun_in_time_fails() -> None:
    world = World(failures={"begin": CapacityError("no room")})
    world.job()
    world.clock.pass_time(minutes=31)
    with pytest.raises(GranaryError, match="could not be begun in time"):
        world.job("job2", first=False)


def test_what_is_denied_is_told() -> None:
    world = World(failures={"begin": _error("AccessDeniedException")})
    with pytest.raises(GranaryError, match=rf"{_LABEL} failed: .*AccessDenied"):
        world.job()


def test_what_takes_too_long_is_stopped_and_has_failed() -> None:
    world = World()
    world.job()
    world.clock.pass_time(minutes=31)
    with pytest.raises(GranaryError, match="did not end within 30 minutes and was stopped"):
        world.job("job2", first=False)
    assert world.stopped == world.calls


def test_a_look_that_fails_for_now_is_repeated() -> None:
    world = World()
    world.job()
    world.failures["look"] = _error("ThrottlingException")
    assert isinstance(world.job("job2", first=False), Later)
    world.ends = True
    assert isinstance(world.job("job3", first=False), str)


def test_a_function_that_is_at_work_is_not_invoked_by_another_delivery() -> None:
    """Given that whoever has invoked it may still wait for it, then others wait, and in the end it has failed."""
    world = World(task=FUNCTION, failures={"answer": RuntimeError("the function was ended")})
    world.ends = True
    with pytest.raises(RuntimeError):
        world.job()
    assert isinstance(world.job(), Later)
    assert len(world.calls) == 1
    world.clock.pass_time(minutes=9, seconds=59)
    assert isinstance(world.job("job2", first=False), Later)
    world.clock.pass_time(minutes=7)
    with pytest.raises(GranaryError, match="nobody knows what has become of it"):
        world.job("job3", first=False)
    assert len(world.calls) == 1


def test_a_function_that_was_throttled_is_invoked_at_the_next_look() -> None:
    world = World(task=FUNCTION, ends=True, failures={"begin": _error("TooManyRequestsException")})
    assert isinstance(world.job(), Later)
    assert "succeeded" in str(world.job("job2", first=False))
    assert (len(world.calls), world.begun) == (2, 1)


@pytest.mark.parametrize(
    ("execution", "outcome", "said"),
    [
        (Execution(revision="rev1", rollback=True), "", "CodePipeline rolls the stage back"),
        (Execution(revision="rev1"), Outcome.ROLLING_BACK, "the release takes acme back to rev1"),
    ],
)
def test_nothing_is_run_on_the_way_back(execution: Execution, outcome: str, said: str) -> None:
    world = World(execution=execution)
    world.status = replace(world.status, release_outcome=outcome, revision_wanted="rev1")
    answer = world.job()
    assert answer == f"task Migrate (before silo-acme-resources) is not run: {said}"
    assert not world.calls


@pytest.mark.parametrize(
    ("given_", "said"),
    [
        ({"deployment": "other"}, "there is no silo other"),
        ({"type": "pool"}, "there is no pool acme"),
        ({"account": "333333333333"}, "does not stand in account 333333333333"),
        ({"stack": "silo-other-data"}, "are not acme's"),
        ({"of": "payroll"}, "are not acme's"),
    ],
)
def test_a_pipeline_asks_for_nothing_that_is_not_its_tenants(given_: dict[str, Any], said: str) -> None:
    world = World()
    with pytest.raises(GranaryError, match=said):
        world.job(**given_)
    assert not world.calls


def test_a_declaration_that_is_not_there_is_told() -> None:
    with pytest.raises(GranaryError, match="stack silo-acme-data has no output GranaryTaskCheck"):
        World().job(task="Check")
    with pytest.raises(GranaryError, match="no task that these functions know: stage is missing"):
        World().work.job({key: one for key, one in GIVEN.items() if key != "stage"}, job="j", first=True)


def test_that_nothing_leads_back_is_kept_before_it_is_said() -> None:
    world = World()
    world.job(rollback="never")
    world.ends = True
    world.job("job2", first=False, rollback="never")
    label = "task Migrate (before silo-acme-resources)"
    assert world.marks == [ForwardOnly(task=label, execution="e1", revision="rev2", before="rev1")]


def test_a_forward_only_task_that_fails_leaves_the_way_back() -> None:
    world = World()
    world.job(rollback="never")
    world.ends = False
    with pytest.raises(GranaryError):
        world.job("job2", first=False, rollback="never")
    assert not world.marks


def test_a_later_job_may_ask_for_no_other_place_either() -> None:
    """Given a run that goes on, whose pipeline then names an account where the tenant does not stand."""
    world = World()
    world.job()
    world.failures["look"] = AssertionError("nothing is looked at there")
    with pytest.raises(GranaryError, match="does not stand in account 333333333333"):
        world.job("job2", first=False, account="333333333333")
    with pytest.raises(GranaryError, match="there is no pool acme"):
        world.job("job2", first=False, type="pool")


@pytest.mark.parametrize("where", ["execution", "target"])
def test_a_function_that_nobody_could_ask_yet_is_asked_at_the_next_job(where: str) -> None:
    """Given that what is read before it is throttled, then nobody waits for an answer that never comes."""
    world = World(task=FUNCTION, ends=True)
    world.failures[where] = _error("ThrottlingException")
    assert isinstance(world.job(), Later)
    assert "succeeded" in str(world.job("job2", first=False))
    assert world.begun == 1


_NO_CONNECTION = EndpointConnectionError(endpoint_url="https://x")
_CLOSED = ConnectionClosedError(endpoint_url="https://x")


@pytest.mark.parametrize("error", [_NO_CONNECTION, _CLOSED], ids=str)
def test_what_the_network_keeps_from_us_has_not_failed(error: Exception) -> None:
    world = World()
    world.job()
    world.failures["look"] = error
    assert isinstance(world.job("job2", first=False), Later)
    world.ends = True
    assert isinstance(world.job("job3", first=False), str)


def test_a_function_that_was_not_reached_is_invoked_at_the_next_look() -> None:
    world = World(task=FUNCTION, ends=True, failures={"begin": _NO_CONNECTION})
    assert isinstance(world.job(), Later)
    assert "succeeded" in str(world.job("job2", first=False))


@pytest.mark.parametrize("error", [ParamValidationError(report="subnets"), GranaryError("MISSING")], ids=str)
def test_what_cannot_be_begun_has_failed_and_a_retry_reads_the_declaration_again(error: Exception) -> None:
    world = World(failures={"begin": error})
    with pytest.raises(GranaryError, match=str(error)):
        world.job()
    assert world.runs[_KEY].state is TaskState.FAILED
    world.task = replace(ECS, minutes=5)
    world.job("retry")
    assert (world.runs[_KEY].attempt, world.runs[_KEY].task.minutes) == (2, 5)


def test_what_can_be_looked_at_no_more_fails_in_time_and_can_be_retried() -> None:
    """Given a cluster that was deleted, then a retry of the stage goes on looking until the task has had its time."""
    world = World()
    world.job()
    for job in ("job2", "retry"):
        world.failures["look"] = _error("ClusterNotFoundException")
        with pytest.raises(GranaryError, match="ClusterNotFoundException"):
            world.job(job)
        assert world.runs[_KEY].state is TaskState.RUNNING
    world.clock.pass_time(minutes=31)
    world.failures["look"] = _error("ClusterNotFoundException")
    with pytest.raises(GranaryError, match="did not end within 30 minutes, and cannot be looked at"):
        world.job("retry2")
    world.job("retry3")
    assert world.begun == 2


def test_a_job_that_comes_late_of_an_execution_that_is_over_begins_nothing() -> None:
    """Given that the next execution has a run already, then that one stays what is kept."""
    world = World()
    world.job("job9", execution="e2")
    world.execution = Execution(revision="rev1", over="Stopped")
    with pytest.raises(GranaryError, match="execution e1 of the pipeline is Stopped"):
        world.job()
    assert world.runs[_KEY].execution == "e2"
    assert world.begun == 1


_DELIVERIES = st.lists(
    st.tuples(
        st.sampled_from(["a", "b", "c"]),
        st.booleans(),
        st.sampled_from([None, True, False]),
        st.sampled_from(["", "begin", "answer", "look", "execution", "target"]),
        st.integers(0, 20),
    ),
    max_size=12,
)


@given(task=st.sampled_from([ECS, FUNCTION]), deliveries=_DELIVERIES)
def test_whatever_is_delivered_a_task_succeeds_once(
    task: Task, deliveries: list[tuple[str, bool, bool | None, str, int]]
) -> None:
    """Given jobs twice, late and out of order, and failures anywhere, then nothing is begun beside or after a success.

    A new thing is begun only after the former one has failed, and by a job that begins an action.
    """
    world = World(task=task)
    for job, first, ends, fault, minutes in deliveries:
        run, begun = world.runs.get(_KEY), world.begun
        world.ends = ends
        world.failures = {fault: _error("ThrottlingException")} if fault else {}
        with suppress(GranaryError):
            world.job(job, first=first)
        if world.begun > begun and run:
            assert run.state is TaskState.FAILED
            assert first
            assert job != run.job
        if run and run.state is TaskState.SUCCEEDED:
            assert world.runs[_KEY] == run
        world.clock.pass_time(minutes=minutes)
