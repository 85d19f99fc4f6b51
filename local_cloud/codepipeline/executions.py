"""The state of pipeline executions and of their actions."""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from local_cloud.codepipeline.definition import Action, Definition

EXECUTION_ENDED = frozenset({"Cancelled", "Stopped", "Succeeded", "Superseded", "Failed"})


class Halt(Enum):
    """Why an execution must not go on."""

    STOP = "Stopped"
    ABANDON = "Abandoned"
    CANCEL = "Cancelled"
    SUPERSEDE = "Superseded"

    @property
    def final_status(self) -> str:
        """The execution status that it leads to."""
        return "Stopped" if self is Halt.ABANDON else self.value


@dataclass(frozen=True, kw_only=True)
class S3Location:
    """Where an artifact lies."""

    bucket: str
    key: str


@dataclass(kw_only=True)
class Artifact:
    """An artifact and its copies, by Region; ``region`` is where it was made."""

    name: str
    region: str
    copies: dict[str, S3Location]
    revision: str | None = None


@dataclass(frozen=True, kw_only=True)
class Trigger:
    """What started an execution, in the API's words."""

    type: str
    detail: str = ""


@dataclass(frozen=True, kw_only=True)
class SourceRevision:
    """The revision that a source action resolved."""

    action: str
    artifact: str
    revision_id: str
    summary: str
    url: str


@dataclass(kw_only=True)
class ActionExecution:
    """One run of an action."""

    stage: str
    action: Action
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    status: str = "InProgress"
    started: float = field(default_factory=time.time)
    updated: float = field(default_factory=time.time)
    configuration: Mapping[str, str] = field(default_factory=dict)
    inputs: dict[str, S3Location] = field(default_factory=dict)
    outputs: dict[str, S3Location] = field(default_factory=dict)
    output_variables: dict[str, str] = field(default_factory=dict)
    external_id: str | None = None
    external_url: str | None = None
    summary: str | None = None
    error_code: str | None = None
    error_message: str | None = None
    log_stream_arn: str | None = None
    token: str | None = None
    updated_by: str | None = None

    def end(self, status: str) -> None:
        """Record the final status."""
        self.status = status
        self.token = None
        self.updated = time.time()

    def fail(self, code: str, message: str) -> None:
        """Record a failure with its reason."""
        self.error_code, self.error_message = code, message
        self.end("Failed")


@dataclass(kw_only=True)
class Execution:
    """One pipeline execution; ``definition`` is the structure that it started with."""

    definition: Definition
    trigger: Trigger
    variables: dict[str, str]
    overrides: dict[str, dict[str, str]] = field(default_factory=dict)
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    type: str = "STANDARD"
    rollback_target: str | None = None
    status: str = "InProgress"
    status_summary: str | None = None
    started: float = field(default_factory=time.time)
    updated: float = field(default_factory=time.time)
    attempt: int = 1
    halt: Halt | None = None
    stop_reason: str | None = None
    artifacts: dict[str, Artifact] = field(default_factory=dict)
    namespaces: dict[str, dict[str, str]] = field(default_factory=dict)
    source_revisions: list[SourceRevision] = field(default_factory=list)
    approvals: dict[str, dict[str, str]] = field(default_factory=dict)
    actions: list[ActionExecution] = field(default_factory=list)
    stages: dict[str, str] = field(default_factory=dict)

    @property
    def ended(self) -> bool:
        """Whether the execution has a final status."""
        return self.status in EXECUTION_ENDED

    def visible_namespaces(self) -> dict[str, dict[str, str]]:
        """What ``#{...}`` can refer to now."""
        return {
            **self.namespaces,
            "codepipeline": {"PipelineExecutionId": self.id},
            "variables": self.variables,
        }

    def latest(self, *, stage: str, action: str) -> ActionExecution | None:
        """The last run of an action in this execution."""
        runs = (run for run in reversed(self.actions) if run.stage == stage and run.action.name == action)
        return next(runs, None)
