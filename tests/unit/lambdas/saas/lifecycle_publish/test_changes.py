"""Which lifecycle events a change of a status asks for."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdas.common.status import Phase
from lambdas.saas.lifecycle_publish.changes import PHASE_CHANGED, ROW_REMOVED, lifecycle_events

OLD = {"id": "silo1", "phase": "PROVISIONING", "reason": "", "updated_at": "then"}


def test_a_change_of_phase_is_told_in_full() -> None:
    new = {
        **OLD,
        "phase": "ACTIVE",
        "type": "silo",
        "account": "222222222222",
        "region": "eu-west-1",
        "revision_wanted": "abc123",
        "revision_deployed": "abc123",
        "build_id": "b",
        "execution_id": "e",
        "execution_url": "https://console/e",
        "updated_at": "now",
        "claimed_by": "not told",
    }
    (event,) = lifecycle_events(OLD, new)
    assert event.detail_type == PHASE_CHANGED
    assert event.detail == {
        "id": "silo1",
        "type": "silo",
        "account": "222222222222",
        "region": "eu-west-1",
        "from": "PROVISIONING",
        "to": "ACTIVE",
        "reason": "",
        "revision_wanted": "abc123",
        "revision_deployed": "abc123",
        "build_id": "b",
        "execution_id": "e",
        "execution_url": "https://console/e",
        "at": "now",
        "next_step": "Nothing to do: the component is deployed.",
    }


@pytest.mark.parametrize(
    "changed", [{"phase": "FAILED"}, {"reason": "x"}, {"revision_deployed": "abc123"}, {"row_removed": True}]
)
def test_what_people_care_about_is_told(changed: dict[str, Any]) -> None:
    assert lifecycle_events(OLD, {**OLD, **changed})[0].detail_type == PHASE_CHANGED


@pytest.mark.parametrize("changed", [{"updated_at": "now"}, {"claimed_by": "b"}, {"revision_deployed": ""}])
def test_the_rest_is_not(changed: dict[str, Any]) -> None:
    assert lifecycle_events(OLD, {**OLD, **changed}) == []


def test_a_removed_row_is_told_once() -> None:
    removed = {**OLD, "row_removed": True}
    assert [event.detail_type for event in lifecycle_events(OLD, removed)] == [PHASE_CHANGED, ROW_REMOVED]
    assert [event.detail_type for event in lifecycle_events(removed, OLD)] == [PHASE_CHANGED]
    again = lifecycle_events(removed, {**removed, "phase": "ACTIVE"})
    assert [event.detail_type for event in again] == [PHASE_CHANGED]
    assert again[0].detail["next_step"].startswith("Put the row back")


def test_a_status_that_ends_tells_nothing() -> None:
    assert lifecycle_events(OLD, None) == []
    assert lifecycle_events(None, None) == []


@pytest.mark.parametrize("phase", Phase)
def test_every_phase_has_a_next_step(phase: Phase) -> None:
    (event,) = lifecycle_events(None, {"id": "silo1", "phase": str(phase)})
    assert event.detail["from"] == ""
    assert event.detail["next_step"] != "Look at the deployment's status."


_odd = st.one_of(st.none(), st.booleans(), st.integers(), st.text(), st.lists(st.text()), st.binary())
_names = st.sampled_from(["id", "phase", "reason", "row_removed", "revision_deployed", "account", "other"])
_statuses = st.one_of(st.none(), st.dictionaries(_names, _odd))


@given(_statuses, _statuses)
def test_odd_statuses_are_told_as_text(old: dict[str, Any] | None, new: dict[str, Any] | None) -> None:
    for event in lifecycle_events(old, new):
        assert all(isinstance(value, str) for value in event.detail.values())


def test_an_event_stays_small_whatever_a_row_holds() -> None:
    huge = dict.fromkeys(("id", "phase", "reason", "region", "execution_url", "build_id"), "\U0001f33e" * 90_000)
    (event,) = lifecycle_events(None, huge)
    assert len(json.dumps(event.detail).encode()) < 200_000
    assert event.detail["reason"].endswith("...")
