"""The state machine that governs a lake: where each answer leads, and that no failure stays untold."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from operator import eq, gt, lt
from typing import Any

import pytest

from constructs_lib.lake.governance_states import GovernanceStates
from lambdas.common.errors import GranaryError
from lambdas.common.proven_names import UnprovenError
from lambdas.lake.model.governance.plan import StaleError
from lambdas.lake.store.plans import BusyError

_States = Mapping[str, Mapping[str, Any]]


def _states() -> _States:
    made = GovernanceStates(discover="discover", apply="apply", tell="tell", bus="bus", source="granary")
    states: _States = made.definition()["States"]
    return states


def _following(state: Mapping[str, Any]) -> Iterator[str]:
    yield from (state[key] for key in ("Next", "Default") if key in state)
    yield from (one["Next"] for key in ("Choices", "Catch") for one in state.get(key, ()))


def _sends(state: Mapping[str, Any]) -> bool:
    return str(state.get("Resource", "")).endswith("events:putEvents")


def _silent(states: _States, start: str) -> set[str]:
    """Whatever is reached without anybody being told; a state that sends has told when it is left by `Next`."""
    found, left = set[str](), [start]
    while left:
        name = left.pop()
        if name in found:
            continue
        found.add(name)
        state = states[name]
        left += [one["Next"] for one in state.get("Catch", ())] if _sends(state) else _following(state)
    return found


def test_every_failure_path_tells_people() -> None:
    states = _states()
    assert not [name for name in _silent(states, "Begin") if states[name]["Type"] == "Fail"]
    # Also a run that has told people of its plan before it fails.
    assert not [name for name in _silent(states, "What next?") if states[name]["Type"] == "Fail"]


def test_whatever_fails_is_caught() -> None:
    """But for the last resort: then the machine's alarm rings."""
    uncaught = {
        name
        for name, state in _states().items()
        if state["Type"] == "Task" and not any("States.ALL" in one["ErrorEquals"] for one in state.get("Catch", ()))
    }
    assert uncaught == {"Tell plainly"}


def test_every_state_is_there_and_reached() -> None:
    states = _states()
    reached, left = set[str](), ["Begin"]
    while left:
        name = left.pop()
        if name not in reached:
            reached.add(name)
            left += _following(states[name])
    assert reached == set(states)


_OPERATORS: Mapping[str, Callable[[Any, Any], bool]] = {
    "BooleanEquals": eq,
    "IsPresent": lambda value, wanted: (value is not None) is wanted,
    "NumericEquals": eq,
    "NumericGreaterThan": gt,
    "NumericLessThan": lt,
    "NumericLessThanPath": lt,
    "StringEquals": eq,
}


def _holds(condition: Mapping[str, Any], data: Mapping[str, Any]) -> bool:
    if "And" in condition:
        return all(_holds(one, data) for one in condition["And"])
    if "Or" in condition:
        return any(_holds(one, data) for one in condition["Or"])
    ((operator, wanted),) = [item for item in condition.items() if item[0] not in ("Variable", "Next")]
    value = _at(condition["Variable"], data)
    return _OPERATORS[operator](value, _at(wanted, data) if operator.endswith("Path") else wanted)


def _at(path: str, data: Mapping[str, Any]) -> Any:
    value: Any = data
    for part in path.removeprefix("$.").removesuffix("[0]").split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    if path.endswith("[0]"):
        return value[0] if value else None
    return value


def _chosen(name: str, **data: Any) -> str:
    """Where a state of choice leads."""
    state = _states()[name]
    return next((one["Next"] for one in state["Choices"] if _holds(one, data)), str(state["Default"]))


_PLANNED = {"empty": False, "approvals": [], "unseen": [], "refused": 0, "again": False, "approved_by": ""}


@pytest.mark.parametrize(
    ("planned", "news", "following"),
    [
        ({"empty": True}, "What next?", "As it should be"),
        ({}, "What next?", "Apply"),
        ({"approvals": ["somebody loses a right"]}, "Tell", "Waits for approval"),
        ({"approvals": ["somebody loses a right"], "again": True}, "What next?", "Waits for approval"),
        ({"unseen": ["a database"]}, "Tell", "Apply"),
        ({"refused": 2, "empty": True}, "Tell", "As it should be"),
    ],
)
def test_a_plan_is_told_and_waits_or_is_applied(planned: Mapping[str, Any], news: str, following: str) -> None:
    state = {**_PLANNED, **planned}
    assert _chosen("News?", planned=state) == news
    assert _chosen("What next?", planned=state) == following


@pytest.mark.parametrize(
    ("given", "following"),
    [
        ({}, "Discover"),
        ({"plan": "a"}, "Given plan"),
        ({"plan": "a", "approved_by": "ada"}, "Given plan"),  # who writes a name has proven nothing
        ({"plan": "a", "proof": {"Authorization": "..."}}, "Approved plan"),
        ({"report": "last"}, "Report"),
    ],
)
def test_a_plan_that_is_given_is_applied_and_a_report_written(given: Mapping[str, Any], following: str) -> None:
    assert _chosen("Whose plan?", account="222222222222", region="us-east-1", **given) == following


@pytest.mark.parametrize(
    ("left", "loop", "following"),
    [
        (0, {"round": 19, "left": 5}, "Applied"),
        (4, {"round": 0, "left": 5}, "Again"),
        # What was left before is left still: doing it once more would not help.
        (5, {"round": 1, "left": 5}, "Not all"),
        (4, {"round": 20, "left": 5}, "Not all"),
    ],
)
def test_it_applies_while_less_is_left_each_time(left: int, loop: Mapping[str, int], following: str) -> None:
    assert _chosen("All done?", applied={"left": left}, loop=loop) == following


@pytest.mark.parametrize(
    ("approved_by", "round_", "following"), [("", 0, "Anew"), ("", 20, "Stale"), ("ada", 0, "Stale")]
)
def test_a_stale_plan_is_made_anew_unless_somebody_has_approved_it(
    approved_by: str, round_: int, following: str
) -> None:
    assert _chosen("Plan anew?", planned={"approved_by": approved_by}, loop={"round": round_}) == following


def test_errors_have_the_names_of_their_classes() -> None:
    apply = _states()["Apply"]
    named = {name for key in ("Retry", "Catch") for one in apply[key] for name in one["ErrorEquals"]}
    assert named == {"States.ALL", *(one.__name__ for one in (BusyError, GranaryError, StaleError, UnprovenError))}


def test_a_run_waits_for_another_one_as_long_as_a_lease_stands() -> None:
    busy = next(one for one in _states()["Apply"]["Retry"] if one["ErrorEquals"] == ["BusyError"])
    assert busy["IntervalSeconds"] * busy["MaxAttempts"] > 16 * 60
    assert busy["BackoffRate"] == 1
