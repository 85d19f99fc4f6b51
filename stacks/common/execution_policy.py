"""What CloudFormation may do in workload accounts, with what a configuration adds to it; pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from stacks.common.policy_parts import parts

# What gives a role rights. IAM knows the boundary for these: that of the request, or that the role has.
# https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsidentityandaccessmanagementiam.html
_CREATE = "iam:CreateRole"
_GIVING = frozenset({_CREATE, "iam:AttachRolePolicy", "iam:PutRolePolicy"})
_KEY = "iam:PermissionsBoundary"


def execution_policy(document: Mapping[str, Any], *, boundary: str, parameters: Sequence[str]) -> dict[str, Any]:
    """The policy (`config/policies/workload-execution.json`) that demands a boundary, and lets parameters be read.

    `boundary` is the name of a policy, or empty; `parameters` are names of parameters that the landing zone publishes.
    """
    statements = bounded(document["Statement"], boundary) if boundary else list(document["Statement"])
    if parameters:
        # CloudFormation resolves a template's parameters as the role that it acts with.
        read = [f"arn:*:ssm:*:*:parameter{name}" for name in sorted(parameters)]
        statements.append({"Sid": "Place", "Effect": "Allow", "Action": "ssm:GetParameters", "Resource": read})
    return {**document, "Statement": statements}


def execution_policies(
    document: Mapping[str, Any], *, boundary: str, parameters: Sequence[str]
) -> list[dict[str, Any]]:
    """The same as managed policies, as many as it takes."""
    return parts(execution_policy(document, boundary=boundary, parameters=parameters)["Statement"])


def bounded(statements: Sequence[Mapping[str, Any]], boundary: str) -> list[Mapping[str, Any]]:
    """The statements, in which whatever gives a role rights does so within a boundary alone.

    Who may make a role may put a standing one within it: roles of before take it on.
    """
    return [one for statement in statements for one in _bounded(statement, boundary)]


def _bounded(statement: Mapping[str, Any], boundary: str) -> Iterator[Mapping[str, Any]]:
    actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
    condition = {name: dict(test) for name, test in statement.get("Condition", {}).items()}
    # What is bounded already, by another policy, is so as a whole.
    giving = actions if _KEY in condition.get("StringLike", {}) else sorted(_GIVING & set(actions))
    if rest := [action for action in actions if action not in giving]:
        yield {**statement, "Action": rest}
    if giving:
        condition.setdefault("StringLike", {})[_KEY] = f"arn:*:iam::*:policy/{boundary}"
        sid = {"Sid": f"{statement['Sid']}Bounded"} if rest and "Sid" in statement else {}
        more = ["iam:PutRolePermissionsBoundary"] if _CREATE in giving else []
        yield {**statement, **sid, "Action": [*giving, *more], "Condition": condition}
