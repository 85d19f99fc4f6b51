"""The function that tenants' pipelines invoke to have assets published, and the project that publishes them."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import Aws
from aws_cdk import aws_codebuild as codebuild
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3
from constructs import Construct

from constructs_lib.common.build_image import BUILD_IMAGE
from constructs_lib.common.cli_projects import PUBLISH, cli_buildspec
from constructs_lib.common.grants import allow, answer_jobs, grant, own_role
from constructs_lib.common.python_function import PythonFunction
from constructs_lib.common.start_build import start_builds
from constructs_lib.saas.factory_props import FactoryProps
from constructs_lib.saas.tenant_arns import BOUND_BY_NAMES, TENANT_ARTIFACTS, shared_build_logs
from lambdas.saas.model.assets import BUILD_VARIABLES, KEYS
from lambdas.saas.model.names import SaasNames

_LEAST, _MOST = 5, 60  # minutes; CodeBuild knows no time-out below


class AssetProject(Construct):
    """`<prefix>-assets`: each build publishes what the assembly of one tenant's pipeline lists.

    The assembly is the build's source, as it was synthesized, and the CLI that of the release it is of. A build ends
    within half of the `minutes` for which a release waits for a pipeline.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        names: SaasNames,
        role: iam.Role,
        artifacts: s3.IBucket,
        key: kms.IKey,
        builds_log_group: logs.ILogGroup,
        minutes: int,
    ) -> None:
        super().__init__(scope, construct_id)
        limit = cdk.Duration.minutes(min(max(minutes // 2, _LEAST), _MOST))
        install = 'npm install -g "aws-cdk@$CLI_VERSION"'
        self.project = codebuild.Project(
            self,
            "Project",
            project_name=names.assets_project,
            description="Publishes the assets of tenants' components",
            source=codebuild.Source.s3(bucket=artifacts, path=TENANT_ARTIFACTS[0]),
            build_spec=codebuild.BuildSpec.from_object(cli_buildspec(install, PUBLISH)),
            role=role.without_policy_updates(),
            encryption_key=key,
            environment=codebuild.BuildEnvironment(build_image=BUILD_IMAGE, compute_type=codebuild.ComputeType.SMALL),
            logging=codebuild.LoggingOptions(
                cloud_watch=codebuild.CloudWatchLoggingOptions(log_group=builds_log_group, prefix=names.assets_project)
            ),
            timeout=limit,
            queued_timeout=limit,
            grant_report_group_permissions=False,
        )


class AssetPublisher(PythonFunction):
    """`<prefix>-assets`: one function for all tenants. Costs what its calls cost, one every half minute of a build."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        props: FactoryProps,
        artifacts: s3.IBucket,
    ) -> None:
        names, tables = props.names, props.tables
        publisher, project = own_role(names.asset_publishing_role), assets_project_arn(names)
        super().__init__(
            scope,
            construct_id,
            **props.of_the_room(),
            job="assets",
            description="Has the assets of tenants' components published, once for all who need them",
            environment={
                "PREFIX": names.prefix,
                "RELEASES_TABLE": names.releases_table,
                "PUBLISHER": publisher,
                # A job begins some minutes after its pipeline, and is to end before nobody waits for that any more.
                "PATIENCE_MINUTES": str(max(props.pipeline_timeout_minutes * 3 // 4, 1)),
            },
            # For the directory of an assembly of 200,000 files (`lambdas/saas/store/job_assembly.py`).
            memory_mb=512,
            # CodePipeline invokes it asynchronously; Lambda has two more tries before it gives up.
            dead_letters=props.dead_letters,
            role_name=names.assets_role,
        )
        claims = allow(
            ["dynamodb:BatchGetItem", "dynamodb:DeleteItem", "dynamodb:UpdateItem"], tables.releases.table_arn
        )
        claims.add_condition("ForAllValues:StringLike", {"dynamodb:LeadingKeys": [f"{KEYS}*"]})
        claims.add_condition("Null", {"dynamodb:LeadingKeys": "false"})
        locations = [f"{artifacts.bucket_name}/{prefix}*" for prefix in TENANT_ARTIFACTS]
        grant(
            self.role,
            claims,
            start_builds(
                project,
                variables=BUILD_VARIABLES,
                location=locations,
                also=["codebuild:environment.privilegedMode"],
            ),
            allow(["codebuild:BatchGetBuilds"], project),
            allow(["logs:GetLogEvents"], f"{shared_build_logs(names)}log-stream:{names.assets_project}/*"),
            # Looks as who publishes, and narrows each session to looking.
            allow(["sts:AssumeRole"], publisher),
            answer_jobs(),
            reason=BOUND_BY_NAMES,
        )


def assets_project_arn(names: SaasNames) -> str:
    """ARN of the project, for roles that are made before it."""
    return f"arn:{Aws.PARTITION}:codebuild:{Aws.REGION}:{Aws.ACCOUNT_ID}:project/{names.assets_project}"
