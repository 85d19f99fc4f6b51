"""Rounds of the sweep after a release: who was left behind catches up."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from lambdas.common.clock import stamp
from lambdas.common.errors import UnreadableError
from lambdas.common.versioned_json import plain
from lambdas.saas.model import contract
from lambdas.saas.model.contract import CONTRACT, STANDBYS, mismatch
from lambdas.saas.model.releases import Release
from lambdas.saas.model.runs import Run, RunState, run_name
from lambdas.saas.model.status import Outcome, Phase
from lambdas.saas.store.release_parameter import BadReleaseError
from tests.unit.lambdas.saas.fakes import RELEASE, START
from tests.unit.lambdas.saas.sweep.world import NOTHING, World

NAME = run_name(RELEASE)
SECOND = f"{NAME}-r2"


@pytest.fixture
def world() -> World:
    """A factory whose release is through, and a tenant that has an older one."""
    world = World()
    world.put("late")
    world.provision("late")
    ends(world, NAME)
    return world


def ends(world: World, name: str, *, state: RunState = RunState.SUCCEEDED, resumes: str = "") -> None:
    """Do what a run comes to that is in force."""
    world.runs.keep(RELEASE)
    run = Run(
        run=name,
        revision=RELEASE.revision,
        state=state.value,
        strategy="rings",
        rings=1,
        deployments=1,
        resumes=resumes,
    )
    world.runs.begun(run)
    world.runs.force = {"run": name, "revision": RELEASE.revision, "published_at": RELEASE.published_at}


def deployed(world: World, **changes: str) -> None:
    world.statuses.items["late"] = replace(world.statuses.items["late"], **changes)  # type: ignore[arg-type]


def test_one_run_is_started_for_whoever_was_left_behind(world: World) -> None:
    assert world.run() == {**NOTHING, "caught_up": 1}
    assert world.executions.given == {
        SECOND: {"release": json.loads(RELEASE.to_json()), "resumes": NAME, "catch_up": True},
    }
    assert world.run() == NOTHING, "it is on its way"
    assert list(world.executions.given) == [SECOND]


def test_the_next_one_goes_on_with_that(world: World) -> None:
    world.run()
    ends(world, SECOND, resumes=NAME)
    assert world.run() == {**NOTHING, "caught_up": 1}
    assert world.executions.given[f"{NAME}-r3"]["resumes"] == SECOND


def test_when_all_have_it_nothing_is_started(world: World) -> None:
    deployed(world, revision_deployed=RELEASE.revision)
    assert world.run() == NOTHING
    assert world.executions.given == {}


def test_who_has_lost_its_pipeline_is_waited_for(world: World) -> None:
    """Given a tenant whose pipeline is gone and cannot be made now, then no run after the other starts for nobody."""
    deployed(world, phase=Phase.FAILED)
    world.statuses.items["late"] = replace(world.statuses.items["late"], attempts=9, retry=True)
    world.deleted = {"silo-late-pipeline"}
    assert world.run() == NOTHING
    world.deleted = set()
    assert world.run() == {**NOTHING, "caught_up": 1}


@pytest.mark.parametrize("run", [NAME, SECOND])
def test_who_failed_in_this_release_is_left_to_a_person(world: World, run: str) -> None:
    ends(world, SECOND, resumes=NAME)
    deployed(world, release_run=run, release_outcome=Outcome.ROLLED_BACK.value)
    assert world.run() == NOTHING


@pytest.mark.parametrize("state", [RunState.RUNNING, RunState.STOPPED, RunState.SUPERSEDED])
def test_only_after_a_run_that_is_through(world: World, state: RunState) -> None:
    ends(world, NAME, state=state)
    assert world.run() == NOTHING


def test_only_for_the_release_that_is_current(world: World) -> None:
    """Given a parameter that names another release than the run in force, and no older one, then nothing is started."""
    for published_at in (RELEASE.published_at, stamp(START + timedelta(hours=1))):
        world.releases.release = replace(RELEASE, revision="another", published_at=published_at)
        assert world.run() == NOTHING


BEFORE = replace(RELEASE, revision="before", published_at=stamp(START - timedelta(hours=1)))


@pytest.mark.parametrize("named", [BEFORE, None], ids=["the release before", "none"])
def test_the_round_that_a_runs_end_wakes_knows_its_release_before_the_parameter_names_it(
    world: World, monkeypatch: pytest.MonkeyPatch, named: Release | None
) -> None:
    """Given a run that is through and has not written the parameter yet, then rows get its release, and who is late."""
    world.releases.release = named
    world.put("new")
    built: list[Release] = []
    start = world.builds.start

    def started(ids: Sequence[str], *, release: Release, token: str) -> str:
        built.append(release)
        return start(ids, release=release, token=token)

    monkeypatch.setattr(world.builds, "start", started)
    assert world.run() == {**NOTHING, "started": 1, "caught_up": 1}
    assert (built, world.builds.started) == ([RELEASE], [("new",)])
    assert list(world.executions.given) == [SECOND]


@pytest.mark.parametrize("state", [RunState.RUNNING, RunState.STOPPED, RunState.SUPERSEDED])
def test_the_release_of_a_run_that_is_not_through_is_nobodys(world: World, state: RunState) -> None:
    ends(world, NAME, state=state)
    world.releases.release = None
    world.put("new")
    assert world.run() == {**NOTHING, "waiting": 1}


def test_what_is_through_waits_for_newer_functions_as_what_is_current(world: World) -> None:
    world.runs.kept[RELEASE.revision] = replace(RELEASE, contract=CONTRACT + 1)
    world.releases.release = BEFORE
    world.put("new")
    assert world.run() == {**NOTHING, "waiting": 1}


def test_a_parameter_that_holds_no_release_is_repaired_first(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Given a run that is through and a parameter that somebody has spoilt, then rows wait and say what to run."""

    def spoilt() -> Release:
        raise BadReleaseError("the release parameter /current holds no release: run `granary repair --release`")

    monkeypatch.setattr(world.releases, "current", spoilt)
    world.put("new")
    assert world.run() == {**NOTHING, "waiting": 1, "unreadable": 1}
    assert "granary repair --release" in world.statuses.items["new"].reason


