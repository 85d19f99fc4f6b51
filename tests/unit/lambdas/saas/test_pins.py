"""Pins, story by story: what moves a tenant whose row pins a release, and what leaves it alone."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lambdas.saas.model.status import Outcome, Phase, Status
from tests.unit.lambdas.saas.pin_world import PinWorld
from tests.unit.lambdas.saas.release.world import OLD, release_of
from tests.unit.lambdas.saas.test_pins_properties import is_at, settle

FIRST, SECOND = release_of(1).revision, release_of(2).revision


@pytest.fixture
def it() -> PinWorld:
    it = PinWorld()
    it.settle_in("t0", "t1", "t2")
    return it


def status_of(it: PinWorld, name: str) -> Status:
    return it.world.statuses.items[name]


def executions(it: PinWorld, name: str = "t0") -> list[str]:
    return [one.revision for one in it.world.histories.all.get(f"silo-{name}-pipeline", [])]


def fail(it: PinWorld, name: str = "t0") -> None:
    """Have the execution fail that runs."""
    for pipeline, one in it.world.histories.running():
        it.world.histories.finish(pipeline, one.id, "Failed")
    it.world.look(name)


def release(it: PinWorld, *, fails: str = "") -> None:
    """Publish the next release, and let it go to its end; it fails at one tenant."""
    it.publish()
    machine = it.releases[-1]
    for _ in range(200):
        machine.take_answers()
        if machine.may_step:
            machine.step()
        elif machine.may_begin:
            machine.begin_item()
        for pipeline, one in it.world.histories.running():
            failed = pipeline == f"silo-{fails}-pipeline"
            it.world.histories.finish(pipeline, one.id, "Failed" if failed else "Succeeded")
            it.world.look(pipeline.removeprefix("silo-").removesuffix("-pipeline"))


def test_who_is_pinned_where_it_stands_stays_and_no_pipeline_runs(it: PinWorld) -> None:
    it.put("t0", OLD)
    settle(it)
    assert (status_of(it, "t0").pinned, executions(it)) == (OLD, [])
    release(it)
    run = it.world.run(it.releases[-1].name)
    assert (run.state, run.deployments, run.skipped) == ("SUCCEEDED", 2, 1)
    assert run.skipped_names == (f"t0: its row pins {OLD}",)
    assert sum(ring.failed for ring in it.world.rings(run.run)) == 0
    settle(it)
    assert (status_of(it, "t0").revision_deployed, executions(it)) == (OLD, [])


@pytest.mark.parametrize("revision", [FIRST, SECOND])
def test_a_tenant_goes_forwards_alone_and_back_alone(it: PinWorld, revision: str) -> None:
    it.put("t0", revision)
    settle(it)
    assert (status_of(it, "t0").phase, status_of(it, "t0").revision_deployed) == (Phase.ACTIVE, revision)
    it.put("t0", OLD)
    settle(it)
    assert (status_of(it, "t0").revision_deployed, executions(it)) == (OLD, [revision, OLD])
    assert not executions(it, "t1")


def test_what_fails_at_its_pin_waits_for_a_person(it: PinWorld) -> None:
    """Given a pipeline that fails at the pinned release, then no round tries again; another pin is tried at once."""
    it.put("t0", FIRST)
    it.step_machine()
    fail(it)
    settle(it)
    assert (status_of(it, "t0").phase, executions(it)) == (Phase.FAILED, [FIRST])
    assert status_of(it, "t0").reason
    it.put("t0", OLD)
    settle(it)
    assert (status_of(it, "t0").phase, executions(it)) == (Phase.ACTIVE, [FIRST, OLD])


def test_a_new_tenant_that_fails_at_its_pin_was_never_placed_there(it: PinWorld) -> None:
    """Given a row that pins before anything stands, then its build knows nothing of pins, and nobody tries again."""
    it.put("new", OLD)
    it.build()
    fail(it, "new")
    settle(it)
    new = status_of(it, "new")
    assert (new.phase, new.pinned, new.revision_wanted, executions(it, "new")) == (Phase.FAILED, "", OLD, [OLD])
    is_at(new, OLD)


def test_who_was_held_back_for_a_failure_catches_up_when_it_is_over(it: PinWorld) -> None:
    """Given a release that is through, and has failed at one tenant, then that is left to people; a pin that ends is
    their word."""
    release(it, fails="t0")
    settle(it)
    assert (status_of(it, "t0").release_outcome, status_of(it, "t0").phase) == (Outcome.FAILED, Phase.FAILED)
    it.put("t0", OLD, seconds=36_000)
    settle(it)
    assert (status_of(it, "t0").phase, status_of(it, "t0").revision_deployed) == (Phase.ACTIVE, OLD)
    it.world.clock.pass_time(hours=10)
    settle(it)
    assert (status_of(it, "t0").revision_deployed, status_of(it, "t0").pinned) == (FIRST, "")


def test_a_rollback_leaves_who_was_pinned_meanwhile(it: PinWorld) -> None:
    """Given a ring that is to be taken back, and a tenant of it whose row pins the new release, then that stays."""
    release(it)
    machine = it.releases[-1]
    ring = it.world.rings(machine.name)[0]
    (item,) = it.world.shelf.objects[ring.items]
    for pin, outcome in ((FIRST, "skipped"), (SECOND, "skipped"), ("", None)):
        it.world.deployments.items[item.id] |= {"revision": pin} if pin else {}
        if not pin:
            it.world.deployments.items[item.id].pop("revision")
        machine.move = {"action": "roll_back", "ring": 0, "concurrency": 1}
        machine.begin_item(item)
        answers = it.world.tokens.of(list(machine.waiting)[-1])
        assert [one["outcome"] for one in answers] == ([outcome] if outcome else [])
    assert executions(it, item.id)[-1] == OLD


def test_a_new_tenant_is_built_from_its_pin(it: PinWorld) -> None:
    it.put("new", FIRST)
    assert [(name, release.revision) for _, name, release in it.builds.waiting] == [("new", FIRST)]
    settle(it)
    assert executions(it, "new")[0] == FIRST
    assert status_of(it, "new").revision_deployed == FIRST


def test_a_release_that_is_refused_makes_the_row_invalid_until_it_is_not(it: PinWorld) -> None:
    """Given a pin to what is not published, then the tenant stays, says why, and goes there once it is."""
    it.put("t0", "hotfix")
    settle(it)
    assert (status_of(it, "t0").phase, status_of(it, "t0").reason) == (Phase.INVALID, "release hotfix is not published")
    assert executions(it) == []
    it.pins.published["hotfix"] = replace(release_of(3), revision="hotfix")
    settle(it)
    assert (status_of(it, "t0").phase, status_of(it, "t0").revision_deployed) == (Phase.ACTIVE, "hotfix")


def test_who_was_placed_stays_when_its_release_is_gone_and_its_row_waits(it: PinWorld) -> None:
    it.put("t0", FIRST)
    settle(it)
    del it.pins.published[FIRST]
    it.world.deployments.items["t0"] |= {"size": "large"}
    it.sweep()
    assert status_of(it, "t0").phase is Phase.PENDING
    assert status_of(it, "t0").reason == f"waiting: release {FIRST} is not published"
    assert (status_of(it, "t0").revision_deployed, it.builds.waiting) == (FIRST, [])


def test_a_new_tenant_that_fails_at_its_pin_is_not_built_over_and_over(it: PinWorld) -> None:
    """Given a release that a new tenant cannot be deployed with, then another pin is what mends it."""
    it.put("new", FIRST)
    it.build()
    fail(it, "new")
    settle(it)
    assert (status_of(it, "new").phase, executions(it, "new")) == (Phase.FAILED, [FIRST])
    it.world.deployments.items["new"]["revision"] = SECOND
    settle(it)
    assert (status_of(it, "new").phase, executions(it, "new")[:2]) == (Phase.ACTIVE, [FIRST, SECOND])
