"""Which lifecycle events a change of a status asks for."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdas.saas.lifecycle_publish.deployments import (
    PHASE_CHANGED,
    ROW_REMOVED,
    TOLD_PHASES,
    Factory,
)
from lambdas.saas.lifecycle_publish.deployments import deployment_events as events_of
from lambdas.saas.lifecycle_publish.events import LifecycleEvent
from lambdas.saas.model.status import Phase

OLD = {"id": "silo1", "phase": "PROVISIONING", "reason": "", "updated_at": "then"}
KEEPS = Factory(region="eu-west-1", retire_removed=False)
RETIRES = Factory(region="eu-west-1", retire_removed=True)


def deployment_events(
    old: dict[str, Any] | None, new: dict[str, Any] | None, factory: Factory = KEEPS
) -> list[LifecycleEvent]:
    return events_of(old, new, factory=factory)


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
        "outputs": {"eu-west-1": {"Address": "https://acme.example.com"}},
        "updated_at": "now",
        "claimed_by": "not told",
        "task_token": "secret",
        "external_id": "4711",
        "pinned": "abc123",
    }
    (event,) = deployment_events(OLD, new)
    assert event.detail_type == PHASE_CHANGED
    assert event.detail == {
        "id": "silo1",
        "type": "silo",
        "account": "222222222222",
        "region": "eu-west-1",
        "standby_region": "",
        "from": "PROVISIONING",
        "to": "ACTIVE",
        "reason": "",
        "revision_wanted": "abc123",
        "revision_deployed": "abc123",
        "build_id": "b",
        "execution_id": "e",
        "execution_url": "https://console/e",
        "at": "now",
        "next_step": "Nothing: it is deployed.",
        "warnings": "",
        "archives": "",
        "retire_after": "",
        "outputs": '{"eu-west-1": {"Address": "https://acme.example.com"}}',
        "external_id": "4711",
        "pinned": "abc123",
        "adopted": "",
    }


def test_a_stack_that_is_adopted_is_told_people_once() -> None:
    before = {**OLD, "claimed_by": "b", "build_id": "b"}
    taken = {**before, "adopted": [{"kind": "component", "stack_id": "arn:theirs"}]}
    (event,) = deployment_events(before, taken)
    assert event.detail["adopted"] == "arn:theirs"
    assert event.detail["message"].startswith("Deployment silo1 has adopted a stack that stood, as its row consents")
    assert "Reason: arn:theirs." in event.detail["message"]
    more = {**taken, "adopted": [*taken["adopted"], {"stack_id": "arn:more"}]}
    ((told,), (fewer,)) = deployment_events(taken, more), deployment_events(more, taken)
    assert ("message" in told.detail, "message" in fewer.detail) == (True, False)
    (later,) = deployment_events(taken, {**taken, "phase": "ACTIVE"})
    assert (later.detail["adopted"], "message" in later.detail) == ("arn:theirs", False)


@pytest.mark.parametrize("adopted", ["x", 7, {}, [7], [{"stack_id": 7}], [{}]])
def test_stacks_of_any_origin_are_told_as_a_text(adopted: Any) -> None:
    (event,) = deployment_events(OLD, {**OLD, "adopted": adopted, "reason": "x"})
    assert isinstance(event.detail["adopted"], str)


@given(
    st.dictionaries(
        st.text(), st.one_of(st.integers(), st.dictionaries(st.one_of(st.text(), st.just("A")), st.text())), max_size=4
    )
)
def test_outputs_of_any_origin_are_told_as_a_text_that_is_read(outputs: dict[str, Any]) -> None:
    (event,) = deployment_events({**OLD, "outputs": None}, {**OLD, "outputs": outputs, "reason": "x"})
    told = json.loads(event.detail["outputs"] or "{}")
    assert len(told) <= 2
    assert all(isinstance(value, str) for place in told.values() for value in place.values())


@pytest.mark.parametrize(
    "changed",
    [
        {"phase": "FAILED"},
        {"reason": "x"},
        {"revision_deployed": "abc123"},
        {"row_removed": True},
        {"outputs": {"eu-west-1": {"Address": "https://acme.example.com"}}},
        {"external_id": "4711"},
        {"pinned": "abc123"},
        {"adopted": [{"stack_id": "arn:theirs"}]},
    ],
)
def test_what_people_care_about_is_told(changed: dict[str, Any]) -> None:
    assert deployment_events(OLD, {**OLD, **changed})[0].detail_type == PHASE_CHANGED


@pytest.mark.parametrize(
    "changed", [{"updated_at": "now"}, {"claimed_by": "b"}, {"revision_deployed": ""}, {"outputs": {}}]
)
def test_the_rest_is_not(changed: dict[str, Any]) -> None:
    assert deployment_events(OLD, {**OLD, **changed}) == []


def test_a_removed_row_is_told_once() -> None:
    removed = {**OLD, "row_removed": True}
    assert [event.detail_type for event in deployment_events(OLD, removed)] == [PHASE_CHANGED, ROW_REMOVED]
    assert [event.detail_type for event in deployment_events(removed, OLD)] == [PHASE_CHANGED]
    again = deployment_events(removed, {**removed, "phase": "ACTIVE"})
    assert [event.detail_type for event in again] == [PHASE_CHANGED]
    assert again[0].detail["next_step"].startswith("Put the row back")


def test_a_status_that_ends_tells_nothing() -> None:
    assert deployment_events(OLD, None) == []
    assert deployment_events(None, None) == []


@pytest.mark.parametrize("phase", Phase)
def test_every_phase_has_a_next_step(phase: Phase) -> None:
    (event,) = deployment_events(None, {"id": "silo1", "phase": str(phase)})
    assert event.detail["from"] == ""
    assert event.detail["next_step"] != "Look at the deployment's status."


def test_nobody_is_asked_to_correct_a_row_that_the_functions_take() -> None:
    refused = {**OLD, "phase": "INVALID", "reason": "tier is none", "refused_by": "4f2c9d1"}
    (event,) = deployment_events(OLD, refused)
    assert "pin a later one" in event.detail["next_step"]
    assert "orrect the row" not in event.detail["message"]


def told(old: dict[str, Any] | None, new: dict[str, Any], factory: Factory = KEEPS) -> list[str]:
    """The messages to people."""
    return [event.detail["message"] for event in deployment_events(old, new, factory) if "notification" in event.detail]


@pytest.mark.parametrize("phase", Phase)
def test_people_are_told_of_trouble_only(phase: Phase) -> None:
    assert bool(told(OLD, {**OLD, "phase": str(phase), "reason": "x"})) is (phase in TOLD_PHASES)


def test_trouble_names_tenant_phase_reason_link_and_next_step() -> None:
    """Given a pipeline that failed, then e-mail and chat say the same."""
    failed = {
        **OLD,
        "phase": "FAILED",
        "reason": 'stage Deploy: "quota" <!channel> `rm`',
        "execution_url": "https://console/e",
        "account": "222222222222",
    }
    (event,) = deployment_events(OLD, failed)
    message, notification = event.detail["message"], event.detail["notification"]
    content = notification["content"]
    for word in ("silo1", "FAILED", "stage Deploy", "https://console/e", "222222222222", "granary retry silo1"):
        assert word in message
        assert word in json.dumps(content)
    assert (notification["version"], notification["source"]) == ("1.0", "custom")
    assert content["textType"] == "client-markdown"
    assert notification["metadata"]["threadId"] == "deployment/silo1"
    # What a target writes as JSON stays readable, and nobody is called by a reason.
    assert '"' not in message
    assert "<!channel>" not in json.dumps(content)


@pytest.mark.parametrize(
    ("changed", "step"),
    [
        ({"phase": "SUSPENDED", "row_problem": True, "reason": "its row cannot be acted on: x"}, "Correct the row"),
        ({"phase": "ACTIVE", "former_stacks": [{}], "reason": "stack old is left behind"}, "granary retry silo1"),
    ],
)
def test_what_needs_care_in_a_quiet_phase_is_told(changed: dict[str, Any], step: str) -> None:
    old = {**OLD, "phase": changed["phase"]}
    (event,) = deployment_events(old, {**old, **changed})
    assert changed["reason"] in event.detail["message"]
    assert step in event.detail["next_step"]
    (again,) = deployment_events({**old, **changed}, {**old, **changed, "revision_deployed": "other"})
    assert "message" not in again.detail


def test_the_same_trouble_is_told_once() -> None:
    failed = {**OLD, "phase": "FAILED", "reason": "x"}
    assert told(failed, {**failed, "revision_deployed": "abc123"}) == []
    assert len(told(failed, {**failed, "reason": "y"})) == 1


def test_a_removed_row_tells_people_once() -> None:
    """Given a FAILED deployment, when its row is removed, then one message says so, and not that it failed too."""
    failed = {**OLD, "phase": "FAILED", "reason": "x"}
    (message,) = told(failed, {**failed, "reason": "removed", "row_removed": True})
    assert "was removed without retiring it; nothing was destroyed" in message
    assert "Put the row back" in message
    assert "deleted" not in message


@pytest.mark.parametrize(("after", "when"), [("", "after a grace period"), ("2026-12-01", "after 2026-12-01")])
def test_a_removed_row_that_retires_says_so(after: str, when: str) -> None:
    """Given `on_row_removed: retire`, then nobody hears that nothing is destroyed, and everybody how to keep it."""
    changed, removed = deployment_events(
        OLD, {**OLD, "phase": "ACTIVE", "row_removed": True, "retire_after": after}, RETIRES
    )
    assert (changed.detail_type, removed.detail_type) == (PHASE_CHANGED, ROW_REMOVED)
    title = removed.detail["notification"]["content"]["title"]
    assert when in title
    assert "unless too many rows are gone, it is retired within minutes" in title, "the brake may hold it"
    assert "RemovalsHeld" in removed.detail["next_step"]
    assert "nothing was destroyed" not in json.dumps(removed.detail)
    assert "put its row back" in removed.detail["next_step"]
    assert "offboard" not in removed.detail["message"]


REMOVED = {**OLD, "phase": "ACTIVE", "row_removed": True}
ENDING = {**OLD, "phase": "RETIRING", "retire_after": "2026-12-01"}


def test_the_end_of_a_removed_row_is_told_with_its_time() -> None:
    """Given a removed row, when its retirement begins, then people hear when the stacks go, and how to keep them."""
    (message,) = told(REMOVED, ENDING, RETIRES)
    assert "its stacks are deleted after 2026-12-01" in message
    assert "put its row back before 2026-12-01" in message
    assert "granary activate" not in message  # it asks for a row


@pytest.mark.parametrize(
    ("old", "new", "factory"),
    [
        (REMOVED, ENDING, KEEPS),
        ({**OLD, "phase": "ACTIVE"}, ENDING, RETIRES),
        ({**ENDING, "row_removed": True}, {**ENDING, "reason": "again"}, RETIRES),
    ],
)
def test_other_retirements_are_news_for_the_bus_alone(
    old: dict[str, Any], new: dict[str, Any], factory: Factory
) -> None:
    assert told(old, new, factory) == []
    (event,) = deployment_events(old, new, factory)
    assert "granary activate silo1" in event.detail["next_step"]


BUILD = "granary-provisioning:6a1f"
CLAIMED = {**OLD, "claimed_by": BUILD, "build_id": BUILD, "execution_url": "https://console/old"}


def test_what_a_build_failed_links_the_build() -> None:
    """Given a deployment that an execution is known of, when a build fails it, then the link leads to the build."""
    failed = {**CLAIMED, "phase": "FAILED", "reason": "no room", "claimed_by": ""}
    (event,) = deployment_events(CLAIMED, failed)
    link = "/codebuild/projects/granary-provisioning/build/granary-provisioning%3A6a1f/?region=eu-west-1"
    for form in (event.detail["message"], event.detail["notification"]["content"]["description"]):
        assert link in form
        assert "https://console/old" not in form


@pytest.mark.parametrize(
    "old",
    [
        {**CLAIMED, "claimed_by": "", "build_id": BUILD},  # the build was over
        {**CLAIMED, "claimed_by": "release/abc123-0a1b2c3d"},
        {**CLAIMED, "claimed_by": "granary-provisioning:older"},
    ],
)
def test_what_an_execution_failed_links_the_execution(old: dict[str, Any]) -> None:
    (message,) = told(old, {**CLAIMED, "phase": "FAILED", "reason": "x", "claimed_by": ""})
    assert message.endswith("https://console/old")


def test_an_execution_that_fails_while_a_build_works_links_the_execution() -> None:
    (message,) = told(CLAIMED, {**CLAIMED, "phase": "FAILED", "reason": "x", "execution_url": "https://console/new"})
    assert message.endswith("https://console/new")


def test_what_was_left_of_a_retired_deployment_is_named() -> None:
    warned = {**OLD, "phase": "RETIRED_WITH_WARNINGS", "reason": "no access", "warnings": ["stack a", "stack b"]}
    (event,) = deployment_events(OLD, warned)
    assert event.detail["warnings"] == "stack a\nstack b"
    assert "stack b" in event.detail["message"]
    assert "stack b" in event.detail["notification"]["content"]["description"]


_odd = st.one_of(st.none(), st.booleans(), st.integers(), st.text(), st.lists(st.text()), st.binary())
_names = st.sampled_from(
    [
        "id",
        "phase",
        "reason",
        "row_removed",
        "revision_deployed",
        "account",
        "warnings",
        "task_token",
        "other",
        "build_id",
        "claimed_by",
        "retire_after",
    ]
)
_phases = st.sampled_from([str(phase) for phase in Phase])
_statuses = st.one_of(
    st.none(),
    st.dictionaries(_names, _odd),
    st.builds(lambda status, phase: {**status, "phase": phase}, st.dictionaries(_names, _odd), _phases),
)


@given(_statuses, _statuses, st.sampled_from([KEEPS, RETIRES]))
def test_odd_statuses_are_told_as_text(
    old: dict[str, Any] | None, new: dict[str, Any] | None, factory: Factory
) -> None:
    for event in deployment_events(old, new, factory):
        texts = {name: value for name, value in event.detail.items() if name != "notification"}
        assert all(isinstance(value, str) for value in texts.values())
        assert ("notification" in event.detail) is ("message" in event.detail)


@given(_statuses, _statuses)
def test_no_token_is_told(old: dict[str, Any] | None, new: dict[str, Any] | None) -> None:
    secret = "token-of-a-task"
    before, after = ({**status, "task_token": secret} if status else status for status in (old, new))
    assert secret not in json.dumps([event.detail for event in deployment_events(before, after)])


def test_an_event_stays_small_whatever_a_row_holds() -> None:
    names = ("id", "reason", "type", "account", "region", "execution_url", "build_id", "execution_id")
    huge: dict[str, Any] = dict.fromkeys(names, "\U0001f33e" * 90_000)
    lists = dict.fromkeys(("warnings", "archives"), ["\U0001f33e" * 90_000] * 50)
    (event,) = deployment_events(None, {**huge, **lists, "phase": "FAILED"})
    assert len(json.dumps(event.detail).encode()) < 240_000
    assert event.detail["reason"].endswith("...")
