"""A role of the factory in workload accounts: what is declared of it, and how it is made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import aws_cdk as cdk
from aws_cdk import Aws
from aws_cdk import aws_iam as iam
from constructs import Construct

from constructs_lib.common.acknowledge import (
    acknowledge_inline_policy,
    acknowledge_managed_policy,
    acknowledge_wildcards,
)
from constructs_lib.common.grants import grant
from lambdas.common.names import WORKLOAD_ROLE_PATH

# Those who assume these roles are roles themselves, and get no longer session:
# https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles.html#iam-term-role-chaining
_SESSION = cdk.Duration.hours(1)


@dataclass(frozen=True, kw_only=True)
class WorkloadRole:
    """A role, by what it is for; `reason` says why it may do that.

    `roles` of the toolchain's account assume it, by their exact names, and nobody else does; or an AWS `service`, where
    that says so for a `source` (an ARN pattern) of the role's own account. It may do what `statements` say, or what a
    policy `managed` by AWS does. With `is_boundary` the statements are a policy of the role's name, which roles that it
    makes can have as their permissions boundary; what the role may do `besides`, those may not.

    `path` is none for those that were made before there was one: it cannot be changed.
    """

    purpose: str
    name: str
    description: str
    reason: str
    roles: Sequence[str] = ()
    service: str = ""
    source: str = ""
    statements: Sequence[iam.PolicyStatement] = ()
    managed: str = ""
    besides: Sequence[iam.PolicyStatement] = ()
    is_boundary: bool = False
    path: str | None = WORKLOAD_ROLE_PATH

    def make(self, scope: Construct, *, toolchain_account: str) -> iam.Role:
        """Make the role, and its policy."""
        role = iam.Role(
            scope,
            self.purpose,
            role_name=self.name,
            path=self.path,
            description=self.description,
            max_session_duration=_SESSION,
            assumed_by=self._principal(toolchain_account),
            managed_policies=[iam.ManagedPolicy.from_aws_managed_policy_name(self.managed)] if self.managed else None,
        )
        if self.managed:
            acknowledge_managed_policy(role, self.managed, reason=self.reason)
        elif self.is_boundary:
            policy = iam.ManagedPolicy(
                scope,
                f"{self.purpose}Policy",
                managed_policy_name=self.name,
                path=self.path,
                description=f"{self.description}; and the most that any role may do that it makes",
                statements=self.statements,
                roles=[role],
            )
            acknowledge_wildcards(policy, self.statements, reason=self.reason)
            if self.besides:
                own = iam.ManagedPolicy(
                    scope,
                    f"{self.purpose}Besides",
                    managed_policy_name=f"{self.name}-besides",
                    path=self.path,
                    description=f"{self.description}; and no role that it makes",
                    statements=self.besides,
                    roles=[role],
                )
                acknowledge_wildcards(own, self.besides, reason=self.reason)
        else:
            grant(role, *self.statements, reason=self.reason)
            acknowledge_inline_policy(role)
        return role

    def _principal(self, toolchain_account: str) -> iam.IPrincipal:
        if not self.service:
            # The account, and in it these roles: one that is made anew under its name is the same to this trust.
            arns = [f"arn:{Aws.PARTITION}:iam::{toolchain_account}:role/{name}" for name in self.roles]
            who = {"aws:PrincipalArn": arns if len(arns) > 1 else arns[0]}
            return iam.PrincipalWithConditions(iam.AccountPrincipal(toolchain_account), {"ArnEquals": who})
        service = iam.ServicePrincipal(self.service)
        if not self.source:
            return service
        account = {"aws:SourceAccount": Aws.ACCOUNT_ID}
        return service.with_conditions({"StringEquals": account, "ArnLike": {"aws:SourceArn": self.source}})


def in_account(service: str, resource: str, *, region: str = "*") -> str:
    """ARN, or pattern, of something in the account of the role."""
    return f"arn:{Aws.PARTITION}:{service}:{region}:{Aws.ACCOUNT_ID}:{resource}"
