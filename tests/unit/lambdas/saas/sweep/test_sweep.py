"""Rounds of the sweep."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdas.common.clock import stamp
from lambdas.saas.model.status import Phase, Status, Unreadable
from lambdas.saas.store.tables import CLAIM_LEASE
from tests.unit.lambdas.saas.fakes import (
    RELEASE,
    FakeBuilds,
)
from tests.unit.lambdas.saas.sweep.world import NOTHING, World


def test_with_nothing_to_do_nothing_is_done(world: World) -> None:
    assert world.run() == NOTHING
    world.put("a")
    world.provision("a")
    assert world.run() == NOTHING
    assert world.builds.started == []


def test_lost_events_are_found(world: World) -> None:
    for deployment_id in ("changed", "removed", "settled"):
        world.put(deployment_id)
        world.provision(deployment_id)
    world.put("new")
    world.put("bad", type="x")
    world.put("changed", size="medium")
    del world.deployments.items["removed"]
    assert world.run() == {**NOTHING, "started": 2, "invalid": 1, "removed": 1}
    assert world.builds.started == [("changed", "new")]
    assert world.statuses.items["removed"].row_removed
    assert world.statuses.items["bad"].phase is Phase.INVALID
    assert world.run() == NOTHING


def test_a_dead_builds_claim_is_given_back(world: World) -> None:
    world.put("a")
    world.statuses.claim(world.wish("a"), build_id="b", revision=RELEASE.revision, now=world.clock())
    assert world.run() == NOTHING
    world.builds.over = {"b"}
    assert world.run()["started"] == 1
    status = world.statuses.items["a"]
    assert (status.phase, status.reason, status.claimed_by) == (Phase.PENDING, "", "")


def test_an_expired_claim_is_taken_over(world: World) -> None:
    world.put("a")
    world.statuses.claim(world.wish("a"), build_id="b", revision=RELEASE.revision, now=world.clock())
    world.clock.moment += CLAIM_LEASE + timedelta(seconds=1)
    assert world.run()["started"] == 1


def test_at_the_limit_the_rest_waits_for_the_next_round(world: World) -> None:
    world.size = 1
    for deployment_id in "abc":
        world.put(deployment_id)
    world.builds.refusals = [False, True]
    assert world.run() == {**NOTHING, "started": 1, "waiting": 2}
    assert world.statuses.items["b"].reason.startswith("waiting: CodeBuild is at its limit")
    world.clock.pass_time(minutes=1)
    assert world.run() == {**NOTHING, "started": 2}
    assert world.builds.started == [("a",), ("b",), ("c",)]


@pytest.mark.parametrize("released", [True, False])
def test_what_waits_is_written_once_however_many_rounds_it_waits(world: World, released: bool) -> None:
    for number in range(100):
        world.put(f"t{number}")
    world.builds.refusals = [True] * 4
    release = world.releases.release
    world.releases.release = release if released else None
    assert world.run() == {**NOTHING, "waiting": 100}
    before, world.statuses.written = dict(world.statuses.items), []
    for _ in range(3):
        world.clock.pass_time(minutes=5)
        assert world.run() == {**NOTHING, "waiting": 100}
    assert (world.statuses.written, world.statuses.items) == ([], before)
    world.releases.release = release
    world.builds.refusals = []
    assert world.run() == {**NOTHING, "started": 100}
    assert sorted(world.statuses.written) == sorted(world.statuses.items)
    assert world.run() == NOTHING, "the builds have a while to take them up"


def test_what_a_build_has_provisioned_meanwhile_is_not_built_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Given a build that gives its claim back and ends after the statuses were read, then no other one is started."""
    world.put("a")
    world.put("b")
    world.statuses.claim(world.wish("a"), build_id="b", revision=RELEASE.revision, now=world.clock())
    world.builds.over = {"b"}
    ended = world.builds.ended

    def provisioned_meanwhile(build_ids: Iterable[str]) -> set[str]:
        world.provision("a")
        return ended(build_ids)

    monkeypatch.setattr(world.builds, "ended", provisioned_meanwhile)
    assert world.run() == {**NOTHING, "started": 1}
    assert world.builds.started == [("b",)]
    assert world.statuses.items["a"].phase is Phase.ACTIVE


