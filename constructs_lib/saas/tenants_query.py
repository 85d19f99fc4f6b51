"""The function that other rooms ask about tenants."""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_kms as kms
from constructs import Construct

from constructs_lib.common.grants import allow, grant
from constructs_lib.common.python_function import PythonFunction
from constructs_lib.saas.tenant_arns import BOUND_BY_NAMES, tenant_pipelines
from lambdas.saas.model.names import SaasNames


class TenantsQuery(Construct):
    """`<prefix>-tenants`: reads the status table, so that no other room has to know it. Costs what its calls cost."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        names: SaasNames,
        statuses: dynamodb.ITable,
        key: kms.IKey,
        alarm_actions: Sequence[cloudwatch.IAlarmAction],
    ) -> None:
        super().__init__(scope, construct_id)
        self.query = PythonFunction(
            self,
            "Query",
            names=names,
            room="saas",
            job="tenants",
            description="Answers what other rooms want to know of tenants",
            key=key,
            alarm_actions=alarm_actions,
            environment={"STATUS_TABLE": names.status_table},
        )
        grant(
            self.query.role,
            allow(["dynamodb:GetItem"], statuses.table_arn),
            allow(["codepipeline:GetPipelineExecution"], *tenant_pipelines()),
            reason=BOUND_BY_NAMES,
        )
