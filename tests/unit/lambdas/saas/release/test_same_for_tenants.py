"""Releases that are the same for tenants: nobody's pipeline starts for them, and whatever differs reaches everybody."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lambdas.common.errors import UnreadableError
from lambdas.saas.model.record import DeploymentRecord, parse_row
from lambdas.saas.model.releases import Release
from lambdas.saas.model.rings import ReleasePolicy, RingPolicy
from lambdas.saas.model.runs import RunState, resumed_name
from lambdas.saas.model.status import Outcome, Phase
from lambdas.saas.store.same_releases import SameReleases
from lambdas.saas.sweep.catch_up import CatchUp
from tests.unit.lambdas.saas.execution_fakes import FakeReleaseExecutions
from tests.unit.lambdas.saas.release.world import OLD, TARGETS, Machine, World, drive, drive_once, release_of
from tests.unit.lambdas.saas.release_fakes import FakeRuns

FLEET = ("t0", "t1", "t2", "t3")
# Of the first release, which everybody has.
SAME, OTHER = "a" * 64, "b" * 64


@dataclass
class Fleet:
    """A fleet, and the releases that come to it; `number` is how many were published."""

    world: World = field(default_factory=World)
    number: int = 0

    def __post_init__(self) -> None:
        self.world.settle(*FLEET)

    def publish(self, tenants: str) -> Release:
        """The next release, whose object tells what tenants get of it."""
        self.number += 1
        release = replace(release_of(self.number), tenants=tenants)
        self.world.shelf.publish(release)
        return release

    def release(self, tenants: str, *, fails: frozenset[str] = frozenset(), everyone: bool = False) -> Release:
        """Publish a release and take it to its end."""
        release = self.publish(tenants)
        drive(self.world, Machine(self.world, release.revision, release, everyone=everyone), fails=fails)
        return release

    @property
    def started(self) -> list[str]:
        """Whose pipelines were started, since the last time that somebody asked."""
        found = [deployment_id for deployment_id, _, _ in self.world.pipelines.started]
        self.world.pipelines.started.clear()
        return found

    @property
    def deployed(self) -> set[str]:
        return {status.revision_deployed for status in self.world.statuses.items.values()}

    def catch_up(self) -> bool:
        """A round of the sweep, as far as it is about releases; what it starts comes to its end."""
        executions = FakeReleaseExecutions()
        found = CatchUp(runs=self.world.runs, executions=executions)
        run, now = found.finished(), self.world.clock()
        if run is None:
            return False
        release = self.world.runs.release(run.revision)
        assert release
        rows = (parse_row(row, TARGETS, now="") for row in self.world.deployments.items.values())
        wishes = {one.id: one for one in rows if isinstance(one, DeploymentRecord)}
        if not found.start(run, release, wishes, self.world.statuses.items, now=now):
            return False
        drive(self.world, Machine(self.world, resumed_name(run.run), release, resumes=run.run, catch_up=True))
        return True


@pytest.fixture
def fleet() -> Fleet:
    """A fleet that has got the first release."""
    fleet = Fleet()
    fleet.release(SAME)
    assert sorted(fleet.started) == sorted(FLEET)
    return fleet


def test_what_changes_no_tenant_moves_the_pointer_and_starts_no_pipeline(fleet: Fleet) -> None:
    """Given a commit of documentation, then new tenants get its release, and whoever stands is at it already."""
    second = fleet.release(SAME)
    assert fleet.started == []
    run = fleet.world.run(second.revision)
    assert (run.state, run.same_as, run.deployments) == (RunState.SUCCEEDED, "rev1", 0)
    assert fleet.world.shelf.current[-1] == second
    assert fleet.deployed == {"rev1"}
    assert not fleet.catch_up()


def test_a_chain_of_them_ends_with_what_differs(fleet: Fleet) -> None:
    for _ in range(3):
        fleet.release(SAME)
        assert not fleet.catch_up()
    assert fleet.started == []
    last = fleet.release(OTHER)
    assert sorted(fleet.started) == sorted(FLEET)
    assert fleet.deployed == {last.revision}
    assert fleet.world.run(last.revision).same_as == ""


def test_whoever_came_with_one_of_them_is_at_the_next_one_too(fleet: Fleet) -> None:
    """Given a tenant that was provisioned with a release that changed nobody, then none of them is behind."""
    second = fleet.release(SAME)
    fleet.world.settle("new")
    items = fleet.world.statuses.items
    items["new"] = replace(items["new"], revision_deployed=second.revision, revision_wanted=second.revision)
    fleet.release(SAME)
    assert not fleet.catch_up()
    assert fleet.started == []


def test_what_a_release_has_failed_at_is_left_to_people_by_the_next_that_is_the_same(fleet: Fleet) -> None:
    """Given a tenant that failed within the budget, then a commit of documentation does not start it either."""
    fleet.world.policy = ReleasePolicy(rings=(RingPolicy(name="general", max_failures=4),))
    fleet.release(OTHER, fails=frozenset({"t1"}))
    assert fleet.world.statuses.items["t1"].release_outcome == Outcome.FAILED
    assert fleet.started
    for _ in range(2):
        fleet.release(OTHER)
        assert not fleet.catch_up()
    assert fleet.started == []
    third = fleet.world.runs.release(f"rev{fleet.number}")
    assert third
    # A person goes on with it.
    drive(fleet.world, Machine(fleet.world, "again", third, resumes=third.revision))
    assert fleet.started == ["t1"]
    assert fleet.world.statuses.items["t1"].revision_deployed == third.revision


def test_whoever_was_left_behind_catches_up(fleet: Fleet) -> None:
    """Given a tenant that was under way when the pointer moved, then it gets that release afterwards, alone."""
    items = fleet.world.statuses.items
    items["t2"] = replace(items["t2"], revision_deployed=OLD)
    second = fleet.release(SAME)
    assert fleet.started == []
    assert fleet.catch_up()
    assert fleet.started == ["t2"]
    assert items["t2"].revision_deployed == second.revision


@pytest.mark.parametrize("known", ["", SAME])
def test_what_nobody_can_tell_goes_to_everybody(known: str) -> None:
    """Given a release whose digest, or whose predecessor's, is not known, then it is released as ever."""
    fleet = Fleet()
    fleet.release(known)
    fleet.started  # noqa: B018 - forgotten
    second = fleet.release("" if known else SAME)
    assert sorted(fleet.started) == sorted(FLEET)
    assert fleet.deployed == {second.revision}


