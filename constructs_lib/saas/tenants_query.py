"""The function that other rooms ask about tenants."""

from __future__ import annotations

from constructs import Construct

from constructs_lib.common.grants import allow, grant
from constructs_lib.common.python_function import PythonFunction
from constructs_lib.saas.factory_props import FactoryProps
from constructs_lib.saas.tenant_arns import BOUND_BY_NAMES, tenant_pipelines


class TenantsQuery(PythonFunction):
    """`<prefix>-tenants`: reads the status table, so that no other room has to know it. Costs what its calls cost."""

    def __init__(self, scope: Construct, construct_id: str, *, props: FactoryProps) -> None:
        super().__init__(
            scope,
            construct_id,
            **props.of_the_room(),
            job="tenants",
            description="Answers what other rooms want to know of tenants",
            environment={"STATUS_TABLE": props.names.status_table},
        )
        grant(
            self.role,
            allow(["dynamodb:GetItem", "dynamodb:Scan"], props.tables.statuses.table_arn),
            allow(["codepipeline:GetPipelineExecution"], *tenant_pipelines()),
            reason=BOUND_BY_NAMES,
        )
