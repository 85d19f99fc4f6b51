"""Which events a release's runs and rings ask for."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdas.common.errors import UnreadableError
from lambdas.saas.lifecycle_publish.changes import releases_table_events
from lambdas.saas.lifecycle_publish.events import LifecycleEvent
from lambdas.saas.model.runs import Ring, RingState, Run, RunState

TOKEN = "token-of-an-approval"
EXECUTION = "arn:aws:states:eu-west-1:111111111111:execution:granary-release:abc123-0a1b2c3d"
LINK = f"https://console.aws.amazon.com/states/home?region=eu-west-1#/v2/executions/details/{EXECUTION}"

RUN = Run(
    run="abc123-0a1b2c3d",
    revision="abc123",
    state=RunState.RUNNING,
    strategy="rings",
    rings=2,
    deployments=10,
    skipped=1,
    skipped_names=("old: suspended",),
    execution=EXECUTION,
    updated_at="now",
)
RING = Ring(
    run=RUN.run,
    index=0,
    name="canary",
    state=RingState.WAITING,
    total=4,
    concurrency=2,
    allowed_failures=0,
    bake_seconds=600,
    approval_token=TOKEN,
    changes=("acme: 1 -> 2",),
)


def item(one: Run | Ring, **changed: Any) -> dict[str, Any]:
    return {"id": one.id, **asdict(one), **changed}


@dataclass(frozen=True)
class Table:
    """The releases table with one run."""

    all_rings: tuple[Ring, ...] = ()
    known: Run | None = RUN
    spoilt: int = -1

    def run(self, run: str) -> Run | None:
        return self.known if self.known and self.known.run == run else None

    def ring(self, _run: str, index: int) -> Ring | None:
        if index == self.spoilt:
            raise UnreadableError(f"ring {index} cannot be read")
        return next((ring for ring in self.all_rings if ring.index == index), None)


def events(
    old: dict[str, Any] | None, new: dict[str, Any] | None, rings: tuple[Ring, ...] = (), known: Run | None = RUN
) -> list[LifecycleEvent]:
    return releases_table_events(old, new, runs=Table(rings, known))


def rings_after_a_stop() -> tuple[Ring, ...]:
    counts = {"succeeded": 1, "failed": 2, "held": 1, "rolled_back": 2}
    return (
        Ring(**{**asdict(RING), **counts, "state": RingState.FAILED}),
        Ring(**{**asdict(RING), "index": 1, "name": "general", "total": 6}),
    )


def test_a_run_that_begins_is_told() -> None:
    (event,) = events(None, item(RUN))
    assert event.detail_type == "Release Started"
    assert (event.detail["run"], event.detail["revision"], event.detail["deployments"]) == (RUN.run, "abc123", "10")
    assert "notification" not in event.detail


@pytest.mark.parametrize(
    ("state", "name", "people"),
    [
        (RunState.STOPPED, "Release Stopped", True),
        (RunState.SUCCEEDED, "Release Completed", True),
        (RunState.SUPERSEDED, "Release Superseded", False),
    ],
)
def test_each_end_of_a_run_has_its_event(state: RunState, name: str, people: bool) -> None:
    (event,) = events(item(RUN), item(RUN, state=str(state)))
    assert (event.detail_type, event.detail["from"], event.detail["to"]) == (name, "RUNNING", str(state))
    assert ("notification" in event.detail) is people


def test_a_stop_names_the_ring_the_reason_what_stays_and_what_to_do() -> None:
    """Given a canary that failed before the general ring, then people hear how many stay on the old revision."""
    stopped = item(RUN, state="STOPPED", reason="2 of 4 failed")
    (event,) = events(item(RUN), stopped, rings_after_a_stop())
    assert event.detail["failed_rings"] == "canary"
    assert (event.detail["succeeded"], event.detail["failed"], event.detail["rolled_back"]) == ("1", "2", "2")
    assert event.detail["not_begun"] == "7"
    for word in ("abc123", "was stopped", "canary", "2 of 4 failed", "Not begun 7", "granary resume"):
        assert word in event.detail["message"]
    assert "granary list --failed" in event.detail["message"]


@pytest.mark.parametrize("state", ["STOPPED", "SUCCEEDED"])
def test_the_end_of_a_run_links_its_execution(state: str) -> None:
    (event,) = events(item(RUN), item(RUN, state=state, reason="x" * 4_000))
    assert event.detail["message"].endswith(LINK)
    assert LINK in event.detail["notification"]["content"]["description"]


def test_a_stopped_run_that_stays_so_is_told_once() -> None:
    assert events(item(RUN, state="STOPPED"), item(RUN, state="STOPPED", reason="more")) == []


def test_a_ring_that_cannot_be_read_keeps_no_stop_from_people() -> None:
    table = Table(rings_after_a_stop(), spoilt=1)
    (event,) = releases_table_events(item(RUN), item(RUN, state="STOPPED", reason="why"), runs=table)
    assert (event.detail_type, event.detail["failed_rings"], event.detail["failed"]) == (
        "Release Stopped",
        "canary",
        "2",
    )
    assert "notification" in event.detail


def test_counts_and_plans_of_rings_tell_nothing() -> None:
    advancing = item(RING, state="ADVANCING")
    assert events(None, item(RING)) == []
    assert events(advancing, {**advancing, "succeeded": 3}) == []
    assert events(item(RING), None) == []


def test_a_ring_that_comes_into_another_state_is_told() -> None:
    (event,) = events(item(RING), item(RING, state="ADVANCING"))
    assert event.detail_type == "Release Ring Changed"
    assert (event.detail["ring"], event.detail["from"], event.detail["to"]) == ("canary", "WAITING", "ADVANCING")


def test_an_approval_says_what_changes_and_how_to_answer() -> None:
    changed, asked = events(item(RING), item(RING, state="APPROVAL"))
    assert (changed.detail_type, asked.detail_type) == ("Release Ring Changed", "Release Approval Needed")
    assert asked.detail["changes"] == "acme: 1 -> 2"
    for word in ("canary", RUN.run, "acme: 1", "granary approve", "granary reject"):
        assert word in asked.detail["message"]
    assert asked.detail["message"].endswith(LINK)
    assert "notification" not in changed.detail


def test_an_approval_of_a_run_that_is_not_known_is_asked_for_all_the_same() -> None:
    (_, asked) = events(item(RING), item(RING, state="APPROVAL"), known=None)
    assert "granary approve" in asked.detail["message"]
    assert "https://" not in asked.detail["message"]


@pytest.mark.parametrize("key", ["current", "release/abc123", "else"])
def test_other_items_tell_nothing(key: str) -> None:
    assert events({"id": key, "run": "a"}, {"id": key, "run": "b"}) == []


_ring_states = st.sampled_from([str(state) for state in RingState])
_run_states = st.sampled_from([str(state) for state in RunState])


@given(before=_ring_states, after=_ring_states, reason=st.text(max_size=50))
def test_no_token_of_a_ring_is_told(before: str, after: str, reason: str) -> None:
    told = events(item(RING, state=before), item(RING, state=after, reason=reason))
    assert bool(told) is (before != after)
    assert TOKEN not in json.dumps([event.detail for event in told])


@given(
    before=st.one_of(st.none(), _run_states),
    after=_run_states,
    counts=st.lists(st.tuples(*[st.integers(min_value=0, max_value=50)] * 3), max_size=4),
)
def test_a_change_of_state_is_one_event_and_its_counts_add_up(
    before: str | None, after: str, counts: list[tuple[int, int, int]]
) -> None:
    rings = tuple(
        Ring(**{**asdict(RING), "index": index, "total": sum(one), "succeeded": one[0], "failed": one[1]})
        for index, one in enumerate(counts)
    )
    run = item(RUN, state=after, rings=len(rings))
    told = events(item(RUN, state=before) if before else None, run, rings)
    assert len(told) == (before != after)
    for event in told:
        parts = [int(event.detail[name]) for name in ("succeeded", "failed", "not_begun")]
        assert sum(parts) == sum(ring.total for ring in rings)
        assert all(isinstance(value, str) for name, value in event.detail.items() if name != "notification")
        assert TOKEN not in json.dumps(event.detail)


def test_whoever_approves_hears_what_the_gates_have_said_and_where_to_look() -> None:
    known = replace(RUN, gates="2 of 2 passed; code: 1 MEDIUM", gate_links=("https://build/1_a", "https://build/2"))
    _, asked = events(item(RING), item(RING, state="APPROVAL"), known=known)
    assert "Gates 2 of 2 passed; code: 1 MEDIUM" in asked.detail["message"]
    assert asked.detail["message"].endswith(f"{LINK} https://build/1_a https://build/2")
    shown = asked.detail["notification"]["content"]["description"]
    assert "*Gates*: 2 of 2 passed; code: 1 MEDIUM" in shown
    assert shown.endswith(f"{LINK} https://build/1_a https://build/2")


def test_an_event_of_a_run_stays_small() -> None:
    wide = "\U0001f33e" * 90_000
    run = item(RUN, rings=9, state="STOPPED", reason=wide, skipped_names=[wide] * 50, revision=wide, execution=wide)
    (event,) = events(
        item(RUN), run, tuple(Ring(**{**asdict(RING), "index": i, "name": wide, "state": "FAILED"}) for i in range(9))
    )
    assert len(json.dumps(event.detail).encode()) < 240_000
    known = replace(RUN, gates=wide, gate_links=(wide,) * 9)
    (_, asked) = events(
        item(RING), item(RING, state="APPROVAL", name=wide, changes=[wide] * 90, reason=wide), known=known
    )
    assert len(json.dumps(asked.detail).encode()) < 240_000


def test_of_a_release_that_changes_no_tenant_people_are_told_that_nothing_was_started() -> None:
    ended = replace(RUN, state=RunState.SUCCEEDED, deployments=0, rings=0, same_as="0f1e2d-0a1b2c3d")
    (event,) = events(item(RUN), item(ended), known=ended)
    assert (event.detail_type, event.detail["same_as"]) == ("Release Completed", "0f1e2d-0a1b2c3d")
    assert "nothing was started" in event.detail["next_step"]
    message = event.detail["message"]
    assert message.startswith("Release abc123 changes no tenant (Same for tenants as 0f1e2d).")
    (stopped,) = events(item(RUN), item(replace(ended, state=RunState.STOPPED)), known=ended)
    assert "was stopped" in stopped.detail["message"]
