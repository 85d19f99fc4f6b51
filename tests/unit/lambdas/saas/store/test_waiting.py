"""Starting the builds of rows that wait for one."""

from __future__ import annotations

from dataclasses import replace

import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from lambdas.saas.model.record import DeploymentRecord
from lambdas.saas.store.waiting import Waiting
from tests.unit.lambdas.saas.fakes import RELEASE, START, FakeBuilds, FakePins, FakeStatuses


@given(
    st.integers(min_value=0, max_value=20),
    st.integers(min_value=1, max_value=7),
    st.lists(st.booleans(), max_size=4),
)
def test_builds_take_everything_in_order(count: int, size: int, refusals: list[bool]) -> None:
    """Given a CodeBuild that may be at its limit, then each row has a build, or is left and says what it waits for."""
    wishes = [
        DeploymentRecord(id=f"t{number}", type="silo", account="111111111111", region="eu-west-1")
        for number in range(count)
    ]
    statuses, builds = FakeStatuses(), FakeBuilds(refusals=refusals)
    waiting = Waiting(statuses=statuses, builds=builds, pins=FakePins(), max_ids_per_build=size)
    left = waiting.start(wishes, release=RELEASE, token=",".join, now=START)
    assert [name for ids in builds.started for name in ids] + [wish.id for wish in left] == [one.id for one in wishes]
    assert all(1 <= len(ids) <= size for ids in builds.started)
    assert [one.id for one in statuses.items.values() if one.reason.startswith("waiting: ")] == [one.id for one in left]


@pytest.mark.parametrize(
    "error", [ClientError({"Error": {"Code": "KMS.DisabledException"}}, "GetObject"), ValueError("no contract")]
)
def test_a_pinned_release_that_cannot_be_read_holds_up_nobody_else(error: Exception) -> None:
    plain = DeploymentRecord(id="b", type="silo", account="111111111111", region="eu-west-1")
    wishes = [replace(plain, id="a", revision="bad"), plain, replace(plain, id="c", revision="good")]
    statuses, good = FakeStatuses(), replace(RELEASE, revision="good")
    pins = FakePins(published={"good": good}, spoilt={"bad": error})
    waiting = Waiting(statuses=statuses, builds=FakeBuilds(), pins=pins, max_ids_per_build=5)
    found = waiting.by_release(wishes, current=RELEASE, now=START)
    assert {release.revision: [one.id for one in its] for release, its in found.items()} == {
        RELEASE.revision: ["b"],
        "good": ["c"],
    }
    assert statuses.items["a"].reason == "waiting: release bad could not be read: it is tried again"
