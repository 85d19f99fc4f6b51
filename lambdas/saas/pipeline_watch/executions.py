"""A pipeline's executions and their actions, as far as the watch needs them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

from lambdas.saas.model.releases import revision_of_sources

UNDER_WAY = frozenset({"InProgress", "Stopping"})
# A newer execution took its place (Superseded), or the pipeline's definition changed under it (Cancelled).
OVERTAKEN = frozenset({"Superseded", "Cancelled"})

_LONG_AGO = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class Execution:
    """One execution; of a rollback, `failed_id` and `target_id` tell what failed and what it goes back to.

    `revision` names the release that was fetched, empty before that. `updated` is when its status last changed.
    """

    id: str
    status: str
    started: datetime
    updated: datetime = _LONG_AGO
    revision: str = ""
    summary: str = ""
    stop_reason: str = ""
    rollback: bool = False
    failed_id: str = ""
    target_id: str = ""

    @classmethod
    def from_summary(cls, summary: Mapping[str, Any]) -> Execution:
        """Read a PipelineExecutionSummary.

        https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_PipelineExecutionSummary.html
        """
        return cls(
            id=summary["pipelineExecutionId"],
            status=summary["status"],
            started=summary["startTime"],
            updated=summary.get("lastUpdateTime", summary["startTime"]),
            revision=revision_of_sources(summary.get("sourceRevisions", ())),
            summary=summary.get("statusSummary", ""),
            stop_reason=summary.get("stopTrigger", {}).get("reason", ""),
            rollback=summary.get("executionType") == "ROLLBACK",
            failed_id=_failed_id(summary.get("trigger", {})),
            target_id=summary.get("rollbackMetadata", {}).get("rollbackTargetPipelineExecutionId", ""),
        )


def _failed_id(trigger: Mapping[str, Any]) -> str:
    # An automated rollback names the failed execution in a JSON text, one by hand names who asked for it.
    # https://docs.aws.amazon.com/codepipeline/latest/userguide/stage-rollback-auto.html
    if trigger.get("triggerType") != "AutomatedRollback":
        return ""
    try:
        detail = json.loads(trigger.get("triggerDetail", ""))
    except ValueError:
        return ""
    return str(detail.get("FailedPipelineExecutionId", "")) if isinstance(detail, dict) else ""


@dataclass(frozen=True, kw_only=True)
class ActionRun:
    """One run of an action; `account` and `region` are where it works, empty where the pipeline is."""

    stage: str
    name: str
    status: str
    provider: str
    started: datetime
    updated: datetime
    configuration: Mapping[str, str]
    account: str = ""
    region: str = ""
    external_id: str = ""
    external_url: str = ""
    message: str = ""

    @classmethod
    def from_detail(cls, detail: Mapping[str, Any]) -> ActionRun:
        """Read an ActionExecutionDetail.

        https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_ActionExecutionDetail.html
        """
        given = detail.get("input", {})
        result = detail.get("output", {}).get("executionResult", {})
        return cls(
            stage=detail["stageName"],
            name=detail["actionName"],
            status=detail["status"],
            provider=given.get("actionTypeId", {}).get("provider", ""),
            started=detail["startTime"],
            updated=detail.get("lastUpdateTime", detail["startTime"]),
            configuration=given.get("configuration", {}),
            account=_account_of(given.get("roleArn", "")),
            region=given.get("region", ""),
            external_id=result.get("externalExecutionId", ""),
            external_url=result.get("externalExecutionUrl", ""),
            message=result.get("errorDetails", {}).get("message") or result.get("externalExecutionSummary", ""),
        )


def _account_of(role_arn: str) -> str:
    fields = role_arn.split(":")
    return fields[4] if len(fields) > 4 else ""  # noqa: PLR2004 - arn:partition:iam::account:role/name


def latest_runs(runs: Iterable[ActionRun]) -> list[ActionRun]:
    """Keep each action's last run, in the order in which they started: what was retried no longer counts."""
    latest: dict[tuple[str, str], ActionRun] = {}
    for run in sorted(runs, key=lambda run: run.started):
        latest.pop((run.stage, run.name), None)
        latest[run.stage, run.name] = run
    return list(latest.values())


class History(Protocol):
    """Port to the executions of pipelines."""

    def executions(self, pipeline: str) -> Iterator[Execution]: ...
    def runs(self, pipeline: str, execution_id: str) -> list[ActionRun]: ...


@dataclass(frozen=True, kw_only=True)
class CodePipelineHistory:
    """The executions that CodePipeline remembers: 12 months."""

    client: Any

    def executions(self, pipeline: str) -> Iterator[Execution]:
        """Yield executions, newest first, each page only when it is needed; none of a pipeline that is gone."""
        pages = self.client.get_paginator("list_pipeline_executions").paginate(pipelineName=pipeline)
        try:
            for page in pages:
                found = map(Execution.from_summary, page["pipelineExecutionSummaries"])
                yield from sorted(found, key=lambda execution: execution.started, reverse=True)
        except self.client.exceptions.PipelineNotFoundException:
            return

    def runs(self, pipeline: str, execution_id: str) -> list[ActionRun]:
        """Read every run of every action of an execution."""
        pages = self.client.get_paginator("list_action_executions").paginate(
            pipelineName=pipeline, filter={"pipelineExecutionId": execution_id}
        )
        return [ActionRun.from_detail(detail) for page in pages for detail in page["actionExecutionDetails"]]
