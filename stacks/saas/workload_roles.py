"""The factory's own roles in a workload account: what the bootstrap roles do not offer."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import Aws
from aws_cdk import aws_iam as iam
from constructs import Construct

from constructs_lib.common.acknowledge import acknowledge_inline_policy
from constructs_lib.common.grants import allow, grant
from constructs_lib.common.targets import WorkloadTargets
from constructs_lib.saas.container_service import express_infrastructure_role
from lambdas.saas.model.names import DEPLOYMENT_TYPES, SaasNames


class WorkloadRolesStack(cdk.Stack):
    """`<prefix>-workload-roles-<account>`: the role that takes archives before a retirement, and that of Express Mode.

    Deployed once an account, by its administrator and with their credentials: CloudFormation there may not make roles
    for the factory. It is needed before the first `container_service` is deployed there, and before the first
    retirement where a component declares something stateful. Without an account in `env` it is
    `<prefix>-workload-roles`, whose template fits every account, as a StackSet of the organization for example.
    """

    def __init__(
        self,
        scope: Construct,
        *,
        env: cdk.Environment,
        names: SaasNames,
        targets: WorkloadTargets,
        toolchain_account: str,
    ) -> None:
        name = names.workload_roles_stack(env.account or "")
        super().__init__(
            scope,
            name,
            stack_name=name,
            env=env,
            synthesizer=cdk.CliCredentialsStackSynthesizer(qualifier=targets.qualifier),
        )
        lifecycle = f"arn:{Aws.PARTITION}:iam::{toolchain_account}:role/{names.lifecycle_role}"
        self.archive = iam.Role(
            self,
            "Archive",
            role_name=names.archive_role,
            description="Takes archives of what a component holds before it is deleted",
            # The account, and in it the one role: a role that is made anew under its name is the same to this trust.
            assumed_by=iam.PrincipalWithConditions(
                iam.AccountPrincipal(toolchain_account), {"ArnEquals": {"aws:PrincipalArn": lifecycle}}
            ),
        )
        archives = _archives(names.prefix)
        grant(
            self.archive,
            allow(["dynamodb:CreateBackup"], *_tenants("dynamodb", "table/")),
            # Listing backups has no resource.
            allow(["dynamodb:ListBackups"], "*"),
            allow(
                ["rds:CreateDBSnapshot", "rds:CreateDBClusterSnapshot"],
                *_tenants("rds", "db:"),
                *_tenants("rds", "cluster:"),
                *archives,
            ),
            allow(["rds:AddTagsToResource", "rds:DescribeDBClusterSnapshots", "rds:DescribeDBSnapshots"], *archives),
            reason="Names of tenants and of their archives bound what is reached.",
        )
        acknowledge_inline_policy(self.archive)
        self.express = express_infrastructure_role(self, "Express", name=names.express_role)


def _tenants(service: str, kind: str) -> list[str]:
    arn = f"arn:{Aws.PARTITION}:{service}:*:{Aws.ACCOUNT_ID}:{kind}"
    return [f"{arn}{deployment_type}-*" for deployment_type in DEPLOYMENT_TYPES]


def _archives(prefix: str) -> list[str]:
    """ARNs of the snapshots that archives are: `perform` names them."""
    arn = f"arn:{Aws.PARTITION}:rds:*:{Aws.ACCOUNT_ID}"
    return [f"{arn}:snapshot:{prefix}-*", f"{arn}:cluster-snapshot:{prefix}-*"]