def test_what_only_the_input_says_is_not_believed(fleet: Fleet) -> None:
    """Given a machine that somebody has started with a digest that the object does not have, then the object counts."""
    second = fleet.publish(OTHER)
    drive(fleet.world, Machine(fleet.world, "run", replace(second, tenants=SAME)))
    assert sorted(fleet.started) == sorted(FLEET)
    kept = fleet.world.runs.release(second.revision)
    assert kept
    assert kept.tenants == OTHER


@pytest.mark.parametrize("state", [RunState.STOPPED, RunState.RUNNING])
def test_what_is_not_through_proves_nothing(fleet: Fleet, state: RunState) -> None:
    """Given a release whose line was stopped, or that still bakes, then one that is the same begins anew."""
    second = fleet.publish(OTHER)
    machine = Machine(fleet.world, second.revision, second)
    if state is RunState.STOPPED:
        drive(fleet.world, machine, fails=frozenset(FLEET))
    else:
        while not any(status.revision_deployed == second.revision for status in fleet.world.statuses.items.values()):
            drive_once(fleet.world, machine)
    assert fleet.world.run(second.revision).state == state
    third = fleet.release(OTHER)
    assert fleet.world.run(third.revision).same_as == ""
    assert fleet.deployed == {third.revision}
    for status in fleet.world.statuses.items.values():
        assert (status.phase, status.release_run) == (Phase.ACTIVE, third.revision)


def test_a_stopped_run_goes_on_with_those_who_have_the_same_of_another(fleet: Fleet) -> None:
    """Given a run of what another, which was stopped, had brought to some, then going on with it brings it to them."""
    second = fleet.publish(OTHER)
    drive(fleet.world, Machine(fleet.world, second.revision, second), fails=frozenset({"t0", "t1", "t2"}))
    items = fleet.world.statuses.items
    items["t3"] = replace(items["t3"], revision_deployed=second.revision)
    third = fleet.publish(OTHER)
    drive(fleet.world, Machine(fleet.world, "third", third), fails=frozenset(FLEET))
    assert fleet.world.run("third").state == RunState.STOPPED
    items["t3"] = replace(items["t3"], revision_deployed=second.revision, phase=Phase.ACTIVE)
    drive(fleet.world, Machine(fleet.world, "fourth", third, resumes="third"))
    assert fleet.deployed == {third.revision}


