"""Statements of policies, and roles that get them."""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import Aws
from aws_cdk import aws_iam as iam

from constructs_lib.common.acknowledge import acknowledge_wildcards


def allow(actions: Sequence[str], *resources: str) -> iam.PolicyStatement:
    """A statement that allows actions on resources."""
    return iam.PolicyStatement(actions=list(actions), resources=list(resources))


def pass_role(service: str, *roles: str) -> iam.PolicyStatement:
    """A statement that allows passing roles to one service (`codebuild`)."""
    statement = allow(["iam:PassRole"], *roles)
    statement.add_condition("StringEquals", {"iam:PassedToService": f"{service}.amazonaws.com"})
    return statement


def use_connection(arn: str) -> iam.PolicyStatement:
    """A statement that allows using a connection, by both names of its service."""
    return allow(["codeconnections:UseConnection", "codestar-connections:UseConnection"], arn)


def answer_jobs() -> iam.PolicyStatement:
    """A statement that allows answering jobs of pipelines, and asking whose each is: jobs have no resource."""
    actions = ("GetJobDetails", "PutJobFailureResult", "PutJobSuccessResult")
    return allow([f"codepipeline:{action}" for action in actions], "*")


def grant(role: iam.Role, *statements: iam.PolicyStatement, reason: str) -> None:
    """Add statements to a role's policy; `reason` says why the wildcards in them may stay."""
    for statement in statements:
        role.add_to_policy(statement)
    acknowledge_wildcards(role, statements, reason=reason)


def own_role(name: str) -> str:
    """ARN of a role of the toolchain's account, by its name."""
    return f"arn:{Aws.PARTITION}:iam::{Aws.ACCOUNT_ID}:role/{name}"
