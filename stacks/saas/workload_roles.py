"""The room `saas` in workload accounts: archives before a retirement, tasks, and what the component needs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from component import SPEC
from constructs_lib.common.grants import allow, pass_role
from constructs_lib.common.start_build import start_builds
from constructs_lib.common.workload_role import WorkloadRole, in_account
from lambdas.common.names import WORKLOAD_ROLE_PATH
from lambdas.saas.model.names import DEPLOYMENT_TYPES, SaasNames
from lambdas.saas.model.tasks import BUILD_VARIABLES
from stacks.foundation import Foundation


def saas_roles(foundation: Foundation) -> Sequence[WorkloadRole]:
    """Its roles: the first retirement where a component declares something stateful needs one, and the zone its own."""
    names = SaasNames(prefix=foundation.names.prefix)
    # The snapshots that archives are: `perform` names them.
    archives = [in_account("rds", f"{kind}:{names.prefix}-*") for kind in ("snapshot", "cluster-snapshot")]
    return (
        WorkloadRole(
            purpose="Archive",
            name=names.archive_role,
            description="Takes archives of what a component holds before it is deleted",
            path=None,
            roles=[names.lifecycle_role],
            statements=[
                allow(["dynamodb:CreateBackup"], *_tenants("dynamodb", "table/")),
                # Listing backups has no resource.
                allow(["dynamodb:ListBackups"], "*"),
                allow(
                    ["rds:CreateDBSnapshot", "rds:CreateDBClusterSnapshot"],
                    *_tenants("rds", "db:"),
                    *_tenants("rds", "cluster:"),
                    *archives,
                ),
                allow(
                    ["rds:AddTagsToResource", "rds:DescribeDBClusterSnapshots", "rds:DescribeDBSnapshots"], *archives
                ),
            ],
            reason="Names of tenants and of their archives bound what is reached.",
        ),
        WorkloadRole(
            purpose="TaskRunner",
            name=names.task_runner_role,
            description="Runs what components declare before and after their deployments",
            roles=[names.tasks_role],
            statements=[
                allow(["cloudformation:DescribeStacks"], *_tenants("cloudformation", "stack/")),
                allow(["ecs:RunTask"], *_tenants("ecs", "task-definition/")),
                # Those of a cluster of the tenant's own.
                allow(["ecs:DescribeTasks", "ecs:StopTask"], *_tenants("ecs", "task/")),
                allow(["lambda:InvokeFunction"], *_tenants("lambda", "function:")),
                allow(["codebuild:BatchGetBuilds", "codebuild:StopBuild"], *_tenants("codebuild", "project/")),
                *(start_builds(one, variables=BUILD_VARIABLES) for one in _tenants("codebuild", "project/")),
                pass_role(
                    "ecs-tasks",
                    *(in_account("iam", f"role{WORKLOAD_ROLE_PATH}{one}-*", region="") for one in DEPLOYMENT_TYPES),
                ),
            ],
            reason="Names of tenants bound what is reached, and each session is narrowed to one tenant.",
        ),
        # Below no path: what the components' CloudFormation makes is below one, and takes no name of these.
        *(replace(make(f"{names.prefix}-{purpose}"), path=None) for purpose, make in SPEC.workload_roles.items()),
    )


def _tenants(service: str, kind: str) -> list[str]:
    return [in_account(service, f"{kind}{deployment_type}-*") for deployment_type in DEPLOYMENT_TYPES]
