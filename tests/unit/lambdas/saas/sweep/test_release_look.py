"""The sweep's look at the release that is under way."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest

from cli.saas.runs import resumable
from lambdas.common.clock import stamp
from lambdas.saas.model.runs import Run, RunState, run_name
from lambdas.saas.store.runs_table import Runs, RunsTable
from lambdas.saas.sweep.dead_run import Execution
from lambdas.saas.sweep.release_look import ReleaseLook
from tests.unit.lambdas.saas.fakes import RELEASE, START
from tests.unit.lambdas.saas.release_fakes import FakeRuns

NAME = run_name(RELEASE)
RUN = Run(
    run=NAME,
    revision=RELEASE.revision,
    state="RUNNING",
    strategy="rings",
    rings=1,
    deployments=1,
    execution="arn:e",
    started_at=stamp(START),
)
LATER = START + timedelta(hours=1)
ABORTED = Execution(arn="arn:e", status="ABORTED", cause="why", given={"release": {"revision": RELEASE.revision}})


@dataclass
class FakeExecutions:
    """One execution; `meanwhile` is what happens while it is read."""

    execution: Execution = ABORTED
    meanwhile: Callable[[], object] = lambda: None
    asked: list[str] = field(default_factory=list)

    def look(self, run: str) -> Execution:
        self.asked.append(run)
        self.meanwhile()
        return self.execution


@pytest.fixture(params=["fake", pytest.param("dynamodb", marks=pytest.mark.slow)])
def runs(request: pytest.FixtureRequest) -> Runs:
    """The releases table, with a run in force of which nothing was written yet."""
    made: Runs
    if request.param == "fake":
        made = FakeRuns()
    else:
        make_table = request.getfixturevalue("make_table")
        made = RunsTable(client=make_table("releases"), name="releases")
    made.keep(RELEASE)
    assert made.take_over(NAME, release=RELEASE, resumes="", now=START)
    return made


def stop(runs: Runs, executions: FakeExecutions) -> bool:
    return ReleaseLook(runs=runs, executions=executions).stop_dead_run(LATER)


def known(runs: Runs) -> Run:
    run = runs.run(NAME)
    assert run
    return run


def test_before_the_first_release_there_is_nothing_to_look_at() -> None:
    executions = FakeExecutions()
    assert not stop(FakeRuns(), executions)
    assert executions.asked == []


@pytest.mark.parametrize("status", ["ABORTED", "FAILED", "TIMED_OUT", "SUCCEEDED"])
def test_a_run_whose_execution_is_over_can_be_resumed(runs: Runs, status: str) -> None:
    runs.begun(RUN)
    executions = FakeExecutions(execution=replace(ABORTED, status=status))
    assert stop(runs, executions)
    run = resumable(known(runs))
    assert (run.state, run.rings, run.execution, run.ended_at) == (RunState.STOPPED, 1, "arn:e", stamp(LATER))
    assert f"{status} (why)" in run.reason
    assert not stop(runs, executions), "the next round finds nothing to do"
    assert executions.asked == [NAME]


def test_a_run_that_goes_on_is_left_alone(runs: Runs) -> None:
    runs.begun(RUN)
    assert not stop(runs, FakeExecutions(execution=Execution(arn="arn:e", status="RUNNING")))
    assert known(runs) == RUN


@pytest.mark.parametrize("execution", [ABORTED, Execution(arn="arn:e")], ids=["over", "forgotten"])
def test_a_run_that_never_began_can_be_resumed(runs: Runs, execution: Execution) -> None:
    """Given an execution that died between coming into force and writing its run, then the run is written as stopped.

    What `resume` needs is there: the release by its revision, and a run after which another may come into force.
    """
    assert stop(runs, FakeExecutions(execution=execution))
    run = resumable(known(runs))
    assert (run.revision, run.rings, run.execution) == (RELEASE.revision, 0, "arn:e")
    assert runs.release(run.revision) == RELEASE
    assert runs.take_over(f"{NAME}-r2", release=RELEASE, resumes=NAME, now=LATER)


def test_a_beginning_that_is_under_way_is_left_alone(runs: Runs) -> None:
    assert not stop(runs, FakeExecutions(execution=Execution(arn="arn:e", status="RUNNING")))
    assert runs.run(NAME) is None


@pytest.mark.parametrize("state", [RunState.SUCCEEDED, RunState.STOPPED, RunState.SUPERSEDED])
def test_the_machines_own_end_stands(runs: Runs, state: RunState) -> None:
    """Given a machine that writes how its run ended while the sweep looks, then that is how it ended."""
    runs.begun(RUN)
    ending = FakeExecutions(meanwhile=lambda: runs.end(NAME, state=state, reason="its own", now=START))
    assert not stop(runs, ending)
    assert (known(runs).state, known(runs).reason) == (state, "its own")


def test_an_end_that_is_written_before_the_run_was_seen_stands(runs: Runs) -> None:
    ended = replace(RUN, state=str(RunState.STOPPED), reason="its own")
    assert not stop(runs, FakeExecutions(meanwhile=lambda: runs.begun(ended)))
    assert known(runs) == ended


def test_a_beginning_that_outlives_its_execution_is_stopped_all_the_same(runs: Runs) -> None:
    """Given a function that writes the run although its execution was stopped, then its plan is kept, and it stops."""
    assert stop(runs, FakeExecutions(meanwhile=lambda: runs.begun(RUN)))
    assert (known(runs).state, known(runs).rings) == (RunState.STOPPED, 1)
    runs.begun(RUN)
    assert stop(runs, FakeExecutions()), "and when it writes later than the sweep, the next round stops it"