def test_before_the_first_release_rows_wait(world: World) -> None:
    world.put("a")
    released, world.releases.release = world.releases.release, None
    assert world.run() == {**NOTHING, "waiting": 1}
    assert world.statuses.items["a"].reason.startswith("waiting: no release has been published yet")
    world.releases.release = released
    assert world.run() == {**NOTHING, "started": 1}


def test_what_was_started_for_nothing_is_started_again_after_the_grace(world: World) -> None:
    world.put("a")
    world.run()
    world.clock.pass_time(minutes=9)
    assert world.run() == NOTHING
    world.clock.pass_time(minutes=2)
    assert world.run() == {**NOTHING, "started": 1}
    assert len(world.builds.tokens) == 2


kinds = st.sampled_from(
    ["new", "bad", "settled", "changed", "removed", "held", "held by a dead build", "failed", "bad and at its end"]
)


@given(st.dictionaries(st.sampled_from("abcdef"), kinds), st.integers(min_value=1, max_value=3))
def test_a_second_round_finds_nothing_left(kinds_by_id: dict[str, str], size: int) -> None:
    world = World(size=size, builds=FakeBuilds(over={"dead"}))
    for deployment_id, kind in kinds_by_id.items():
        _prepare(world, deployment_id, kind)
    first = world.run()
    starting = [kind for kind in kinds_by_id.values() if kind in ("new", "changed", "held by a dead build")]
    assert first["started"] == len(starting)
    assert world.run() == NOTHING


def _prepare(world: World, deployment_id: str, kind: str) -> None:
    bad = {"bad": {"type": "x"}, "bad and at its end": {"type": "x", "state": "retired"}}
    world.put(deployment_id, **bad.get(kind, {}))
    now = world.clock()
    if kind in ("settled", "changed", "removed"):
        world.provision(deployment_id)
    if kind == "changed":
        world.put(deployment_id, size="medium")
    if kind == "removed":
        del world.deployments.items[deployment_id]
    if kind in ("held", "held by a dead build", "failed"):
        build_id = "dead" if kind == "held by a dead build" else "b"
        world.statuses.claim(world.wish(deployment_id), build_id=build_id, revision=RELEASE.revision, now=now)
    if kind == "failed":
        world.statuses.failed(deployment_id, build_id="b", reason="no", retry=False, now=now)


def test_a_failure_is_tried_again_when_it_may_be(world: World) -> None:
    world.put("a")
    _prepare(world, "a", "failed")
    assert world.run() == NOTHING
    world.statuses.items["a"] = replace(world.statuses.items["a"], retry=True)
    assert world.run()["started"] == 1
    assert not world.statuses.items["a"].retry


def test_a_silent_pipeline_is_looked_at_again(world: World) -> None:
    world.put("silo1")
    world.provision("silo1")
    world.statuses.items["silo1"] = replace(
        world.statuses.items["silo1"], phase=Phase.PROVISIONING, updated_at=stamp(world.clock() - timedelta(hours=1))
    )
    assert world.run() == {**NOTHING, "looked": 1}
    assert world.looks == ["silo-silo1-pipeline"]


