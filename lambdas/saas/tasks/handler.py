"""Lambda function `tasks`: jobs of tenants' pipelines, which run what components declare around a deployment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from lambdas.common import clock
from lambdas.common.clients import client
from lambdas.common.log import about
from lambdas.common.pipeline_jobs import Later, answer_job
from lambdas.common.settings import read_settings
from lambdas.saas.model.asking import asker
from lambdas.saas.model.names import SaasNames, pipeline_name
from lambdas.saas.model.releases import revision_of_sources
from lambdas.saas.model.tasks import Asked
from lambdas.saas.store.forward_marks import ForwardMarks
from lambdas.saas.store.task_runs import TaskRunsTable
from lambdas.saas.tasks.asking import Execution
from lambdas.saas.tasks.there import There
from lambdas.saas.tasks.work import Work

# https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_PipelineExecution.html
_OVER = ("Cancelled", "Stopped", "Succeeded", "Superseded")


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What the function is told when it is deployed."""

    prefix: str
    status_table: str
    releases_table: str


@cache
def _work() -> Work:
    settings = read_settings(Settings)
    names, dynamodb = SaasNames(prefix=settings.prefix), client("dynamodb")
    return Work(
        statuses=ForwardMarks(client=dynamodb, name=settings.status_table),
        runs=TaskRunsTable(client=dynamodb, name=settings.releases_table),
        execution=_execution,
        place=lambda asked: There(asked=asked, names=names, sts=client("sts")),
        clock=clock.now,
    )


def _execution(asked: Asked) -> Execution:
    found = client("codepipeline").get_pipeline_execution(
        pipelineName=pipeline_name(asked.type, asked.deployment), pipelineExecutionId=asked.execution
    )["pipelineExecution"]
    return Execution(
        revision=revision_of_sources(found.get("artifactRevisions", ())),
        rollback=found.get("executionType") == "ROLLBACK",
        over=state if (state := found.get("status", "")) in _OVER else "",
    )


def handler(event: Mapping[str, Any], _context: object) -> None:
    """Take a job; what came of it is told to CodePipeline."""
    job = event["CodePipeline.job"]

    def work(given: Mapping[str, Any]) -> str | Later:
        with about(deployment=given.get("deployment", ""), execution=given.get("execution", "")):
            return _work().job(given, job=job["id"], first=not job["data"].get("continuationToken"))

    answer_job(event, client("codepipeline"), work, asker=asker)
