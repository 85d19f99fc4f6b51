"""The function that tenants' pipelines invoke to run tasks around a deployment."""

from __future__ import annotations

from constructs import Construct

from constructs_lib.common.grants import allow, answer_jobs, grant
from constructs_lib.common.python_function import PythonFunction
from constructs_lib.saas.factory_props import FactoryProps
from constructs_lib.saas.tenant_arns import BOUND_BY_NAMES, tenant_pipelines
from lambdas.common.names import WORKLOAD_ROLE_PATH
from lambdas.saas.model.tasks import KEYS

# A function that is a task is waited for.
_MINUTES = 15


class TaskRunner(PythonFunction):
    """`<prefix>-tasks`: one function for all tenants. Costs what its calls cost, one every half minute of a task."""

    def __init__(self, scope: Construct, construct_id: str, *, props: FactoryProps) -> None:
        names, tables = props.names, props.tables
        super().__init__(
            scope,
            construct_id,
            **props.of_the_room(),
            job="tasks",
            description="Runs what components declare before and after their deployments",
            environment={
                "PREFIX": names.prefix,
                "STATUS_TABLE": names.status_table,
                "RELEASES_TABLE": names.releases_table,
            },
            minutes=_MINUTES,
            # CodePipeline invokes it asynchronously; Lambda has two more tries before it gives up.
            dead_letters=props.dead_letters,
            role_name=names.tasks_role,
        )
        runs = allow(["dynamodb:GetItem", "dynamodb:UpdateItem"], tables.releases.table_arn)
        runs.add_condition("ForAllValues:StringLike", {"dynamodb:LeadingKeys": [f"{KEYS}*"]})
        runs.add_condition("Null", {"dynamodb:LeadingKeys": "false"})
        grant(
            self.role,
            allow(["dynamodb:GetItem", "dynamodb:UpdateItem"], tables.statuses.table_arn),
            runs,
            allow(["codepipeline:GetPipelineExecution"], *tenant_pipelines()),
            answer_jobs(),
            props.targets.assume_named(f"{WORKLOAD_ROLE_PATH[1:]}{names.task_runner_role}"),
            reason=BOUND_BY_NAMES,
        )
