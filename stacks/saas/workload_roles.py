"""The room `saas` in workload accounts: archives, a look at what is taken over, tasks, and what the component needs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from aws_cdk import Aws
from aws_cdk import aws_iam as iam

from component import SPEC
from constructs_lib.common.grants import allow, pass_role
from constructs_lib.common.start_build import start_builds
from constructs_lib.common.workload_role import WorkloadRole, in_account
from lambdas.common.names import DEPLOYMENT_TAG, FACTORY_TAG, WORKLOAD_ROLE_PATH, bootstrap_role
from lambdas.saas.model.names import ADOPTION_CHANGE_SET, ADOPTION_FOLDER, DEPLOYMENT_TYPES, SaasNames, pipeline_name
from lambdas.saas.model.tasks import BUILD_VARIABLES
from stacks.foundation import Foundation


def saas_roles(foundation: Foundation) -> Sequence[WorkloadRole]:
    """Its roles: the first retirement where a component declares something stateful needs one, the first tenant that
    takes over a stack another, and the zone its own."""
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
        _adoption(names, foundation.targets.qualifier),
        WorkloadRole(
            purpose="TaskRunner",
            name=names.task_runner_role,
            description="Runs what components declare before and after their deployments",
            roles=[names.tasks_role],
            statements=[
                allow(["cloudformation:DescribeStacks"], *_tenants("cloudformation", "stack/")),
                _runs_tasks(),
                # Those of a cluster of the tenant's own: the tasks of others have no name of it.
                allow(["ecs:DescribeTasks", "ecs:StopTask"], *_tenants("ecs", "task/")),
                _of_a_tenant(allow(["lambda:InvokeFunction"], *_tenants("lambda", "function:"))),
                allow(["codebuild:BatchGetBuilds", "codebuild:StopBuild"], *_tenants("codebuild", "project/")),
                *(
                    _of_a_tenant(start_builds(one, variables=BUILD_VARIABLES))
                    for one in _tenants("codebuild", "project/")
                ),
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


def _runs_tasks() -> iam.PolicyStatement:
    """In a tenant's cluster, for in another one nobody could look at them, or stop them."""
    runs = allow(["ecs:RunTask"], *_tenants("ecs", "task-definition/"))
    runs.add_condition("ArnLike", {"ecs:cluster": _tenants("ecs", "cluster/")})
    return _of_a_tenant(runs)


def _of_a_tenant(statement: iam.PolicyStatement) -> iam.PolicyStatement:
    """What bears the tag of a deployment; of which, each session says."""
    statement.add_condition("Null", {f"aws:ResourceTag/{DEPLOYMENT_TAG}": "false"})
    return statement


def _adoption(names: SaasNames, qualifier: str) -> WorkloadRole:
    """It makes change sets as the deploy role does, and can execute none."""
    execution = _bootstrap_role("cfn-exec", qualifier)
    stacks = _tenants("cloudformation", "stack/")
    create, delete = "cloudformation:CreateChangeSet", "cloudformation:DeleteChangeSet"
    # IAM has no key for the type of a change set: one for a stack that is not there makes an empty one, which nobody
    # takes for somebody's. One of a name that nobody executes is all that there is.
    named = {"cloudformation:ChangeSetName": ADOPTION_CHANGE_SET}
    asks, clears = _of_nobody(allow([create], *stacks)), _of_nobody(allow([delete], *stacks))
    for statement in (asks, clears):
        statement.add_condition("StringEquals", named)
    # A call that names no role has CloudFormation act with the one before, whoever's that is.
    asks.add_condition("ArnLike", {"cloudformation:RoleArn": execution})
    looks = [f"cloudformation:{look}" for look in ("DescribeChangeSet", "GetStackPolicy")]
    # Where the toolchain's own account is a target, tenants' pipelines stand beside the components.
    pipelines = [in_account("cloudformation", f"stack/{pipeline_name(kind, '*')}/*") for kind in DEPLOYMENT_TYPES]
    spared = iam.PolicyStatement(effect=iam.Effect.DENY, actions=[create, delete, *looks], resources=pipelines)
    template = f"arn:{Aws.PARTITION}:s3:::cdk-{qualifier}-assets-{Aws.ACCOUNT_ID}-*/{ADOPTION_FOLDER}*"
    keys = allow(["kms:Decrypt", "kms:GenerateDataKey"], in_account("kms", "key/*"))
    # China's services have a suffix of their own there, or none: AWS's pages have both.
    keys.add_condition("StringLike", {"kms:ViaService": ["s3.*.amazonaws.com", f"s3.*.{Aws.URL_SUFFIX}"]})
    return WorkloadRole(
        purpose="Adoption",
        name=names.adoption_role,
        description="Asks what the deployment of a tenant would change of a stack that stands under its name",
        roles=[names.provisioning_role, names.pipeline_watch_role],
        statements=[
            asks,
            clears,
            _of_nobody(allow(looks, *stacks)),
            spared,
            pass_role("cloudformation", execution),
            allow([f"s3:{action}Object" for action in ("Delete", "Get", "Put")], template),
            keys,
            allow(["ssm:GetParameters"], in_account("ssm", f"parameter/cdk-bootstrap/{qualifier}/version")),
        ],
        reason="Names of tenants bound what is reached; whose stacks are taken over is not known before.",
    )


def _of_nobody(statement: iam.PolicyStatement) -> iam.PolicyStatement:
    """What bears no factory's tag: the stacks that stand of tenants do."""
    statement.add_condition("Null", {f"aws:ResourceTag/{FACTORY_TAG}": "true"})
    return statement


def _bootstrap_role(kind: str, qualifier: str) -> str:
    role = bootstrap_role(kind, qualifier=qualifier, account=Aws.ACCOUNT_ID, region="*")
    return in_account("iam", f"role/{role}", region="")


def _tenants(service: str, kind: str) -> list[str]:
    return [in_account(service, f"{kind}{deployment_type}-*") for deployment_type in DEPLOYMENT_TYPES]