@pytest.mark.parametrize("before", [True, False], ids=["though it is through", "at once"])
def test_a_person_takes_it_to_everybody(fleet: Fleet, before: bool) -> None:
    second = fleet.publish(SAME)
    if before:
        drive(fleet.world, Machine(fleet.world, second.revision, second))
        assert fleet.started == []
    resumes = second.revision if before else ""
    drive(fleet.world, Machine(fleet.world, "all", second, resumes=resumes, everyone=True))
    assert sorted(fleet.started) == sorted(FLEET)
    assert fleet.deployed == {second.revision}


def test_a_release_that_cannot_be_read_is_another_one(fleet: Fleet) -> None:
    class Spoilt(type(fleet.world.runs)):  # type: ignore[misc]
        def release(self, revision: str) -> Release | None:
            raise UnreadableError(f"item release/{revision} cannot be read")

    found = SameReleases(runs=Spoilt(runs=fleet.world.runs.runs))
    release = replace(release_of(2), tenants=SAME)
    assert found.revisions(release, fleet.world.statuses.items.values()) == {release.revision}
    assert not found.of_former(release, fleet.world.run("rev1"))


@given(st.lists(st.tuples(st.sampled_from(["", SAME, OTHER]), st.frozensets(st.sampled_from(FLEET))), max_size=8))
def test_everybody_gets_what_is_current_and_nobody_what_they_have(
    commits: list[tuple[str, frozenset[str]]],
) -> None:
    """Whatever is committed and fails: whoever is well has what the current release gives, and got nothing twice."""
    world = World(policy=ReleasePolicy(rings=(RingPolicy(name="canary", percent=25), RingPolicy(name="general"))))
    fleet = Fleet(world=world)
    gives: dict[str, str] = {OLD: "old"}
    for tenants, fails in commits:
        before = {name: status.revision_deployed for name, status in world.statuses.items.items()}
        through = world.shelf.current[-1] if world.shelf.current else release_of(0)
        in_force = world.runs.runs.get(world.runs.current())
        good = in_force is not None and in_force.state == RunState.SUCCEEDED
        fleet.started  # noqa: B018 - forgotten
        release = fleet.release(tenants, fails=fails)
        gives[release.revision] = tenants or release.revision
        run = world.run(release.revision)
        if good and tenants and tenants == gives.get(through.revision):
            assert (fleet.started, run.same_as != "", run.state) == ([], True, RunState.SUCCEEDED)
            assert before == {name: status.revision_deployed for name, status in world.statuses.items.items()}
        else:
            assert run.same_as == ""
        fleet.catch_up()
        if run.state != RunState.SUCCEEDED:
            continue
        for status in world.statuses.items.values():
            if status.release_outcome not in (Outcome.FAILED, Outcome.ROLLED_BACK, Outcome.ROLLBACK_FAILED):
                assert gives[status.revision_deployed] == gives[release.revision], status


class DiedError(Exception):
    """Whoever wrote is no more."""


@dataclass
class Dying(FakeRuns):
    """A releases table before one of whose writes the writer dies: `left` is how many come before it."""

    left: int | None = None

    def _write(self) -> None:
        if self.left is not None:
            self.left -= 1
            if self.left < 0:
                raise DiedError

    def keep(self, *given: Any, **facts: Any) -> Release:
        self._write()
        return super().keep(*given, **facts)

    def take_over(self, *given: Any, **facts: Any) -> bool:
        self._write()
        return super().take_over(*given, **facts)

    def planned(self, *given: Any) -> None:
        self._write()
        super().planned(*given)

    def begun(self, *given: Any) -> None:
        self._write()
        super().begun(*given)


# Of one ring there are four writes: the release, the ring, what is in force, and the run.
@given(
    tenants=st.sampled_from([SAME, OTHER, ""]),
    everyone=st.booleans(),
    deaths=st.lists(st.integers(min_value=0, max_value=3), min_size=1, max_size=3),
)
@example(tenants=SAME, everyone=False, deaths=[3])
def test_a_beginning_that_died_and_is_repeated_gives_the_same_answer(
    tenants: str, everyone: bool, deaths: list[int]
) -> None:
    """Wherever it dies, and however often: the run is the one that it would have been."""

    def begun(deaths: list[int]) -> tuple[Any, ...]:
        runs = Dying()
        fleet = Fleet(World(runs=runs, policy=ReleasePolicy(rings=(RingPolicy(name="general"),))))
        fleet.release(SAME)
        release = fleet.publish(tenants)
        for left in (*deaths, None):
            runs.left = left
            try:
                Machine(fleet.world, release.revision, release, everyone=everyone).step()
            except DiedError:
                continue
        return fleet.world.run(release.revision), fleet.world.rings(release.revision), runs.current()

    assert begun(deaths) == begun([])
