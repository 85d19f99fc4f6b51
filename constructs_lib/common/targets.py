"""The workload accounts as policies see them: who may be deployed to, and which of their roles come back to us."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import aws_cdk as cdk
from aws_cdk import Aws
from aws_cdk import aws_iam as iam

from lambdas.common.names import COMPONENT_ASSETS, WORKLOAD_ROLE_PATH, Names, bootstrap_role


@dataclass(frozen=True, kw_only=True)
class WorkloadTargets:
    """Accounts (or the organization, or paths in it) and Regions that components may go to, and the qualifier there.

    `rooms` are those whose own pipelines deploy there.
    """

    accounts: Sequence[str]
    organization_id: str | None
    regions: Sequence[str]
    qualifier: str
    rooms: Sequence[str] = ()
    organization_paths: Sequence[str] = ()

    def bootstrap_role_arns(self, kind: str) -> list[str]:
        """ARNs (with a wildcard for the Region) of a bootstrap role: `deploy`, `lookup`, `cfn-exec`."""
        return [
            f"arn:{Aws.PARTITION}:iam::{account}:role/"
            + bootstrap_role(kind, qualifier=self.qualifier, account=account, region="*")
            for account in (self.accounts or ("*",))
        ]

    def assume_statement(self, kind: str) -> iam.PolicyStatement:
        """Allow assuming a bootstrap role of the workload accounts, and of no other account."""
        return self._assume(self.bootstrap_role_arns(kind))

    def assume_named(self, role: str) -> iam.PolicyStatement:
        """Allow assuming the role of a name in the workload accounts, and in no other account."""
        return self._assume([f"arn:{Aws.PARTITION}:iam::{account}:role/{role}" for account in self.accounts or ("*",)])

    def _assume(self, roles: Sequence[str]) -> iam.PolicyStatement:
        """An organization has the account that this is deployed in, too: its roles deploy as administrator."""
        statement = iam.PolicyStatement(actions=["sts:AssumeRole"], resources=list(roles))
        statement.add_conditions(self._members("Resource"))
        return statement

    def _members(self, whose: str) -> dict[str, dict[str, Any]]:
        """Conditions that hold for members of the organization, this account aside; none where accounts are listed.

        `whose`: the `Principal` that asks, or the `Resource` that is asked for. An account of no organization has no
        path, of which any could match.
        """
        if not (self.organization_id or self.organization_paths):
            return {}
        within: dict[str, dict[str, Any]] = (
            {"ForAnyValue:StringLike": {f"aws:{whose}OrgPaths": list(self.organization_paths)}}
            if self.organization_paths
            else {"StringEquals": {f"aws:{whose}OrgID": self.organization_id}}
        )
        return within | {"StringNotEquals": {f"aws:{whose}Account": Aws.ACCOUNT_ID}}

    def deploy_role_arn(self, names: Names, room: str) -> str:
        """ARN, with a wildcard for the account, of the role that a room's pipelines deploy with."""
        return f"arn:{Aws.PARTITION}:iam::*:role{WORKLOAD_ROLE_PATH}{names.room_role(room, 'deploy')}"

    def artifact_reader(
        self, *, actions: Sequence[str], resources: Sequence[str], roles: Sequence[str] = ()
    ) -> iam.PolicyStatement:
        """Resource policy statement for the roles with which tenants' pipelines deploy into the workload accounts.

        CloudFormation reads the template from the artifact bucket as the deploy role of the target account. `roles` are
        other ARNs; only those of workload accounts count.
        """
        arns = {"aws:PrincipalArn": list(roles) or self.bootstrap_role_arns("deploy")}
        own = self._members("Principal")
        accounts = [iam.AccountPrincipal(account) for account in self.accounts]
        return iam.PolicyStatement(
            principals=[iam.AnyPrincipal()] if own else accounts,
            actions=list(actions),
            resources=list(resources),
            conditions={"ArnLike": arns, **own},
        )


def workload_synthesizer(qualifier: str) -> cdk.DefaultStackSynthesizer:
    """How a stack in a workload account is deployed: with the roles of the bootstrap stack there, below their path."""

    def role(kind: str) -> str:
        name = bootstrap_role(kind, qualifier=qualifier, account="${AWS::AccountId}", region="${AWS::Region}")
        return f"arn:${{AWS::Partition}}:iam::${{AWS::AccountId}}:role/{name}"

    return cdk.DefaultStackSynthesizer(
        qualifier=qualifier,
        bucket_prefix=COMPONENT_ASSETS,
        cloud_formation_execution_role=role("cfn-exec"),
        deploy_role_arn=role("deploy"),
        file_asset_publishing_role_arn=role("file-publishing"),
        image_asset_publishing_role_arn=role("image-publishing"),
        lookup_role_arn=role("lookup"),
    )
