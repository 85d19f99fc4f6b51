"""Lambda function `pipeline-watch`: state changes of the tenants' pipelines, from EventBridge, and their jobs.

A job asks, before a stage deploys, whose the stacks are: the lookup roles of workload accounts trust this function.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

from lambdas.common import clock
from lambdas.common.clients import client
from lambdas.common.cross_account import LookupRoles
from lambdas.common.log import about
from lambdas.common.pipeline_jobs import Later, answer_job
from lambdas.common.settings import read_settings
from lambdas.common.task_tokens import StepFunctionsTokens
from lambdas.saas.model.adoption import consent_of
from lambdas.saas.model.asking import asker
from lambdas.saas.model.names import SaasNames, deployment_of_pipeline
from lambdas.saas.pipeline_watch.before_deploy import BeforeDeploy, StandingStacks
from lambdas.saas.pipeline_watch.evidence import ServiceEvidence
from lambdas.saas.pipeline_watch.executions import CodePipelineHistory
from lambdas.saas.pipeline_watch.release_watch import ReleaseWatch
from lambdas.saas.pipeline_watch.stacks import Place
from lambdas.saas.pipeline_watch.watch import Watch
from lambdas.saas.store.change_sets import ChangeSets
from lambdas.saas.store.job_assembly import assembly_of
from lambdas.saas.store.lifecycle_machine import LifecycleMachine
from lambdas.saas.store.release_statuses import ReleaseStatusTable
from lambdas.saas.store.runs_table import RunsTable
from lambdas.saas.store.tables import DeploymentsTable, StatusTable
from lambdas.saas.store.takeover_marks import TakeoverMarks


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What the function is told when it is deployed, and its Region."""

    aws_region: str
    prefix: str
    deployments_table: str
    status_table: str
    releases_table: str
    toolchain_account: str
    bootstrap_qualifier: str
    lifecycle_machine: str


@cache
def _watch() -> Watch:
    settings = read_settings(Settings)
    home = Place(account=settings.toolchain_account, region=settings.aws_region)
    lookup_roles = LookupRoles(sts=client("sts"), qualifier=settings.bootstrap_qualifier)
    dynamodb, releases = client("dynamodb"), settings.releases_table
    return Watch(
        statuses=StatusTable(client=dynamodb, name=settings.status_table),
        releases=ReleaseWatch(
            statuses=ReleaseStatusTable(client=dynamodb, name=settings.status_table, releases=releases),
            runs=RunsTable(client=dynamodb, name=releases),
            tokens=StepFunctionsTokens(client=client("stepfunctions")),
        ),
        lifecycles=LifecycleMachine(client=client("stepfunctions"), machine_arn=settings.lifecycle_machine),
        history=CodePipelineHistory(client=client("codepipeline")),
        facts=ServiceEvidence(codebuild=client("codebuild"), logs=client("logs"), lookup_roles=lookup_roles),
        home=home,
        clock=clock.now,
    )


@cache
def _before_deploy() -> BeforeDeploy:
    settings = read_settings(Settings)
    names = SaasNames(prefix=settings.prefix)
    rows = DeploymentsTable(client=client("dynamodb"), name=settings.deployments_table)
    return BeforeDeploy(
        statuses=TakeoverMarks(client=client("dynamodb"), name=settings.status_table),
        factory=names.factory(account=settings.toolchain_account, region=settings.aws_region),
        consent=lambda deployment_id: consent_of((rows.get(deployment_id) or {}).get("allow_adopt")),
        change_sets=ChangeSets(
            sts=client("sts"),
            names=names,
            qualifier=settings.bootstrap_qualifier,
            session_name=names.pipeline_watch_role,
            roles_advice=names.roles_advice,
        ),
        clock=clock.now,
        standing=StandingStacks(lookup=LookupRoles(sts=client("sts"), qualifier=settings.bootstrap_qualifier)),
    )


def _job(given: Mapping[str, Any], data: Mapping[str, Any]) -> str | Later:
    with about(deployment=given.get("deployment", ""), execution=given.get("execution", "")):
        return _before_deploy().job(given, partial(assembly_of, data, region=read_settings(Settings).aws_region))


def handler(event: dict[str, Any], _context: object) -> dict[str, str | None] | None:
    """Answer with the pipeline and the phase that was written (None: nothing was); a job is told to CodePipeline."""
    if "CodePipeline.job" in event:
        work = partial(_job, data=event["CodePipeline.job"]["data"])
        answer_job(event, client("codepipeline"), work, asker=asker)
        return None
    detail = event["detail"]
    pipeline: str = detail["pipeline"]
    _, deployment = deployment_of_pipeline(pipeline) or ("", "")
    with about(deployment=deployment, execution=detail.get("execution-id", "")):
        return {"pipeline": pipeline, "phase": _watch().look(pipeline)}
