"""A ring that is validated by a build: one an attempt, from its beginning to its end."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from lambdas.common.errors import GranaryError
from tests.unit.lambdas.resilience.test_attempts import begin, go_on, to_end
from tests.unit.lambdas.resilience.world import Killed, World

_LINK = "https://console.aws.amazon.com/codesuite/codebuild/projects/silo-acme-checks/build/silo-acme-checks%3A0/"


@pytest.fixture
def world() -> Iterator[World]:
    with World(ring="build") as made:
        yield made


def build_is(world: World, status: str) -> None:
    (build,) = world.codebuild.live()
    build["buildStatus"] = status


def free(world: World) -> bool:
    return not world.codebuild.live() and not list(world.turns.trying.attempts.held())


def under_way(world: World) -> None:
    begin(world)
    go_on(world)
    assert len(world.codebuild.live()) == 1


@pytest.mark.parametrize(
    ("status", "answer", "outcome"),
    [
        ("SUCCEEDED", "passed", "PASS"),
        ("FAILED", "failed", "FAIL"),
        ("TIMED_OUT", "failed", "FAIL"),
        ("FAULT", "failed", "INCONCLUSIVE"),
        ("STOPPED", "failed", "INCONCLUSIVE"),
    ],
)
def test_what_was_built_decides_and_is_linked(world: World, status: str, answer: str, outcome: str) -> None:
    """However long it takes, which is longer than anything has to settle."""
    under_way(world)
    world.clock.pass_time(minutes=20)
    go_on(world)
    assert world.pipeline.said("e1") is None
    build_is(world, status)
    found, said = to_end(world)
    assert (found, said.partition(":")[0]) == (answer, outcome)
    assert (_LINK in said) is (outcome != "PASS")
    assert len(world.codebuild.builds) == 1
    assert not world.kept, "it survives nothing"
    assert free(world)


def test_a_build_that_has_failed_does_not_settle(world: World) -> None:
    under_way(world)
    build_is(world, "FAILED")
    go_on(world)
    assert (world.pipeline.said("e1") or ("", ""))[0] == "failed"


def test_who_is_not_well_for_a_while_is_built_all_the_same(world: World) -> None:
    under_way(world)
    build_is(world, "SUCCEEDED")
    world.alarm = "ALARM"
    go_on(world)
    assert world.pipeline.said("e1") is None
    world.alarm = "OK"
    assert to_end(world)[0] == "passed"


def test_nothing_is_built_of_who_is_not_well(world: World) -> None:
    world.answers = False
    begin(world)
    answer, said = to_end(world)
    assert (answer, said.startswith("FAIL: validation on acme: home before: 0 %")) == ("failed", True)
    assert not world.codebuild.builds
    assert free(world)


def test_without_its_project_it_fails_with_advice(world: World) -> None:
    world.codebuild.projects = ()
    begin(world)
    answer, said = to_end(world)
    assert answer == "failed"
    assert said.startswith("ERROR: validation on acme: silo-acme-checks of probe checks cannot be built: the component")
    assert free(world)


def test_who_is_not_let_in_holds_nobody(world: World) -> None:
    def trouble(name: str) -> None:
        if name == "open":
            raise GranaryError("the role cannot be assumed")

    world.trouble = trouble
    begin(world)
    assert to_end(world) == ("failed", "ERROR: validation on acme: the role cannot be assumed")
    assert free(world)


def test_one_that_died_after_its_start_is_found_again(world: World) -> None:
    """By the list, when CodeBuild knows the token no longer."""

    def killed(name: str) -> None:
        if name == "start build after":
            raise Killed

    begin(world)
    world.trouble = killed
    ((execution, token),) = world.pipeline.due()
    event = world.pipeline.begin(execution, token)
    with pytest.raises(Killed):
        world.invoke(event)
    world.trouble = lambda _: None
    world.codebuild.tokens.clear()
    world.invoke(event)
    assert len(world.codebuild.builds) == 1
    build_is(world, "SUCCEEDED")
    assert to_end(world)[0] == "passed"


def test_a_stop_ends_the_build(world: World) -> None:
    under_way(world)
    stop(world)
    assert [one["buildStatus"] for one in world.codebuild.builds.values()] == ["STOPPED"]
    assert free(world)


def test_what_begins_while_it_is_stopped_is_stopped_by_the_sweep(world: World) -> None:
    """And by the function that began it, unless that is killed."""
    begin(world)

    def killed(name: str) -> None:
        if name == "start build after":
            raise Killed

    def meet(name: str) -> None:
        if name == "start build before":
            world.trouble = lambda _: None
            stop(world)
            world.trouble = killed

    world.trouble = meet
    with pytest.raises(Killed):
        go_on(world)
    world.trouble = lambda _: None
    assert len(world.codebuild.live()) == 1
    world.clock.pass_time(minutes=15)
    world.invoke({})
    assert free(world)


def test_it_is_given_up_before_the_release_gives_up(world: World) -> None:
    under_way(world)
    answer, said = to_end(world)
    assert (answer, said.startswith("ABORTED: validation on acme: it was not over by ")) == ("failed", True)
    assert free(world)


def stop(world: World) -> None:
    """Somebody stops the execution, and the function hears of it."""
    world.pipeline.executions["e1"] = "Stopped"
    world.invoke({"source": "aws.codepipeline", "detail": {"execution-id": "e1", "state": "STOPPED"}})
