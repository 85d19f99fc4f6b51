"""Lambda function `pipeline-watch`: state changes of the tenants' pipelines, from EventBridge."""

from __future__ import annotations

import os
from functools import cache
from typing import Any

from lambdas.common import clock
from lambdas.common.clients import client
from lambdas.common.cross_account import LookupRoles
from lambdas.common.task_tokens import StepFunctionsTokens
from lambdas.saas.pipeline_watch.evidence import ServiceEvidence
from lambdas.saas.pipeline_watch.executions import CodePipelineHistory
from lambdas.saas.pipeline_watch.release_watch import ReleaseWatch
from lambdas.saas.pipeline_watch.stacks import Place
from lambdas.saas.pipeline_watch.watch import Watch
from lambdas.saas.store.lifecycle_machine import LifecycleMachine
from lambdas.saas.store.release_statuses import ReleaseStatusTable
from lambdas.saas.store.runs_table import RunsTable
from lambdas.saas.store.tables import StatusTable


@cache
def _watch() -> Watch:
    env = os.environ
    home = Place(account=env["TOOLCHAIN_ACCOUNT"], region=env["AWS_REGION"])
    lookup_roles = LookupRoles(sts=client("sts"), trusted_account=home.account, qualifier=env["BOOTSTRAP_QUALIFIER"])
    dynamodb, releases = client("dynamodb"), env["RELEASES_TABLE"]
    return Watch(
        statuses=StatusTable(client=dynamodb, name=env["STATUS_TABLE"]),
        releases=ReleaseWatch(
            statuses=ReleaseStatusTable(client=dynamodb, name=env["STATUS_TABLE"], releases=releases),
            runs=RunsTable(client=dynamodb, name=releases),
            tokens=StepFunctionsTokens(client=client("stepfunctions")),
        ),
        lifecycles=LifecycleMachine(client=client("stepfunctions"), machine_arn=env["LIFECYCLE_MACHINE"]),
        history=CodePipelineHistory(client=client("codepipeline")),
        facts=ServiceEvidence(codebuild=client("codebuild"), logs=client("logs"), lookup_roles=lookup_roles),
        home=home,
        clock=clock.now,
    )


def handler(event: dict[str, Any], _context: object) -> dict[str, str | None]:
    """Answer with the pipeline and the phase that was written (None: nothing was)."""
    pipeline: str = event["detail"]["pipeline"]
    return {"pipeline": pipeline, "phase": _watch().look(pipeline)}
