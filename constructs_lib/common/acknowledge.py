"""Acknowledging findings of cdk-nag where they arise: at the construct, each with the reason why it may stay."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from constructs import IConstruct

_WILDCARD_RULE = "AwsSolutions-IAM5"
_MANAGED_POLICY_RULE = "AwsSolutions-IAM4"


def acknowledge(construct: IConstruct, *rules: str, reason: str) -> None:
    """Acknowledge rules, by their names (`AwsSolutions-L1`), on a construct and what it contains."""
    cdk.Validations.of(construct).acknowledge(
        *(cdk.Acknowledgment(id=_qualified(rule), reason=reason) for rule in rules)
    )


def acknowledge_wildcards(owner: IConstruct, statements: Sequence[iam.PolicyStatement], *, reason: str) -> None:
    """Acknowledge every action and resource with a wildcard that statements of a role's policy, or a policy, allow."""
    stack = cdk.Stack.of(owner)
    allowed = [statement for statement in statements if statement.effect == iam.Effect.ALLOW]
    actions = {f"Action::{action}" for statement in allowed for action in statement.actions}
    resources = {
        f"Resource::{_flat(stack.resolve(resource))}" for statement in allowed for resource in statement.resources
    }
    found = sorted(finding for finding in actions | resources if "*" in finding)
    acknowledge(owner, *(f"{_WILDCARD_RULE}[{finding}]" for finding in found), reason=reason)


def acknowledge_actions(role: iam.IRole, *actions: str, reason: str) -> None:
    """Acknowledge actions with a wildcard that the library grants to a role."""
    acknowledge(role, *(f"{_WILDCARD_RULE}[Action::{action}]" for action in actions), reason=reason)


def acknowledge_key_use(role: iam.IRole) -> None:
    """Acknowledge what `key.grant_encrypt_decrypt(role)` allows, on that key only."""
    acknowledge_actions(
        role,
        "kms:GenerateDataKey*",
        "kms:ReEncrypt*",
        reason="The actions that make up the use of a key, as KMS documents them; on the factory's own keys only.",
    )


def acknowledge_inline_policy(role: iam.IRole) -> None:
    """Acknowledge that a role's policy is inline."""
    acknowledge(
        role,
        "NIST.800.53.R5-IAMNoInlinePolicy",
        reason="The policy is this role's alone; inline, it cannot be attached to another and goes when the role goes.",
    )


def acknowledge_managed_policy(role: iam.IRole, policy: str, *, reason: str) -> None:
    """Acknowledge a policy that AWS manages, by its path (`service-role/X`)."""
    arn = f"arn:<AWS::Partition>:iam::aws:policy/{policy}"
    acknowledge(role, f"{_MANAGED_POLICY_RULE}[Policy::{arn}]", reason=reason)


def _qualified(rule: str) -> str:
    """A rule's id with its pack in front; without the pack the report keeps no trace of the acknowledgement."""
    return f"{rule.split('-', 1)[0]}::{rule}"


def _flat(value: Any) -> str:
    """A resolved ARN as cdk-nag writes it in a finding: `<LogicalId.Arn>/*`."""
    if isinstance(value, str):
        return value
    if "Ref" in value:
        return f"<{value['Ref']}>"
    if "Fn::GetAtt" in value:
        return f"<{'.'.join(value['Fn::GetAtt'])}>"
    if "Fn::Join" in value:
        delimiter, parts = value["Fn::Join"]
        return str(delimiter).join(_flat(part) for part in parts)
    raise ValueError(f"cannot tell how cdk-nag writes {value}: use Ref, Fn::GetAtt or Fn::Join in the statement")
