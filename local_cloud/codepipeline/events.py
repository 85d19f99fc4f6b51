"""State change events on EventBridge, in the shape that AWS documents.

https://docs.aws.amazon.com/codepipeline/latest/userguide/detect-state-changes-cloudwatch-events.html
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from local_cloud.codepipeline.executions import ActionExecution, Execution, S3Location
from local_cloud.codepipeline.store import Pipeline
from local_cloud.server import events

_STATES = {"InProgress": "STARTED", "Cancelled": "CANCELED"}


def _state(status: str) -> str:
    return _STATES.get(status, status.upper())


@dataclass(frozen=True, kw_only=True)
class Change:
    """What is to be announced, as it was when it changed: who holds the pipeline's lock makes it, and lets go first."""

    subject: str
    detail: dict[str, Any]


def _change(pipeline: Pipeline, execution: Execution, *, subject: str, detail: dict[str, Any]) -> Change:
    common = {
        "pipeline": pipeline.definition.name,
        "execution-id": execution.id,
        "start-time": datetime.fromtimestamp(execution.started, UTC).isoformat(timespec="milliseconds"),
        "version": execution.definition.version,
        "pipeline-execution-attempt": execution.attempt,
    }
    return Change(subject=subject, detail=common | detail)


def announce(pipeline: Pipeline, change: Change) -> None:
    """Put the event of a change on the bus of the pipeline's account and Region."""
    subject = f"CodePipeline {change.subject} Execution State Change"
    events.publish(pipeline.account, pipeline.region, "aws.codepipeline", subject, change.detail, [pipeline.arn])


def of_pipeline(pipeline: Pipeline, execution: Execution, *, state: str | None = None) -> Change:
    """The execution's status, or ``state`` where the event knows more, e.g. RESUMED."""
    trigger = {"trigger-type": execution.trigger.type, "trigger-detail": execution.trigger.detail}
    detail = {"state": state or _state(execution.status), "execution-trigger": trigger}
    return _change(pipeline, execution, subject="Pipeline", detail=detail)


def of_stage(pipeline: Pipeline, execution: Execution, *, stage: str, state: str | None = None) -> Change:
    """A stage's status."""
    detail = {"stage": stage, "state": state or _state(execution.stages[stage])}
    return _change(pipeline, execution, subject="Stage", detail=detail)


def _locations(artifacts: dict[str, S3Location]) -> list[dict[str, Any]]:
    return [
        {"name": name, "s3location": {"bucket": location.bucket, "key": location.key}}
        for name, location in artifacts.items()
    ]


def action_changed(pipeline: Pipeline, execution: Execution, *, run: ActionExecution) -> None:
    """Announce an action's status; a failure carries its reason."""
    kind = run.action.type
    detail: dict[str, Any] = {
        "stage": run.stage,
        "action": run.action.name,
        "action-execution-id": run.id,
        "state": _state(run.status),
        "region": run.action.region,
        "type": {
            "owner": kind.owner,
            "provider": kind.provider,
            "category": kind.category,
            "version": kind.version,
        },
        "input-artifacts": _locations(run.inputs),
        "output-artifacts": _locations(run.outputs) if run.status == "Succeeded" else [],
    }
    result = {
        "external-execution-id": run.external_id,
        "external-execution-url": run.external_url,
        "external-execution-summary": run.error_message or run.summary,
        "error-code": run.error_code,
    }
    if run.status != "InProgress":
        detail["execution-result"] = {key: value for key, value in result.items() if value is not None}
    announce(pipeline, _change(pipeline, execution, subject="Action", detail=detail))
