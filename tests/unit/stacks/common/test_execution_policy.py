"""The execution policy of workload accounts, as a configuration wants it published."""

from __future__ import annotations

import json
from typing import Any

import pytest

from config.loader import CONFIG_DIR
from stacks.common.execution_policy import execution_policy
from tests.synth.assembly import as_list

FILE: dict[str, Any] = json.loads((CONFIG_DIR / "policies" / "workload-execution.json").read_text(encoding="utf-8"))
BOUNDARY = "corporate/boundary"
# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html, less what ours keep free a statement
LIMIT = 6144
FREE = 40


def granting(policy: dict[str, Any], action: str) -> list[dict[str, Any]]:
    return [one for one in policy["Statement"] if action in one["Action"]]


@pytest.fixture
def policy() -> dict[str, Any]:
    return execution_policy(FILE, boundary=BOUNDARY, parameters=["/landing/vpc", "/landing/subnets"])


def test_without_anything_to_say_it_is_the_file() -> None:
    assert execution_policy(FILE, boundary="", parameters=()) == FILE


@pytest.mark.parametrize("action", ["iam:CreateRole", "iam:AttachRolePolicy", "iam:PutRolePermissionsBoundary"])
def test_roles_get_rights_within_the_boundary_alone(policy: dict[str, Any], action: str) -> None:
    found = granting(policy, action)
    assert found
    for statement in found:
        assert statement["Condition"]["StringLike"] == {"iam:PermissionsBoundary": f"arn:*:iam::*:policy/{BOUNDARY}"}
        assert statement["Resource"] == ["arn:*:iam::*:role/granary/pool-*", "arn:*:iam::*:role/granary/silo-*"]


def test_nothing_else_that_was_allowed_is_lost_or_gained(policy: dict[str, Any]) -> None:
    def actions(document: dict[str, Any]) -> set[str]:
        return {action for one in document["Statement"] for action in as_list(one["Action"])}

    assert actions(policy) == actions(FILE) | {"iam:PutRolePermissionsBoundary"}
    assert not granting(policy, "iam:DeleteRolePermissionsBoundary")
    (attaches,) = granting(policy, "iam:AttachRolePolicy")
    (before,) = granting(FILE, "iam:AttachRolePolicy")
    assert attaches["Condition"]["ArnLike"] == before["Condition"]["ArnLike"]


def test_roles_of_before_can_still_go(policy: dict[str, Any]) -> None:
    for action in ("iam:DeleteRole", "iam:DetachRolePolicy"):
        assert all("iam:PermissionsBoundary" not in json.dumps(one) for one in granting(policy, action))


def test_it_reads_what_is_published_and_nothing_else(policy: dict[str, Any]) -> None:
    before, added = ([one["Resource"] for one in granting(it, "ssm:GetParameters")] for it in (FILE, policy))
    assert added == [*before, ["arn:*:ssm:*:*:parameter/landing/subnets", "arn:*:ssm:*:*:parameter/landing/vpc"]]


def test_it_fits_and_its_statements_have_names_of_their_own(policy: dict[str, Any]) -> None:
    sids = [one["Sid"] for one in policy["Statement"]]
    assert len(set(sids)) == len(sids)
    assert len(json.dumps(policy, separators=(",", ":"))) < LIMIT - FREE * len(sids)
