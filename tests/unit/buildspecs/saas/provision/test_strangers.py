"""Whose the stacks are that bear a new tenant's name."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from buildspecs.saas.provision.strangers import Strangers
from lambdas.common.cross_account import LookupRoles
from lambdas.saas.model.names import SaasNames
from lambdas.saas.model.record import DeploymentRecord
from tests.unit.buildspecs.saas.provision.clients import RECORD, error

PIPELINE, COMPONENT = "silo-a-pipeline", "silo-a-resources"
OURS, THEIRS = "arn:aws:iam::111111111111:role/granary-tenant-pipeline", "arn:aws:iam::111111111111:role/others"

FACTORY = "granary/111111111111/us-east-1"


def tagged(prefix: str) -> dict[str, Any]:
    return {"Tags": [{"Key": "granary:factory", "Value": prefix}]}


@dataclass
class Account:
    """Stacks by name, and the role of the one pipeline, if there is one."""

    stacks: dict[str, dict[str, Any]] = field(default_factory=dict)
    role: str = ""

    def describe_stacks(self, StackName: str) -> dict[str, Any]:
        if StackName not in self.stacks:
            raise error("ValidationError", f"Stack with id {StackName} does not exist")
        return {"Stacks": [{"StackStatus": "CREATE_COMPLETE", **self.stacks[StackName]}]}

    def get_pipeline(self, name: str) -> dict[str, Any]:
        if not self.role:
            raise error("PipelineNotFoundException")
        return {"pipeline": {"name": name, "roleArn": self.role}}


class Tokens:
    """STS, which lets anybody assume anything."""

    def assume_role(self, **_request: Any) -> dict[str, Any]:
        return {"Credentials": {}}


def refused(
    toolchain: Account, workload: Account | None = None, record: DeploymentRecord = RECORD, *, moving: bool = False
) -> str:
    there = workload or Account()
    lookup = LookupRoles(sts=Tokens(), qualifier="granary", make_client=lambda *_, **__: there)
    names = SaasNames(prefix="granary")
    strangers = Strangers(factory=FACTORY, names=names, own=lambda _service: toolchain, lookup=lookup)
    return strangers.refusals([record], [record.id] if moving else ()).get(record.id, "")


def test_where_nothing_stands_nothing_is_refused() -> None:
    assert refused(Account()) == ""
    failed = {"StackStatus": "ROLLBACK_COMPLETE"}
    assert refused(Account(stacks={PIPELINE: failed}), Account(stacks={COMPONENT: failed})) == ""


@pytest.mark.parametrize(
    ("stack", "role"),
    [(tagged("granary"), ""), (tagged("granary"), THEIRS), ({}, OURS)],
    ids=["its creation goes on", "the tag decides", "deployed before there were tags"],
)
def test_what_this_factory_has_begun_is_gone_on_with(stack: dict[str, Any], role: str) -> None:
    """Given a stack of ours that no status knows, its component too, then a build that died is repeated."""
    toolchain = Account(stacks={PIPELINE: stack}, role=role)
    assert refused(toolchain, Account(stacks={COMPONENT: {}})) == ""


@pytest.mark.parametrize(
    ("stack", "role"),
    [(tagged("staging"), OURS), ({}, THEIRS), ({}, "")],
    ids=["of another factory", "a pipeline of another role", "no pipeline"],
)
def test_a_pipeline_stack_of_somebody_else_is_not_deployed_over(stack: dict[str, Any], role: str) -> None:
    reason = refused(Account(stacks={PIPELINE: stack}, role=role))
    assert reason.startswith("stack silo-a-pipeline stands in the toolchain's account already, and is not of this")
    assert reason.endswith("delete that stack if nobody needs it, or give the tenant another id")


def test_a_component_stack_of_somebody_else_is_not_deployed_over() -> None:
    """Given a stack of the component's name where the tenant shall go, and no pipeline of ours that made it."""
    reason = refused(Account(), Account(stacks={COMPONENT: {}}))
    assert reason.startswith("stack silo-a-resources stands in account 222222222222 in eu-west-1 already")


def test_a_component_whose_status_and_pipeline_were_deleted_is_known_by_its_tag() -> None:
    assert refused(Account(), Account(stacks={COMPONENT: tagged(FACTORY)})) == ""
    reason = refused(Account(), Account(stacks={COMPONENT: tagged("granary/333333333333/us-east-1")}))
    assert reason.endswith("is of another factory (granary/333333333333/us-east-1): give the tenant another id")


def test_what_may_be_the_tenants_own_component_is_not_to_be_deleted() -> None:
    """Given a component of before there were tags, then the reason says how to tell that, and not to delete it."""
    reason = refused(Account(), Account(stacks={COMPONENT: {}}))
    assert f"give the stack the tag granary:factory={FACTORY}; if the tenant is to take it over, add" in reason
    assert reason.endswith('"allow_adopt": {"BOOL": true} to the row; otherwise give the tenant another id')
    assert "delete that stack" not in reason


def test_an_account_that_cannot_be_asked_refuses_its_own_tenants_only() -> None:
    class Silent(Account):
        def describe_stacks(self, StackName: str) -> dict[str, Any]:
            raise error("AccessDenied", "not authorized to perform: cloudformation:DescribeStacks")

    reason = refused(Account(), Silent())
    assert reason.startswith("whether the names of its stacks are free cannot be told: ")
    assert "cloudformation:DescribeStacks" in reason


def test_either_place_may_hold_somebody_elses_stack() -> None:
    other = Account(stacks={COMPONENT: tagged("other/111111111111/us-east-1")})
    both = refused(Account(), other, replace(RECORD, standby_region="us-east-1"))
    assert [place in both for place in (f"in {RECORD.region} already", "in us-east-1 already")] == [True, True]


@pytest.mark.parametrize("moving", [False, True])
def test_where_a_tenant_moves_to_or_gets_a_standby_its_own_pipeline_has_deployed_nothing(moving: bool) -> None:
    """Given a pipeline of this factory and a stack of another in the new place, then that is not deployed over."""
    ours, other = Account(stacks={PIPELINE: tagged("granary")}), Account(stacks={COMPONENT: tagged("other/1/r")})
    assert ("is of another factory" in refused(ours, other, moving=moving)) is moving
    assert refused(ours, Account(stacks={COMPONENT: tagged(FACTORY)}), moving=moving) == ""