def test_a_row_that_is_put_during_the_round_is_not_taken_for_removed(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = world.statuses.all

    def put_meanwhile() -> Iterator[Status | Unreadable]:
        world.put("new")
        assert world.statuses.pending(world.wish("new"), reason="", now=world.clock())
        return read()

    monkeypatch.setattr(world.statuses, "all", put_meanwhile)
    assert world.run() == NOTHING
    assert world.statuses.items["new"].phase is Phase.PENDING


def test_a_first_failure_is_retried_at_once_however_often_builds_succeeded(world: World) -> None:
    world.put("a")
    for _ in range(9):
        world.provision("a")
    world.statuses.claim(world.wish("a"), build_id="b", revision=RELEASE.revision, now=world.clock())
    world.statuses.failed("a", build_id="b", reason="throttled", retry=True, now=world.clock())
    assert world.run() == {**NOTHING, "started": 1}


def test_a_build_that_dies_on_its_way_is_told_at_the_rows_that_wait_for_it(world: World) -> None:
    world.put("a")
    world.run()
    died = world.statuses.items["a"].pending_build
    world.clock.pass_time(minutes=5)
    world.builds.over, world.builds.failures = {died}, {died: "phase DOWNLOAD_SOURCE: NoSuchVersion"}
    assert world.run() == {**NOTHING, "started": 1}
    status = world.statuses.items["a"]
    told = f"build {died} ended before it took the row up: phase DOWNLOAD_SOURCE: NoSuchVersion"
    assert (status.phase, status.reason) == (Phase.PENDING, told)
    assert status.pending_build not in ("", died)
    assert world.run() == NOTHING, "the new build has a while"


def test_what_failed_keeps_its_reason_while_it_is_tried_again(world: World) -> None:
    _prepare(world, "a", "failed")
    world.statuses.items["a"] = replace(world.statuses.items["a"], retry=True)
    world.run()
    status = world.statuses.items["a"]
    assert (status.phase, status.reason) == (Phase.PENDING, "it is tried again, and failed before: no")


@pytest.mark.parametrize("state", ["suspended", "retired"])
def test_a_new_row_that_asks_for_no_deployment_is_handed_on_with_a_status(world: World, state: str) -> None:
    world.put("a", state=state)
    assert world.run() == {**NOTHING, "lifecycle": 1}
    assert world.statuses.items["a"].type == "silo"
    assert world.builds.started == []


def test_a_row_that_was_never_more_than_suspended_leaves_nothing(world: World) -> None:
    world.statuses.items["a"] = Status(id="a", phase=Phase.SUSPENDED)
    assert world.run() == {**NOTHING, "removed": 1}
    assert world.statuses.items == {}


def test_a_pipeline_that_was_deleted_by_hand_is_provisioned_again(world: World) -> None:
    """Given a tenant that is ACTIVE and has no pipeline, then a build is started, and once."""
    for name in ("a", "b"):
        world.put(name)
        world.provision(name)
    world.deleted = {"silo-a-pipeline"}
    assert world.run() == {**NOTHING, "started": 1}
    assert world.builds.started == [("a",)]
    status = world.statuses.items["a"]
    assert (status.phase, status.reason) == (Phase.PENDING, "its pipeline is gone: it is provisioned again")
    assert world.run() == NOTHING


def test_a_pipeline_that_cannot_be_made_again_is_tried_less_and_less_often(world: World) -> None:
    world.put("a")
    world.provision("a")
    world.deleted = {"silo-a-pipeline"}
    failed = replace(world.statuses.items["a"], phase=Phase.FAILED, attempts=3, updated_at=stamp(world.clock()))
    world.statuses.items["a"] = failed
    assert world.run() == NOTHING
    world.clock.pass_time(minutes=10)
    assert world.run() == {**NOTHING, "started": 1}


def test_pipelines_that_cannot_be_listed_are_not_taken_for_gone(world: World) -> None:
    world.put("a")
    world.provision("a")
    world.unlisted = ConnectionError("reset by peer")
    assert "the pipelines could not be listed (ConnectionError: reset by peer)" in world.fails()
    assert world.builds.started == []


def _stand(world: World, count: int, *, without_rows: int) -> None:
    world.retire_removed = True
    for number in range(count):
        world.put(f"t{number:03}")
        world.provision(f"t{number:03}")
    for number in range(without_rows):
        del world.deployments.items[f"t{number:03}"]


@pytest.mark.parametrize(("count", "gone"), [(300, 300), (300, 31), (8, 6)])
def test_nobody_is_retired_when_too_many_rows_are_gone(world: World, count: int, gone: int) -> None:
    """Given a table that was emptied, then people are told, round after round, and no lifecycle machine is started."""
    _stand(world, count, without_rows=gone)
    for said in (gone, 0):
        assert world.run() == {**NOTHING, "removed": said}
        assert (world.held, world.lifecycles.started) == (gone, [])


@pytest.mark.parametrize(("count", "gone"), [(300, 30), (8, 5), (1, 1)])
def test_a_few_rows_may_go(world: World, count: int, gone: int) -> None:
    _stand(world, count, without_rows=gone)
    assert world.run() == {**NOTHING, "removed": gone, "lifecycle": gone}
    assert world.held == 0


@pytest.mark.parametrize("then", [Phase.RETIRING, Phase.RETIRED])
def test_rows_that_go_one_after_the_other_are_counted_together(world: World, then: Phase) -> None:
    """Given five rows that go each round, then a share of the fleet is retired in a day, as if they went at once."""
    _stand(world, 60, without_rows=5)
    assert world.run() == {**NOTHING, "removed": 5, "lifecycle": 5}
    for number in range(5):
        world.statuses.items[f"t{number:03}"] = replace(
            world.statuses.items[f"t{number:03}"], phase=then, retire_after=stamp(world.clock() + timedelta(days=7))
        )
        del world.deployments.items[f"t{number + 5:03}"]
    world.clock.pass_time(minutes=5)
    assert world.run() == {**NOTHING, "removed": 5}
    assert (world.held, len(world.lifecycles.started)) == (5, 5)
    world.clock.pass_time(minutes=5)
    for number in range(5, 10):
        world.put(f"t{number:03}")
    assert (world.run()["lifecycle"], world.held) == (0, 0), "nothing is held that nobody waits for"
    world.clock.pass_time(days=1)
    for number in range(5, 10):
        del world.deployments.items[f"t{number:03}"]
    assert world.run()["lifecycle"] == 5, "what began days ago does not count"


def test_rows_that_led_to_nothing_release_no_brake(world: World) -> None:
    """Given an emptied table that somebody fills with hundreds of rows that are wrong, then nobody is retired."""
    _stand(world, 20, without_rows=10)
    for number in range(300):
        world.put(f"wrong{number}", region="mars-1")
        world.statuses.invalid(f"wrong{number}", reason="no such Region", now=world.clock())
    world.run()
    assert (world.held, world.lifecycles.started) == (10, [])


def test_with_no_share_at_all_nobody_is_retired_before_a_person_agrees(world: World) -> None:
    _stand(world, 20, without_rows=1)
    world.percent = 0
    world.run()
    assert (world.held, world.lifecycles.started) == (1, [])
    world.confirmed = 1
    assert world.run() == {**NOTHING, "lifecycle": 1}


def test_a_person_lets_them_go(world: World) -> None:
    _stand(world, 20, without_rows=10)
    world.run()
    world.confirmed = 9
    assert world.run() == NOTHING, "one more than was confirmed"
    world.confirmed = 10
    assert world.run() == {**NOTHING, "lifecycle": 10}


def test_what_others_call_a_deployment_is_told_although_nothing_else_changed(world: World) -> None:
    """Given an event of the stream that was lost."""
    world.put("a", external_id="4711")
    world.provision("a")
    world.put("a", external_id="4712")
    assert world.run() == NOTHING
    assert world.statuses.items["a"].external_id == "4712"
    world.put("a")
    assert world.run() == NOTHING
    assert world.statuses.items["a"].external_id == ""
    before = world.statuses.items["a"]
    world.clock.moment += timedelta(minutes=5)
    assert world.run() == NOTHING
    assert world.statuses.items["a"] == before, "nothing is written again"


def test_a_round_looks_at_a_release_that_a_fleet_pins_once(world: World) -> None:
    world.pins.published = {RELEASE.revision: RELEASE}
    for name in ("a", "b"):
        world.put(name, revision=RELEASE.revision)
    assert world.run()["started"] == 2
    assert world.pins.pieces == 1
