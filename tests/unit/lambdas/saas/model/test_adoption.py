"""What taking over a stack comes to, and who has agreed to it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdas.saas.model.adoption import (
    ANY,
    DIGEST,
    STOPPING,
    Effect,
    StackChanges,
    agreed,
    consent_of,
    effect_of,
    plan_of,
    waits_for,
    why_never,
)
from lambdas.saas.model.next_steps import step_of
from lambdas.saas.model.record import InvalidRow, parse_row
from lambdas.saas.model.status import Phase, Status
from tests.unit.lambdas.saas.strategies import POLICY

# As CloudFormation answers: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-updating-stacks-changesets-samples.html
_RECREATED = {
    "Target": {"Attribute": "Properties", "Name": "TableName", "RequiresRecreation": "Always"},
    "Evaluation": "Static",
    "ChangeSource": "DirectModification",
}
_TAGGED = {"Target": {"Attribute": "Tags", "RequiresRecreation": "Never"}, "Evaluation": "Static"}


def change(action: str, name: str = "Table", *, kind: str = "AWS::DynamoDB::Table", **more: Any) -> dict[str, Any]:
    resource = {"Action": action, "LogicalResourceId": name, "ResourceType": kind, "Scope": [], "Details": [], **more}
    return {"Type": "Resource", "ResourceChange": resource}


ADDED, REMOVED = change("Add"), change("Remove", PhysicalResourceId="orders", PolicyAction="Delete")
TAGGED = change("Modify", Replacement="False", Details=[_TAGGED])
REPLACED = change("Modify", Replacement="True", PolicyAction="ReplaceAndDelete", Details=[_TAGGED, _RECREATED])
PERHAPS = change("Modify", "Service", Replacement="Conditional", kind="AWS::ECS::Service")
STACK = StackChanges(
    name="silo-a-resources",
    stack_id="arn:aws:cloudformation:eu-west-1:222222222222:stack/silo-a-resources/1",
    account="222222222222",
    region="eu-west-1",
    touched="2026-11-29",
    content="c",
)


@pytest.mark.parametrize(
    ("one", "effect"),
    [
        (ADDED, Effect.ADD),
        (change("Import"), Effect.IMPORT),
        (TAGGED, Effect.CHANGE),
        (REPLACED, Effect.REPLACE),
        (REMOVED, Effect.REMOVE),
        (change("Remove", PolicyAction="Retain"), Effect.REMOVE),
        (PERHAPS, Effect.UNTOLD),
        (change("Modify"), Effect.UNTOLD),
        (change("Dynamic"), Effect.UNTOLD),
        (change("SyncWithActual"), Effect.UNTOLD),
        (change("Modify", Replacement="False", kind="AWS::CloudFormation::Stack"), Effect.UNTOLD),
        ({"Type": "SomethingNew"}, Effect.UNTOLD),
    ],
)
def test_what_a_change_does(one: dict[str, Any], effect: Effect) -> None:
    assert effect_of(one) is effect


def test_a_plan_tells_first_what_a_person_has_to_look_at() -> None:
    plan = plan_of([replace(STACK, changes=[ADDED, TAGGED, REPLACED, REMOVED, PERHAPS])], at="2026-11-29")
    assert plan.counts == {"add": 1, "change": 1, "replace": 1, "remove": 1, "cannot be told": 1}
    assert plan.changes[:3] == (
        "replace: Table (AWS::DynamoDB::Table) for TableName, in silo-a-resources, eu-west-1",
        "remove: Table (AWS::DynamoDB::Table), in silo-a-resources, eu-west-1",
        "cannot be told: Service (AWS::ECS::Service), in silo-a-resources, eu-west-1",
    )
    assert plan.stops
    many = plan_of([replace(STACK, changes=[*(change("Add", f"R{index}") for index in range(30)), REMOVED])])
    assert many.changes[0].startswith("remove: ")
    assert (len(many.changes), many.changes[-1]) == (21, "and 11 more")


def test_what_no_change_set_touches_is_taken_over() -> None:
    plan = plan_of([STACK])
    assert (plan.stops, plan.summary) == (False, "no resource is touched")
    assert agreed(ANY, plan)


@pytest.mark.parametrize(
    "other",
    [
        {"touched": "2026-11-30"},
        {"content": "d"},
        {"stack_id": STACK.stack_id.replace("/1", "/2")},
        {"changes": [REPLACED]},
        {"changes": [change("Remove", PhysicalResourceId="orders", PolicyAction="Retain")]},
        {"changes": [change("Remove", PhysicalResourceId="others", PolicyAction="Delete")]},
    ],
    ids=str,
)
def test_consent_is_to_the_very_plan(other: dict[str, Any]) -> None:
    """Given anything else than what was shown, then the digest of that agrees to nothing."""
    shown, now = (
        plan_of([replace(STACK, changes=[REMOVED])]),
        plan_of([replace(STACK, **{"changes": [REMOVED]} | other)]),
    )
    assert agreed(shown.digest, shown)
    assert not agreed(shown.digest, now)


_CHANGES = st.lists(st.sampled_from([ADDED, TAGGED, REPLACED, REMOVED, PERHAPS]), max_size=6)


@given(_CHANGES, _CHANGES, st.randoms())
def test_any_plan(here: list[dict[str, Any]], there: list[dict[str, Any]], random: Any) -> None:
    """Given changes in two places, then true consents to nothing that is taken away, and no order makes a plan."""
    stacks = [replace(STACK, changes=here), replace(STACK, region="us-east-1", stack_id="other", changes=there)]
    plan = plan_of(stacks)
    mixed = [replace(one, changes=random.sample(one.changes, len(one.changes))) for one in reversed(stacks)]
    assert plan_of(mixed) == plan
    stopping = any(effect_of(one) in STOPPING for one in (*here, *there))
    assert agreed(ANY, plan) is not stopping
    assert agreed(plan.digest, plan)
    assert not agreed("", plan)
    assert DIGEST.fullmatch(plan.digest)
    assert sum(plan.counts.values()) == len(here) + len(there)
    assert Status.from_item({"id": "a", "phase": "FAILED", "adoption": vars(plan)}) == Status(
        id="a", phase=Phase.FAILED, adoption=plan
    )


def test_the_reason_says_what_to_write_and_the_next_step_repeats_it() -> None:
    plan = plan_of([replace(STACK, changes=[REPLACED])])
    reason = waits_for("a", ANY, plan, ["stack silo-a-resources in eu-west-1"])
    assert reason.startswith("to take over stack silo-a-resources in eu-west-1 would replace 1 (replace: Table (AWS::")
    assert reason.endswith(f'put "allow_adopt": {{"S": "{plan.digest}"}} into the row')
    step = step_of(Phase.FAILED, deployment_id="a", reason=reason)
    assert step.endswith(f"who agrees to it runs `granary adopt a --digest {plan.digest}`")
    other = waits_for("a", "sha256:0", plan, ["stack x"])
    assert other.startswith("its allow_adopt names sha256:0, and the plan is another one now: ")


@pytest.mark.parametrize(
    ("value", "consent"),
    [(None, ""), (False, ""), (True, ANY), ("sha256:" + "0" * 24, "sha256:" + "0" * 24)],
)
def test_a_row_consents(value: object, consent: str) -> None:
    record = parse_row(_row(allow_adopt=value), POLICY)
    assert not isinstance(record, InvalidRow)
    assert record.allow_adopt == consent
    plain = parse_row(_row(), POLICY)
    assert not isinstance(plain, InvalidRow)
    assert record.digest() == plain.digest()


@pytest.mark.parametrize("value", ["true", "any", "", "sha256:0", "sha256:" + "0" * 25, 1, [], {"BOOL": True}])
def test_no_other_value_consents(value: object) -> None:
    wish = parse_row(_row(allow_adopt=value), POLICY)
    assert isinstance(wish, InvalidRow)
    assert "allow_adopt must be a boolean or the digest of a plan" in wish.reason
    assert consent_of(value) == ""


def _row(**more: Any) -> dict[str, Any]:
    row = {"id": "a", "type": "silo", "account": "222222222222", "region": "eu-west-1", **more}
    return {name: value for name, value in row.items() if value is not None}


@pytest.mark.parametrize(
    ("stack", "policy", "words"),
    [
        ({"StackStatus": "CREATE_COMPLETE"}, False, ""),
        ({"StackStatus": "UPDATE_ROLLBACK_COMPLETE"}, False, ""),
        ({"StackStatus": "DELETE_FAILED"}, False, "is DELETE_FAILED, and takes no update"),
        ({"StackStatus": "UPDATE_IN_PROGRESS"}, False, "is UPDATE_IN_PROGRESS, and takes no update"),
        ({"StackStatus": "REVIEW_IN_PROGRESS"}, False, "is REVIEW_IN_PROGRESS, and takes no update"),
        ({"StackStatus": "CREATE_COMPLETE", "ParentId": "arn:p"}, False, "is nested in another stack"),
        (
            {"StackStatus": "CREATE_COMPLETE", "EnableTerminationProtection": True},
            False,
            "is protected against deletion",
        ),
        ({"StackStatus": "CREATE_COMPLETE"}, True, "has a stack policy"),
    ],
)
def test_what_nobody_can_consent_to(stack: dict[str, Any], policy: bool, words: str) -> None:
    told = why_never(stack, has_policy=policy)
    assert told.startswith(words)
    assert bool(told) is bool(words)
