"""The lifecycle machine places a deployment at the release that its row pins."""

from __future__ import annotations

from dataclasses import replace

from lambdas.saas.model.status import Phase
from tests.unit.lambdas.saas.fakes import RELEASE
from tests.unit.lambdas.saas.lifecycle.world import World
from tests.unit.lambdas.saas.lifecycle_fakes import active

PINNED = replace(RELEASE, revision="pinned1", version_id="v0")


def brought(phase: Phase, **row: str) -> World:
    """Have a machine run for acme, which is at the current release."""
    world = World(status=active(phase=phase, revision_wanted=RELEASE.revision))
    world.pins.published = {one.revision: one for one in (PINNED, RELEASE)}
    world.row(**row)
    world.machine().run()
    return world


def test_who_is_brought_back_gets_what_its_row_pins() -> None:
    world = brought(Phase.SUSPENDED, revision="pinned1")
    assert (world.copies.items["silo", "acme"], world.acme.phase) == ("pinned1", Phase.UPDATING)
    assert (world.acme.pinned, world.acme.revision_wanted, world.acme.claimed_by) == ("pinned1", "pinned1", "")


def test_who_is_there_is_only_said_to_be_pinned() -> None:
    world = brought(Phase.ACTIVE, revision=RELEASE.revision)
    assert (world.acme.phase, world.acme.pinned, world.pipelines.calls) == (Phase.ACTIVE, RELEASE.revision, [])


def test_who_failed_there_is_deployed_there_again() -> None:
    world = brought(Phase.FAILED, revision=RELEASE.revision)
    assert [call for call, *_ in world.pipelines.calls] == ["start"]


def test_a_pin_that_is_refused_moves_nobody() -> None:
    world = brought(Phase.ACTIVE, revision="nowhere")
    assert (world.acme.pinned, world.pipelines.calls) == ("", [])


def test_who_pins_nothing_any_more_and_is_brought_back_is_like_all_others() -> None:
    world = World(status=active(phase=Phase.SUSPENDED, pinned="pinned1", revision_deployed="pinned1"))
    world.machine().run()
    assert (world.copies.items["silo", "acme"], world.acme.pinned) == (RELEASE.revision, "")


def test_a_step_looks_at_a_release_once_however_often_it_reads_the_row() -> None:
    world = World(status=active(phase=Phase.SUSPENDED, revision_wanted=RELEASE.revision))
    world.pins.published = {RELEASE.revision: RELEASE}
    world.row(revision=RELEASE.revision)
    world.machine().step()
    assert world.pins.pieces == 1
