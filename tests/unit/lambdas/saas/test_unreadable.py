"""What cannot be read stops nothing but itself: a round of the sweep, and the plan of a release."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest
from boto3.dynamodb.types import Binary
from hypothesis import given
from hypothesis import strategies as st

from lambdas.common.clock import stamp
from lambdas.common.versioned_json import plain
from lambdas.saas.model.rings import Plan, ReleasePolicy, RingPolicy, plan_rows
from lambdas.saas.model.status import Status, Unreadable
from lambdas.saas.store.release_parameter import BadReleaseError
from tests.unit.lambdas.saas.fakes import START, FakeBuilds
from tests.unit.lambdas.saas.release.world import row
from tests.unit.lambdas.saas.strategies import POLICY
from tests.unit.lambdas.saas.sweep.test_sweep import _prepare as prepare
from tests.unit.lambdas.saas.sweep.world import NOTHING, World

KINDS = {
    "a": "settled", "b": "changed", "c": "removed", "d": "held", "e": "held by a dead build", "f": "failed", "g": "bad",
    "h": "new",
}  # fmt: skip
RINGS = ReleasePolicy(rings=(RingPolicy(name="canary", percent=30), RingPolicy(name="general")))
NOW = stamp(START)
_ATTRIBUTES = sorted({*Status.__dataclass_fields__, "later"} - {"id"})
_WRONG = [
    None, "", "HIBERNATING", "release/", "2026-11-25", "2026-11-25T10:00:00.000+00:00", True, Decimal(7),
    Decimal("1.5"), b"x", Binary(b"x"), {Binary(b"x")}, {"x"}, [], ["x"], [{"kind": "x"}], {}, {"kind": "x"},
]  # fmt: skip
_GONE = object()
victims = st.sampled_from(sorted(KINDS))
wrong = st.sampled_from([*_WRONG, _GONE])


@pytest.fixture
def world() -> World:
    return World()


def changed(item: Mapping[str, Any], attribute: str, value: Any) -> dict[str, Any]:
    return {name: one for name, one in {**item, attribute: value}.items() if one is not _GONE}


def fleet() -> World:
    world = World(builds=FakeBuilds(over={"dead"}))
    for deployment_id, kind in KINDS.items():
        prepare(world, deployment_id, kind)
    world.clock.pass_time(minutes=30)
    return world


def corrupt(world: World, victim: str, attribute: str, value: Any) -> None:
    known = plain(world.statuses.items.pop(victim)) if victim in world.statuses.items else {"id": victim}
    found = Status.from_item(changed(known, attribute, value))
    if isinstance(found, Unreadable):
        world.statuses.unreadable[victim] = found.why
    else:
        world.statuses.items[victim] = found


def of_the_others(world: World, victim: str) -> Any:
    """Everything that a round has done, except about one deployment."""
    started = sorted(name for batch in world.builds.started for name in batch if name != victim)
    looks = sorted(pipeline for pipeline in world.looks if not pipeline.endswith(f"-{victim}-pipeline"))
    statuses = {name: status for name, status in world.statuses.items.items() if name != victim}
    return started, looks, statuses, [name for name in world.lifecycles.started if name != victim]


@given(victims, st.sampled_from(_ATTRIBUTES), wrong)
def test_whatever_a_status_holds_the_others_are_swept(victim: str, attribute: str, value: Any) -> None:
    sound, spoilt = fleet(), fleet()
    corrupt(spoilt, victim, attribute, value)
    sound.run()
    counts = spoilt.run()
    assert of_the_others(spoilt, victim) == of_the_others(sound, victim)
    assert counts["unreadable"] == len(spoilt.statuses.unreadable)


@given(victims, st.sampled_from(["type", "account", "region", "size", "state", "tags", "ring", "later"]), wrong)
def test_whatever_a_row_holds_the_others_are_swept(victim: str, attribute: str, value: Any) -> None:
    sound, spoilt = fleet(), fleet()
    spoilt.put(victim)
    spoilt.deployments.items[victim] = changed(spoilt.deployments.items[victim], attribute, value)
    sound.run()
    spoilt.run()
    assert of_the_others(spoilt, victim) == of_the_others(sound, victim)


def planned(world: World, *, ring: str) -> Plan:
    statuses = [*world.statuses.all()]
    rows = [{**one, "ring": ring} for one in world.deployments.items.values()]
    return plan_rows(RINGS, revision="next", rows=rows, targets=POLICY, now=NOW, statuses=statuses)


@given(victims, st.sampled_from(_ATTRIBUTES), wrong)
def test_whatever_a_status_holds_the_others_are_planned(victim: str, attribute: str, value: Any) -> None:
    sound, spoilt = fleet(), fleet()
    corrupt(spoilt, victim, attribute, value)
    plans = planned(sound, ring="general"), planned(spoilt, ring="general")
    taken, left = (
        [[item for item in one.rings[1].items if item.id != victim] for one in plans],
        [[skipped for skipped in one.skipped if skipped.id != victim] for one in plans],
    )
    assert taken[0] == taken[1]
    assert left[0] == left[1]
    if victim in spoilt.statuses.unreadable:
        (skipped,) = (one for one in plans[1].skipped if one.id == victim)
        assert skipped.reason.startswith("its status cannot be read: ")


@given(st.integers(min_value=1, max_value=20), st.data())
def test_who_cannot_be_read_moves_nobody_into_another_ring(size: int, data: st.DataObject) -> None:
    world = World()
    for number in range(size):
        world.put(f"t{number}")
        world.provision(f"t{number}")
    victim = data.draw(st.sampled_from(sorted(world.statuses.items)))
    rows = [row(name) for name in world.statuses.items]
    before = plan_rows(RINGS, revision="next", rows=rows, targets=POLICY, now=NOW, statuses=world.statuses.all())
    world.statuses.unreadable[victim] = "phase is missing"
    after = plan_rows(RINGS, revision="next", rows=rows, targets=POLICY, now=NOW, statuses=world.statuses.all())
    for ring, same in zip(before.rings, after.rings, strict=True):
        assert [item for item in ring.items if item.id != victim] == list(same.items)


def test_what_cannot_be_read_is_left_alone_told_and_measured(world: World, caplog: pytest.LogCaptureFixture) -> None:
    """Given a status that cannot be read, then its deployment is not taken for one that is new, nor for removed."""
    world.put("bad")
    world.statuses.unreadable = {"bad": "phase is missing", "gone": "phase is missing"}
    assert world.run() == {**NOTHING, "unreadable": 2}
    assert world.problems == 2
    assert "nothing is done about deployment bad: its status cannot be read: phase is missing" in caplog.text
    assert "update it again; otherwise run `granary repair bad`" in caplog.text
    assert world.statuses.items == {}


def test_a_status_that_was_repaired_is_provisioned_again_at_its_revision(world: World) -> None:
    """Given what the runbook writes into a status, then the next round takes the deployment up."""
    world.put("acme")
    world.provision("acme")
    item = plain(world.statuses.items["acme"])
    repaired = {name: value for name, value in item.items() if name != "component_stacks"}
    found = Status.from_item({**repaired, "phase": "FAILED", "reason": "repaired by hand", "retry": True})
    assert isinstance(found, Status)
    world.statuses.items["acme"] = found
    world.clock.pass_time(minutes=30)
    assert world.run() == {**NOTHING, "started": 1}
    assert world.statuses.items["acme"].revision_wanted == item["revision_wanted"]


def test_a_status_that_was_deleted_is_provisioned_anew(world: World) -> None:
    world.put("acme")
    world.statuses.unreadable = {"acme": "phase is missing"}
    assert world.run()["started"] == 0
    world.statuses.unreadable = {}
    assert world.run() == {**NOTHING, "started": 1}


def test_a_release_parameter_that_cannot_be_read_holds_nobody_else_up(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Given a parameter without a release, then rows wait, say why, and everything else of the round is done."""

    def current() -> Any:
        raise BadReleaseError("the release parameter holds none")

    monkeypatch.setattr(world.releases, "current", current)
    world.put("new")
    world.put("bad", type="x")
    assert world.run() == {**NOTHING, "waiting": 1, "invalid": 1, "unreadable": 1}
    assert world.statuses.items["new"].reason == "waiting: the release parameter holds none"


def test_a_run_that_cannot_be_read_holds_nobody_up(world: World) -> None:
    world.runs.force, world.runs.unreadable = {"run": "r1"}, {"r1"}
    world.put("new")
    assert world.run() == {**NOTHING, "started": 1, "unreadable": 1}
