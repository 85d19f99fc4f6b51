"""Asking CloudFormation what a deployment would change, and leaving nothing behind."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import WaiterError

from lambdas.common.cloud_assembly import AssembledStack
from lambdas.common.errors import GranaryError
from lambdas.saas.model.names import ADOPTION_CHANGE_SET, SaasNames
from lambdas.saas.store.change_sets import ChangeSets
from tests.unit.buildspecs.saas.provision.clients import error

STACK = "arn:aws:cloudformation:eu-west-1:222222222222:stack/silo-a-resources/1"
STANDING = {"StackId": STACK, "StackStatus": "CREATE_COMPLETE", "CreationTime": "2026-11-01"}
ROLE = "arn:aws:iam::222222222222:role/granary/granary-adoption"
NAMED = {"StackName": "silo-a-resources", "ChangeSetName": ADOPTION_CHANGE_SET}


@dataclass
class There:
    """The workload account: STS, CloudFormation and S3 in one. `pages` are those of the change set.

    `left` is a change set that a build which died has left; `refused` are operations that IAM denies.
    """

    pages: list[list[dict[str, Any]]] = field(default_factory=lambda: [[{"n": 1}], [{"n": 2}]])
    failure: str = ""
    left: bool = False
    policy: str = ""
    stack_id: str = STACK
    refused: frozenset[str] = frozenset()
    calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    made: bool = field(default=False, init=False)
    meta: Any = field(default_factory=lambda: type("Meta", (), {"endpoint_url": "https://s3.eu-west-1.amazonaws.com"}))

    def _call(self, name: str, request: dict[str, Any]) -> None:
        self.calls.append((name, request))
        if name in self.refused:
            raise error("AccessDenied", f"not authorized to perform: {name}")

    def assume_role(self, **request: Any) -> dict[str, Any]:
        self._call("assume_role", request)
        return {"Credentials": {}}

    def get_stack_policy(self, **request: Any) -> dict[str, Any]:
        self._call("get_stack_policy", request)
        return {"StackPolicyBody": self.policy} if self.policy else {}

    def put_object(self, **request: Any) -> None:
        self._call("put_object", request)

    def delete_object(self, **request: Any) -> None:
        self._call("delete_object", request)

    def create_change_set(self, **request: Any) -> dict[str, Any]:
        self._call("create_change_set", request)
        assert not self.left
        self.made = True
        return {"StackId": self.stack_id}

    def delete_change_set(self, **request: Any) -> None:
        self._call("delete_change_set", request)
        there, self.left, self.made = self.left or self.made, False, False
        if not there:
            raise error("ChangeSetNotFound")

    def get_waiter(self, _name: str) -> There:
        return self

    def wait(self, **_request: Any) -> None:
        if self.failure:
            last: Any = {"Status": "FAILED", "StatusReason": self.failure}
            raise WaiterError(name="ChangeSetCreateComplete", reason="failed", last_response=last)

    def get_paginator(self, _name: str) -> There:
        return self

    def paginate(self, **_request: Any) -> Iterator[dict[str, Any]]:
        return iter([{"Changes": page} for page in self.pages])

    def of(self, name: str) -> list[dict[str, Any]]:
        return [request for called, request in self.calls if called == name]


@pytest.fixture
def stack(tmp_path: Path) -> AssembledStack:
    template = tmp_path / "t.json"
    template.write_text('{"Resources": {}}', encoding="utf-8")
    return AssembledStack(
        key="a",
        after=frozenset(),
        name="silo-a-resources",
        account="222222222222",
        region="eu-west-1",
        template=template,
        tags={"granary:factory": "f"},
        parameters={"Size": "1"},
    )


def asking(there: There) -> ChangeSets:
    return ChangeSets(
        sts=there,
        names=SaasNames(prefix="granary"),
        qualifier="granary",
        roles_advice=lambda account: f"make the roles of {account}",
        session_name="granary-provisioning",
        make_client=lambda *_, **__: there,
    )


def test_it_is_made_as_the_pipeline_makes_it_and_deleted(stack: AssembledStack) -> None:
    there = There(left=True)
    found = asking(there).changes(stack, STANDING)
    assert [change["n"] for change in found.changes] == [1, 2]
    assert (found.stack_id, found.touched, found.content) == (STACK, "2026-11-01", stack.content())
    (request,) = there.of("create_change_set")
    assert request == {
        **NAMED,
        "ChangeSetType": "UPDATE",
        "TemplateURL": "https://s3.eu-west-1.amazonaws.com/cdk-granary-assets-222222222222-eu-west-1/"
        "adoption/silo-a-resources.json",
        "Capabilities": ("CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"),
        "RoleARN": "arn:aws:iam::222222222222:role/granary/cdk-granary-cfn-exec-role-222222222222-eu-west-1",
        "Tags": [{"Key": "granary:factory", "Value": "f"}],
        "Parameters": [{"ParameterKey": "Size", "ParameterValue": "1"}],
    }
    assert there.of("delete_change_set") == [NAMED, NAMED]
    assert (there.made, len(there.of("delete_object"))) == (False, 1)


def test_the_session_reaches_this_stack_alone(stack: AssembledStack) -> None:
    there = There()
    asking(there).changes(stack, STANDING)
    (request,) = there.of("assume_role")
    assert request["RoleArn"] == ROLE
    (statement,) = json.loads(request["Policy"])["Statement"]
    assert "arn:aws:cloudformation:eu-west-1:222222222222:stack/silo-a-resources/*" in statement["Resource"]
    assert not {"cloudformation:ExecuteChangeSet", "cloudformation:DeleteStack"} & set(statement["Action"])


@pytest.mark.parametrize(
    "words",
    ["The submitted information didn't contain changes. Submit", "No updates are to be performed."],
)
def test_a_change_set_that_is_empty_is_a_plan(stack: AssembledStack, words: str) -> None:
    there = There(failure=words)
    assert asking(there).changes(stack, STANDING).changes == []
    assert not there.made


def test_one_that_cannot_be_made_is_told_and_deleted(stack: AssembledStack) -> None:
    there = There(failure="No export named other:Vpc found")
    with pytest.raises(GranaryError, match="makes no change set: No export named other:Vpc found"):
        asking(there).changes(stack, STANDING)
    assert (there.made, len(there.of("delete_object"))) == (False, 1)


def test_a_stack_that_was_made_anew_meanwhile_is_another_one(stack: AssembledStack) -> None:
    there = There(stack_id="arn:another")
    with pytest.raises(GranaryError, match="made anew meanwhile"):
        asking(there).changes(stack, STANDING)
    assert not there.made


@pytest.mark.parametrize("denied", ["get_stack_policy", "put_object", "create_change_set"])
def test_what_is_denied_is_told(stack: AssembledStack, denied: str) -> None:
    there = There(refused=frozenset({denied}))
    with pytest.raises(GranaryError, match=f"what would change of stack silo-a-resources in account.*: {denied}"):
        asking(there).changes(stack, STANDING)
    assert len(there.of("put_object")) - (denied == "put_object") == len(there.of("delete_object"))


def test_a_role_that_is_not_there_is_named_with_what_makes_it(stack: AssembledStack) -> None:
    there = There(refused=frozenset({"assume_role"}))
    with pytest.raises(GranaryError, match=f"{ROLE}, .* cannot be assumed: make the roles of 222222222222"):
        asking(there).changes(stack, STANDING)


@pytest.mark.parametrize(
    ("there", "standing", "words"),
    [
        (There(policy="{}"), STANDING, "has a stack policy"),
        (There(), {**STANDING, "EnableTerminationProtection": True}, "is protected against deletion"),
        (There(), {**STANDING, "StackStatus": "UPDATE_IN_PROGRESS"}, "takes no update"),
    ],
)
def test_of_what_cannot_be_taken_over_no_change_set_is_made(
    stack: AssembledStack, there: There, standing: dict[str, Any], words: str
) -> None:
    with pytest.raises(GranaryError, match=words):
        asking(there).changes(stack, standing)
    assert there.of("create_change_set") == there.of("put_object") == []
