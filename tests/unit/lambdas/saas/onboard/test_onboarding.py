"""Onboarding, batch by batch."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdas.common.record import DeploymentRecord
from lambdas.common.releases import Release
from lambdas.common.status import Phase
from lambdas.saas.onboard.onboarding import Onboarding
from lambdas.saas.onboard.plan import Look
from tests.unit.lambdas.fakes import FakeBuilds, FakeClock, FakeReleases, FakeStatuses
from tests.unit.lambdas.strategies import POLICY


@dataclass
class World:
    """Onboarding among fakes."""

    statuses: FakeStatuses = field(default_factory=FakeStatuses)
    builds: FakeBuilds = field(default_factory=FakeBuilds)
    releases: FakeReleases = field(default_factory=FakeReleases)
    clock: FakeClock = field(default_factory=FakeClock)
    dead: list[tuple[Look, str]] = field(default_factory=list)
    size: int = 25

    @property
    def onboarding(self) -> Onboarding:
        return Onboarding(
            policy=POLICY,
            statuses=self.statuses,
            builds=self.builds,
            releases=self.releases,
            max_ids_per_build=self.size,
            dead_letter=lambda look, reason: self.dead.append((look, reason)),
            clock=self.clock,
        )

    def phase(self, deployment_id: str) -> Phase:
        return self.statuses.items[deployment_id].phase


class DeniedBuilds(FakeBuilds):
    """Builds that nobody may start."""

    def start(self, ids: Sequence[str], *, release: Release, token: str) -> str:
        raise RuntimeError("not allowed to StartBuild")


def row(deployment_id: str, **changed: str) -> dict[str, str]:
    return {
        "id": deployment_id,
        "type": "silo",
        "account": "222222222222",
        "region": "eu-west-1",
        **changed,
    }


def record(number: int, deployment_id: str, image: dict[str, str] | None) -> dict[str, Any]:
    change: dict[str, Any] = {"Keys": {"id": {"S": deployment_id}}, "SequenceNumber": f"{number:06}"}
    if image is None:
        return {"eventName": "REMOVE", "dynamodb": change}
    typed = {name: {"S": value} for name, value in image.items()}
    return {"eventName": "INSERT", "dynamodb": {**change, "NewImage": typed}}


def insertions(ids: Iterable[str]) -> list[dict[str, Any]]:
    return [record(number, deployment_id, row(deployment_id)) for number, deployment_id in enumerate(ids)]


@pytest.fixture
def world() -> World:
    return World()


def test_a_batch_becomes_one_build(world: World, sample: Callable[[str], Any]) -> None:
    world.statuses.items["gone"] = _active("gone")
    assert world.onboarding.handle(sample("deployments_stream")["Records"]) == []
    assert world.builds.started == [("silo1", "pool1")]
    assert world.phase("silo1") is Phase.PENDING
    assert world.statuses.items["silo1"].region == "us-east-1"
    assert world.phase("bad") is Phase.INVALID
    assert "region is missing" in world.statuses.items["bad"].reason
    assert world.statuses.items["gone"].row_removed
    assert world.dead == []


def _active(deployment_id: str) -> Any:
    statuses = FakeStatuses()
    wish = DeploymentRecord(**row(deployment_id))
    statuses.claim(wish, build_id="b", revision="r", now=FakeClock()())
    return statuses.items[deployment_id]


def test_many_rows_become_several_builds(world: World) -> None:
    world.size = 2
    assert world.onboarding.handle(insertions(["a", "b", "c"])) == []
    assert world.builds.started == [("a", "b"), ("c",)]


def test_at_the_limit_the_rest_is_delivered_again(world: World) -> None:
    world.size = 1
    world.builds.refusals = [False, True]
    assert world.onboarding.handle(insertions(["a", "b", "c"])) == ["000001"]
    assert world.builds.started == [("a",)]
    for waiting in ("b", "c"):
        assert world.statuses.items[waiting].reason.startswith("waiting: CodeBuild is at its limit")
    assert world.statuses.items["a"].reason == ""


def test_the_same_batch_again_is_the_same_build(world: World) -> None:
    records = insertions(["a", "b"])
    world.onboarding.handle(records)
    world.onboarding.handle(records)
    assert len(world.builds.tokens) == 1


def test_before_the_first_release_rows_wait_for_it(world: World) -> None:
    world.releases.release = None
    assert world.onboarding.handle(insertions(["a"])) == []
    assert world.builds.started == []
    assert world.phase("a") is Phase.PENDING
    assert world.statuses.items["a"].reason == "waiting: no release has been published yet: push the source"


def test_a_build_that_cannot_be_started_fails_the_batch_and_is_told(world: World) -> None:
    """The function fails, so that the stream delivers the batch again; the row says meanwhile what is wrong."""
    world.builds = DeniedBuilds()
    with pytest.raises(RuntimeError, match="StartBuild"):
        world.onboarding.handle(insertions(["silo1"]))
    status = world.statuses.items["silo1"]
    assert status.phase is Phase.PENDING
    assert status.reason == "waiting: no build could be started: RuntimeError: not allowed to StartBuild"


def test_a_batch_without_wishes_asks_for_no_release(world: World) -> None:
    world.releases.release = None
    assert world.onboarding.handle([record(1, "a", None), record(2, "b", row("b", type="x"))]) == []
    assert "a" not in world.statuses.items
    assert world.phase("b") is Phase.INVALID


def test_a_row_that_cannot_be_handled_goes_to_the_dead_letters(world: World) -> None:
    world.statuses.broken = frozenset({"b"})
    assert world.onboarding.handle(insertions(["a", "b", "c"])) == []
    assert world.builds.started == [("a", "c")]
    ((look, reason),) = world.dead
    assert (look.id, reason) == ("b", "ConnectionError: the status of b cannot be written")


def test_a_claimed_row_is_left_to_its_build(world: World) -> None:
    world.statuses.items["a"] = _active("a")
    assert world.onboarding.handle(insertions(["a", "b"])) == []
    assert world.builds.started == [("b",)]


IDS = ("a", "b", "c", "d")
BROKEN = "broken"
images = st.one_of(
    st.none(),
    st.builds(lambda region: {"region": region}, st.sampled_from(["eu-west-1", "us-east-1"])),
    st.just({"type": "unknown"}),
)
changes = st.lists(st.tuples(st.sampled_from([*IDS, BROKEN]), images), min_size=1, max_size=12)


@given(
    changes=changes,
    batches=st.lists(st.integers(min_value=1, max_value=5), min_size=1, max_size=20),
    again=st.lists(st.booleans(), max_size=20),
    refusals=st.lists(st.booleans(), max_size=10),
    claimed=st.sets(st.sampled_from(IDS)),
    size=st.integers(min_value=1, max_value=3),
)
def test_no_row_is_lost(
    *,
    changes: list[tuple[str, dict[str, str] | None]],
    batches: list[int],
    again: list[bool],
    refusals: list[bool],
    claimed: set[str],
    size: int,
) -> None:
    """Deliver a stream as Lambda does: in order, in batches, some twice, and from the reported record on again."""
    world = World(size=size, builds=FakeBuilds(refusals=list(refusals)))
    world.statuses.broken = frozenset({BROKEN})
    world.statuses.items = {deployment_id: _active(deployment_id) for deployment_id in claimed}
    stream = [
        record(number, deployment_id, None if image is None else row(deployment_id, **image))
        for number, (deployment_id, image) in enumerate(changes)
    ]
    started_before = _deliver(world, stream, batches=list(batches), again=list(again))
    for deployment_id in IDS:
        _check(world, deployment_id, changes, started_before, claimed=deployment_id in claimed)
    assert all(look.id == BROKEN for look, _ in world.dead)


def _deliver(world: World, stream: list[dict[str, Any]], *, batches: list[int], again: list[bool]) -> dict[int, int]:
    """Answer, for each record, how many builds had been started before it was first delivered."""
    started_before: dict[int, int] = {}
    position = 0
    while position < len(stream):
        size = batches.pop(0) if batches else 5
        batch = stream[position : position + size]
        for number in range(position, position + len(batch)):
            started_before.setdefault(number, len(world.builds.started))
        reported = world.onboarding.handle(batch)
        if again and again.pop(0):
            continue
        position = int(reported[0]) if reported else position + len(batch)
    return started_before


def _check(
    world: World,
    deployment_id: str,
    changes: list[tuple[str, dict[str, str] | None]],
    started_before: dict[int, int],
    *,
    claimed: bool,
) -> None:
    own = [(number, image) for number, (name, image) in enumerate(changes) if name == deployment_id]
    if not own or claimed:
        return
    number, image = own[-1]
    later = [key for ids in world.builds.started[started_before[number] :] for key in ids]
    status = world.statuses.items.get(deployment_id)
    if image is None:
        assert status is None or status.row_removed
    elif "type" in image:
        assert status is not None
        assert status.phase is Phase.INVALID
    else:
        assert status is not None
        assert (status.phase, status.region) == (Phase.PENDING, image["region"])
        assert deployment_id in later
