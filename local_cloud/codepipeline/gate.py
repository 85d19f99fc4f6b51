"""Who may enter a stage: one execution at a time in QUEUED and SUPERSEDED mode, all of them in PARALLEL mode.

https://docs.aws.amazon.com/codepipeline/latest/userguide/concepts-how-it-works.html
"""

from __future__ import annotations

from local_cloud.codepipeline.executions import Execution, Halt
from local_cloud.codepipeline.store import Pipeline, StageState


class Halted(Exception):
    """The execution must end; its ``halt`` says how."""


def _arrive(pipeline: Pipeline, state: StageState, execution: Execution) -> None:
    if execution in state.waiting:
        return
    if pipeline.definition.execution_mode == "SUPERSEDED":
        for older in state.waiting:
            older.halt = older.halt or Halt.SUPERSEDE
    state.waiting.append(execution)
    pipeline.changed.notify_all()


def _may_enter(pipeline: Pipeline, state: StageState, execution: Execution) -> bool:
    if state.disabled_reason is not None:
        return False
    if pipeline.definition.execution_mode == "PARALLEL":
        return True
    alive = [waiting for waiting in state.waiting if waiting.halt is None]
    return state.occupant is None and bool(alive) and alive[0] is execution


def queue(pipeline: Pipeline, *, stage: str, execution: Execution) -> None:
    """Take a place before a stage; the order of arrival is the order of entry."""
    with pipeline.changed:
        _arrive(pipeline, pipeline.stages.setdefault(stage, StageState()), execution)


def enter(pipeline: Pipeline, *, stage: str, execution: Execution) -> None:
    """Wait until the execution may be in the stage; raises Halted when it must end instead."""
    with pipeline.changed:
        state = pipeline.stages.setdefault(stage, StageState())
        _arrive(pipeline, state, execution)
        pipeline.changed.wait_for(lambda: execution.halt or _may_enter(pipeline, state, execution))
        state.waiting.remove(execution)
        if execution.halt:
            pipeline.changed.notify_all()
            raise Halted
        state.occupant = execution
        state.latest = execution


def leave(pipeline: Pipeline, *, stage: str, execution: Execution, to: str | None) -> None:
    """Free the stage and, in the same instant, queue for the next one, so that no execution overtakes another."""
    with pipeline.changed:
        if to is not None:
            queue(pipeline, stage=to, execution=execution)
        state = pipeline.stages[stage]
        if state.occupant is execution:
            state.occupant = None
        pipeline.changed.notify_all()
