"""The function that other rooms ask about tenants."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

from constructs_lib.common.python_function import PythonFunction
from lambdas.saas.model.names import SaasNames


class TenantsQuery(Construct):
    """`<prefix>-tenants`: reads the status table, so that no other room has to know it. Costs what its calls cost."""

    def __init__(
        self, scope: Construct, construct_id: str, *, names: SaasNames, statuses: dynamodb.ITable, key: kms.IKey
    ) -> None:
        super().__init__(scope, construct_id)
        self.query = PythonFunction(
            self,
            "Query",
            name=names.tenants_function,
            room="saas",
            job="tenants",
            description="Answers what other rooms want to know of tenants",
            key=key,
            environment={"STATUS_TABLE": names.status_table},
            timeout=cdk.Duration.seconds(30),
        )
        self.query.role.add_to_policy(iam.PolicyStatement(actions=["dynamodb:GetItem"], resources=[statuses.table_arn]))
