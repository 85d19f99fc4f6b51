"""The stack that governs the lakes: who may do what, what starts a run, and what a run may never keep to itself."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from operator import eq, gt, lt
from typing import Any

import pytest

from config.loader import CONFIG_DIR, load
from constructs_lib.lake.governance_states import GovernanceStates
from lambdas.common.errors import GranaryError
from lambdas.common.names import Names
from lambdas.lake.model.governance.plan import StaleError
from lambdas.lake.model.governance.policy import Policy
from lambdas.lake.store.plans import BusyError
from stacks.foundation import Foundation
from stacks.workload_roles import CATALOGUE
from tests.synth.assembly import Template, as_list, flat
from tests.synth.configurations import TOOLCHAIN_ACCOUNT, WORKLOAD_ACCOUNTS
from tests.synth.iam import Toolchain
from tests.synth.test_functions import functions

_LAKE = WORKLOAD_ACCOUNTS[0]
_DISCOVER, _APPLY = "granary-lake-discover", "granary-lake-apply"
_PLANS = f"arn:aws:s3:::granary-lake-plans-{TOOLCHAIN_ACCOUNT}-us-east-1"
_States = Mapping[str, Mapping[str, Any]]


@pytest.fixture(scope="module")
def template(templates_of: Callable[[str], list[Template]]) -> Template:
    (found,) = templates_of("lake-governance")
    return found


@pytest.fixture(scope="module")
def roles(template: Template) -> Toolchain:
    return Toolchain(template=template)


def _role(account: str, purpose: str) -> str:
    return f"arn:aws:iam::{account}:role/granary/granary-lake-{purpose}"


@pytest.mark.parametrize(
    ("role", "action", "on", "may"),
    [
        (_DISCOVER, "sts:AssumeRole", _role(_LAKE, "catalog-read"), True),
        (_DISCOVER, "sts:AssumeRole", _role(_LAKE, "catalog-admin"), False),
        (_DISCOVER, "sts:AssumeRole", _role(_LAKE, "deploy"), False),
        (_DISCOVER, "sts:AssumeRole", _role("333333333333", "catalog-read"), False),
        (_APPLY, "sts:AssumeRole", _role(_LAKE, "catalog-read"), True),
        (_APPLY, "sts:AssumeRole", _role(_LAKE, "catalog-admin"), True),
        (_APPLY, "sts:AssumeRole", _role("333333333333", "catalog-admin"), False),
        (_APPLY, "s3:PutObject", f"{_PLANS}/plans/{_LAKE}/eu-west-1/a.json", True),
        (_APPLY, "s3:PutObject", f"{_PLANS}/other", False),
        (_APPLY, "s3:DeleteObject", f"{_PLANS}/plans/{_LAKE}/eu-west-1/a.json", False),
        (_DISCOVER, "states:StartExecution", "arn:aws:states:us-east-1:111111111111:stateMachine:any", False),
        (_DISCOVER, "lakeformation:GrantPermissions", "*", False),
    ],
)
def test_a_function_may_do_its_own_work_and_no_more(
    roles: Toolchain, role: str, action: str, on: str, may: bool
) -> None:
    assert roles.allows(role, action, on) is may


def test_the_names_are_those_that_the_lakes_accounts_trust(roles: Toolchain) -> None:
    foundation = Foundation.of(load(CONFIG_DIR / "examples" / "all"))
    trusted = {one for role in CATALOGUE["lake"](foundation) if "catalog" in role.name for one in role.roles}
    assert trusted == {_DISCOVER, _APPLY}
    for name in trusted:
        roles.role(name)


def test_the_function_that_writes_notices_may_reach_nothing(roles: Toolchain, template: Template) -> None:
    (tell,) = [name for name, _ in template.resources("AWS::IAM::Role") if "Tell" in name]
    for action in ("sts:AssumeRole", "dynamodb:GetItem", "s3:GetObject"):
        assert not roles.allows(tell, action, "*")


def test_functions_get_the_settings_that_they_ask_for_and_the_file(template: Template) -> None:
    found = {function["FunctionName"]: (package, function) for package, function in functions([template])}
    assert set(found) == {_DISCOVER, _APPLY, "granary-lake-tell"}
    for name in (_DISCOVER, _APPLY):
        package, function = found[name]
        assert set(function["Environment"]["Variables"]) == {"GOVERNANCE_TABLE", "PLANS_BUCKET"}
        # The lease of a run is as long, and not much longer.
        assert function["Timeout"] == 900
        policy = Policy.from_json((package / "documents" / "permissions.json").read_text(encoding="utf-8"))
        # By the file, and by the schema of a dataset.
        assert policy.prefix == "granary"
        assert policy.classes_of("granary_lake_dev_conformed", "green_trips", "pickup_location_id") == ("location",)
        assert policy.classes_of("granary_lake_dev_purpose_built", "trips_by_payment", "pickup_location_id") == (
            "location",
        )
        assert "location" in policy.classes_of("granary_lake_prod_conformed", "green_trips_quarantine", "row")
        assert policy.classes_of("granary_lake_dev_conformed", "green_trips", "fare_amount") == ()
    assert set(found["granary-lake-tell"][1]["Environment"]["Variables"]) == {"PLANS_BUCKET"}


def test_each_environment_runs_hourly_and_when_its_lake_has_changed(template: Template) -> None:
    environments = {"dev": "us-east-1", "prod": "eu-west-1"}
    rules = [rule["Properties"] for _, rule in template.resources("AWS::Events::Rule")]
    hourly = {one["Targets"][0]["Input"] for one in rules if one.get("ScheduleExpression") == "rate(1 hour)"}
    wanted = {name: json.dumps({"account": _LAKE, "region": region}) for name, region in environments.items()}
    assert {json.dumps(json.loads(one)) for one in hourly} == set(wanted.values())
    changed = {
        one["EventPattern"]["detail"]["environment"][0]: json.dumps(json.loads(one["Targets"][0]["Input"]))
        for one in rules
        if one.get("EventPattern", {}).get("detail-type") == ["Lake Changed"]
        and one["EventBusName"].endswith(Names(prefix="granary").event_bus)
    }
    assert changed == wanted
    assert len(rules) == 4
    assert all(one["Targets"][0]["DeadLetterConfig"] for one in rules)


def test_rules_act_by_a_role_that_trusts_them_and_no_others(roles: Toolchain, template: Template) -> None:
    (role,) = [name for name, _ in template.resources("AWS::IAM::Role") if "EventRole" in name]
    place = f"arn:aws:events:us-east-1:{TOOLCHAIN_ACCOUNT}:rule"
    for _, rule in template.resources("AWS::Events::Rule"):
        name = rule["Properties"]["Name"]
        assert rule["Properties"]["Targets"][0]["RoleArn"] == {"Fn::GetAtt": [role, "Arn"]}
        for arn in (f"{place}/{name}", f"{place}/granary-lifecycle/{name}"):
            assert roles.trusts(role, "events.amazonaws.com", arn)
    assert not roles.trusts(role, "events.amazonaws.com", f"{place}/granary-lake-other")


def test_rules_may_start_the_machine_alone(template: Template) -> None:
    ((machine, _),) = template.resources("AWS::StepFunctions::StateMachine")
    starts = [
        flat(one["Resource"])
        for _, policy in template.resources("AWS::IAM::Policy")
        for one in policy["Properties"]["PolicyDocument"]["Statement"]
        if "states:StartExecution" in as_list(one["Action"])
    ]
    assert starts == [f"${{{machine}}}"]


def test_the_template_has_the_definition(template: Template) -> None:
    ((_, machine),) = template.resources("AWS::StepFunctions::StateMachine")
    assert set(json.loads(flat(machine["Properties"]["DefinitionString"]))["States"]) == set(_states())


# The definition


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
    [({}, "Discover"), ({"plan": "a"}, "Given plan"), ({"plan": "a", "approved_by": "ada"}, "Approved plan")],
)
def test_a_plan_that_is_given_is_applied(given: Mapping[str, Any], following: str) -> None:
    assert _chosen("Whose plan?", account=_LAKE, region="us-east-1", **given) == following


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
    assert named == {"States.ALL", *(one.__name__ for one in (BusyError, GranaryError, StaleError))}


def test_a_run_waits_for_another_one_as_long_as_a_lease_stands() -> None:
    busy = next(one for one in _states()["Apply"]["Retry"] if one["ErrorEquals"] == ["BusyError"])
    assert busy["IntervalSeconds"] * busy["MaxAttempts"] > 16 * 60
    assert busy["BackoffRate"] == 1