@pytest.mark.parametrize("kept", ["none", "unreadable", "in trouble"])
def test_without_the_release_that_is_through_the_parameters_counts(
    world: World, monkeypatch: pytest.MonkeyPatch, kept: str
) -> None:
    """Given a releases table that does not tell the release of the run in force, then rows get the one before."""

    def release(revision: str) -> Release | None:
        if kept == "none":
            return None
        raise UnreadableError(f"release {revision}") if kept == "unreadable" else ConnectionError("no table")

    monkeypatch.setattr(world.runs, "release", release)
    world.releases.release = BEFORE
    world.put("new")
    if kept == "in trouble":
        assert "the release that is through could not be read (ConnectionError: no table)" in world.fails()
    else:
        assert world.run() == {**NOTHING, "started": 1}
    assert world.builds.started == [("new",)]


def test_before_the_first_release_there_is_nobody_to_catch_up() -> None:
    assert World().run() == NOTHING


def test_who_is_provisioned_first_catches_up_later(world: World) -> None:
    """Given a build that is started in the same round, then the next round starts the run."""
    world.put("late", size="medium")
    assert world.run() == {**NOTHING, "started": 1}
    world.provision("late")
    assert world.run() == {**NOTHING, "caught_up": 1}


def test_a_run_that_is_through_meanwhile_is_left_to_the_next_round(world: World) -> None:
    """Given statuses that were read before the run was through, then they do not tell who was left behind."""
    ends(world, NAME, state=RunState.RUNNING)
    read = world.statuses.all

    def then_it_is_through() -> object:
        found = list(read())
        ends(world, NAME)
        deployed(world, revision_deployed=RELEASE.revision)
        return iter(found)

    world.statuses.all = then_it_is_through  # type: ignore[method-assign, assignment]
    assert world.run() == NOTHING
    assert world.executions.given == {}


def test_runs_that_break_leave_names_for_people(world: World) -> None:
    """Given a function that cannot begin a run, then five are tried, and people can go on with the next name."""
    for _ in range(8):
        world.run()
        world.executions.statuses = dict.fromkeys(world.executions.statuses, "FAILED")
    assert list(world.executions.given) == [f"{NAME}-r{number}" for number in range(2, 7)]
    assert world.statuses.items["late"].phase is Phase.ACTIVE


@pytest.mark.parametrize("part", ["current", "run"])
def test_a_releases_table_in_trouble_costs_no_round(world: World, part: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_given: object) -> object:
        raise ConnectionError("the releases table cannot be read")

    monkeypatch.setattr(world.runs, part, fails)
    world.put("new")
    assert "the releases table cannot be read" in world.fails()
    assert world.builds.started == [("new",)]


def test_a_machine_that_cannot_be_started_costs_no_round(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_given: object) -> bool:
        raise ConnectionError("the machine cannot be started")

    monkeypatch.setattr(world.executions, "start", fails)
    world.put("new")
    assert "has left behind (ConnectionError: the machine cannot be started)" in world.fails()
    assert world.builds.started == [("new",)]


def test_a_look_that_a_release_waits_for_needs_no_row(world: World) -> None:
    """Given a row that was removed while a release waited, then the pipeline is looked at all the same."""
    waiting = {"task_token": "t", "release_outcome": "running", "release_execution_id": "e", "release_run": NAME}
    deployed(world, **waiting)
    del world.deployments.items["late"]
    assert world.run() == {**NOTHING, "removed": 1}
    world.clock.pass_time(minutes=11)
    assert world.run() == {**NOTHING, "looked": 1}
    assert world.looks == ["silo-late-pipeline"]


def test_a_run_that_waited_for_newer_functions_is_gone_on_with(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    newer = replace(RELEASE, contract=CONTRACT + 1)
    ends(world, NAME, state=RunState.STOPPED)
    world.runs.kept[newer.revision] = newer
    world.runs.runs[NAME] = replace(world.runs.runs[NAME], reason=mismatch(newer))
    assert world.run() == NOTHING
    monkeypatch.setattr(contract, "CONTRACT", newer.contract)
    assert world.run() == {**NOTHING, "caught_up": 1}
    assert world.executions.given == {SECOND: {"release": plain(newer), "resumes": NAME}}
    assert world.run() == NOTHING, "it is on its way"


def test_rows_wait_while_the_current_release_needs_newer_functions(world: World) -> None:
    world.releases.release = replace(RELEASE, contract=CONTRACT + 1)
    world.put("new")
    assert world.run() == {**NOTHING, "waiting": 1}
    status = world.statuses.items["new"]
    assert (status.phase, status.claimed_by, world.builds.started) == (Phase.PENDING, "", [])
    assert "it waits for a newer toolchain" in status.reason


def test_rows_with_a_standby_wait_and_nobody_with_one_catches_up_with_what_knows_none(world: World) -> None:
    """Given a release of before, which passes over who has a standby, then no run is started for them."""
    world.releases.release = replace(RELEASE, contract=STANDBYS - 1)
    world.put("both", standby_region="us-east-1")
    world.provision("both")
    deployed(world, revision_deployed=RELEASE.revision)
    world.put("new", standby_region="us-east-1")
    assert world.run() == {**NOTHING, "waiting": 1}
    deployed(world, revision_deployed="r")
    assert world.run() == {**NOTHING, "waiting": 1, "caught_up": 1}
