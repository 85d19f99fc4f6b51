"""Answers what other rooms want to know of tenants, or of an execution of a pipeline; writes nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lambdas.common.aws_errors import ignoring
from lambdas.common.clients import client
from lambdas.common.settings import read_settings
from lambdas.saas.model.names import pipeline_name
from lambdas.saas.model.releases import revision_of_sources
from lambdas.saas.model.status import Status
from lambdas.saas.store.tables import StatusReader
from lambdas.saas.tenants.answer import Asked, Question, answer
from lambdas.saas.tenants.standbys import cursor_of, page_of_standbys


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What the function is told when it is deployed."""

    status_table: str


def handler(event: Mapping[str, Any], _context: object) -> dict[str, Any]:
    """Answer one question: see `answer`, and `standbys` for those about all tenants."""
    statuses = StatusReader(client=client("dynamodb"), name=read_settings(Settings).status_table)
    if "standbys" in event:
        return page_of_standbys(statuses.all(after=cursor_of(event)))
    question = Question.of(event)
    status = statuses.get(question.deployment)
    return answer(status, question, _execution(status, question.execution) if status and question.execution else None)


def _execution(status: Status, execution_id: str) -> Asked | None:
    with ignoring("PipelineExecutionNotFoundException", "PipelineNotFoundException"):
        found = client("codepipeline").get_pipeline_execution(
            pipelineName=pipeline_name(status.type, status.id), pipelineExecutionId=execution_id
        )["pipelineExecution"]
        return Asked(
            revision=revision_of_sources(found.get("artifactRevisions", ())),
            rollback=found.get("executionType") == "ROLLBACK",
            status=found.get("status", ""),
        )
    return None
