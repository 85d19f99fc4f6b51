"""The pipelines of all accounts and Regions, in memory."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field

from local_cloud.codepipeline import host
from local_cloud.codepipeline.definition import Definition
from local_cloud.codepipeline.errors import ServiceError, not_found
from local_cloud.codepipeline.executions import Execution


@dataclass(kw_only=True)
class StageState:
    """Who is in a stage, who waits for it, and whether its transition is open."""

    occupant: Execution | None = None
    waiting: list[Execution] = field(default_factory=list)
    latest: Execution | None = None
    disabled_reason: str | None = None
    changed_at: float = field(default_factory=time.time)
    auto_retries: int = 0
    manual_retries: int = 0


@dataclass(kw_only=True)
class Pipeline:
    """A pipeline with its executions, oldest first; ``changed`` guards and announces every change of state."""

    account: str
    region: str
    definition: Definition
    tags: dict[str, str] = field(default_factory=dict)
    created: float = field(default_factory=time.time)
    updated: float = field(default_factory=time.time)
    stages: dict[str, StageState] = field(default_factory=dict)
    executions: dict[str, Execution] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)
    changed: threading.Condition = field(default_factory=lambda: threading.Condition(threading.RLock()))

    @property
    def arn(self) -> str:
        """The pipeline's ARN."""
        return f"arn:aws:codepipeline:{self.region}:{self.account}:{self.definition.name}"

    def stage_state(self, name: str) -> StageState:
        """The state of a stage; an unknown name is StageNotFoundException."""
        if self.definition.stage(name) is None:
            raise ServiceError("StageNotFoundException", f"Pipeline {self.definition.name} has no stage {name}")
        return self.stages.setdefault(name, StageState())

    def execution(self, execution_id: str) -> Execution:
        """An execution by id."""
        try:
            return self.executions[execution_id]
        except KeyError:
            raise ServiceError(
                "PipelineExecutionNotFoundException",
                f"Could not find pipeline execution {execution_id} of pipeline {self.definition.name}",
            ) from None


_pipelines: host.ScopedStore[Pipeline] = host.ScopedStore()


def find(name: str) -> Pipeline:
    """The pipeline of that name in the request's account and Region."""
    pipeline = _pipelines.get(name)
    if pipeline is None:
        raise not_found(name)
    return pipeline


def find_by_arn(arn: str) -> Pipeline:
    """The pipeline with that ARN, in the request's account and Region."""
    pipeline = next((item for item in _pipelines.values() if item.arn == arn), None)
    if pipeline is None:
        raise ServiceError("ResourceNotFoundException", f"No pipeline with the ARN {arn}")
    return pipeline


def add(pipeline: Pipeline) -> None:
    """Add a pipeline; its name must be free."""
    name = pipeline.definition.name
    if name in _pipelines.names():
        raise ServiceError("PipelineNameInUseException", f"A pipeline with the name '{name}' already exists")
    _pipelines.put(name, pipeline)


def remove(name: str) -> Pipeline | None:
    """Forget a pipeline; an unknown one is no error, as in AWS."""
    return _pipelines.pop(name)


def all_pipelines() -> list[Pipeline]:
    """The pipelines of the request's account and Region, by name."""
    return sorted(_pipelines.values(), key=lambda pipeline: pipeline.definition.name)
