"""Onboarding, whatever the stream delivers: late, twice, out of order, with images that are true no longer."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from lambdas.saas.model.status import Phase
from tests.unit.lambdas.saas.fakes import FakeBuilds
from tests.unit.lambdas.saas.onboard.world import World, claimed_status, record, row

Change = tuple[str, dict[str, str] | None]

IDS = ("a", "b", "c", "d")
BROKEN = "broken"
images = st.one_of(
    st.none(),
    st.builds(lambda region: {"region": region}, st.sampled_from(["eu-west-1", "us-east-1"])),
    st.just({"type": "unknown"}),
)
changes = st.lists(st.tuples(st.sampled_from([*IDS, BROKEN]), images), min_size=1, max_size=12)


class People:
    """They change rows; the stream brings each change some time after it is true."""

    def __init__(self, world: World, changes: list[Change]) -> None:
        self._world = world
        self._changes = changes
        self._done = 0

    def go_on_to(self, number: int) -> None:
        """Have made at least so many changes."""
        for deployment_id, image in self._changes[self._done : number]:
            if image is None:
                self._world.deployments.items.pop(deployment_id, None)
            else:
                self._world.deployments.items[deployment_id] = row(deployment_id, **image)
        self._done = max(self._done, number)


@given(
    changes=changes,
    batches=st.lists(st.integers(min_value=1, max_value=5), min_size=1, max_size=20),
    ahead=st.lists(st.integers(min_value=0, max_value=12), max_size=20),
    again=st.lists(st.booleans(), max_size=20),
    late=st.lists(st.integers(min_value=0, max_value=11), max_size=6),
    refusals=st.lists(st.booleans(), max_size=10),
    claimed=st.sets(st.sampled_from(IDS)),
    size=st.integers(min_value=1, max_value=3),
)
def test_no_row_is_lost(
    *,
    changes: list[Change],
    batches: list[int],
    ahead: list[int],
    again: list[bool],
    late: list[int],
    refusals: list[bool],
    claimed: set[str],
    size: int,
) -> None:
    """Deliver a stream as Lambda does: in order, in batches, some twice, and from the reported record on again.

    The rows are `ahead` of what is delivered, and some records come once more when all is over, in any order.
    """
    world = World(size=size, builds=FakeBuilds(refusals=list(refusals)))
    world.statuses.broken = frozenset({BROKEN})
    world.statuses.items = {deployment_id: claimed_status(deployment_id) for deployment_id in claimed}
    people = People(world, changes)
    stream = [
        record(number, deployment_id, None if image is None else row(deployment_id, **image))
        for number, (deployment_id, image) in enumerate(changes)
    ]
    started_before = _deliver(world, people, stream, batches=list(batches), ahead=list(ahead), again=list(again))
    for number in late:
        world.onboarding.handle([stream[number % len(stream)]])
    for deployment_id in IDS:
        _check(world, deployment_id, changes, started_before, claimed=deployment_id in claimed)
    assert all(look.id == BROKEN for look, _ in world.dead)


def _deliver(
    world: World,
    people: People,
    stream: list[dict[str, Any]],
    *,
    batches: list[int],
    ahead: list[int],
    again: list[bool],
) -> dict[int, int]:
    """Answer, for each record, how many builds had been started before it was first delivered."""
    started_before: dict[int, int] = {}
    position = 0
    while position < len(stream):
        size = batches.pop(0) if batches else 5
        batch = stream[position : position + size]
        people.go_on_to(position + len(batch) + (ahead.pop(0) if ahead else 0))
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
    changes: list[Change],
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
        assert status is None, "no build ever took the row up"
        return
    assert status is not None
    if "type" in image:
        assert status.phase is Phase.INVALID
    else:
        assert (status.phase, status.region) == (Phase.PENDING, image["region"])
        assert deployment_id in later
