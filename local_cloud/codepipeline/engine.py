"""Runs executions: a thread each, the stages in order, the actions of a run order in parallel."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from local_cloud.codepipeline import events, gate, host
from local_cloud.codepipeline.action_runner import run_action
from local_cloud.codepipeline.definition import Action, Stage
from local_cloud.codepipeline.executions import ActionExecution, Execution, Halt
from local_cloud.codepipeline.gate import Halted
from local_cloud.codepipeline.store import Pipeline

_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The stages to run; actions named in ``skip`` have succeeded in an earlier attempt at the first of them.

    ``roll_back`` is called with a stage that failed and wants to be rolled back.
    """

    stages: Sequence[Stage]
    roll_back: Callable[[Stage], None]
    skip: frozenset[str] = frozenset()


def start(pipeline: Pipeline, execution: Execution, *, plan: Plan) -> None:
    """Run the plan in the background."""
    gate.queue(pipeline, stage=plan.stages[0].name, execution=execution)
    threading.Thread(
        target=_run_in_scope,
        args=(pipeline, execution, plan),
        name=f"pipeline-{pipeline.definition.name}-{execution.id[:8]}",
        daemon=True,
    ).start()


def _run_in_scope(pipeline: Pipeline, execution: Execution, plan: Plan) -> None:
    with host.scope(account=pipeline.account, region=pipeline.region):
        try:
            _run(pipeline, execution, plan=plan)
        except Exception:
            _log.exception("Execution %s of pipeline %s", execution.id, pipeline.definition.name)
            _finish(pipeline, execution, status="Failed", summary="The local cloud failed: see its log")


def _run(pipeline: Pipeline, execution: Execution, *, plan: Plan) -> None:
    begun = events.of_pipeline(pipeline, execution, state="RESUMED" if execution.attempt > 1 else "STARTED")
    events.announce(pipeline, begun)
    for position, stage in enumerate(plan.stages):
        try:
            gate.enter(pipeline, stage=stage.name, execution=execution)
        except Halted:
            _finish_halted(pipeline, execution)
            return
        following = plan.stages[position + 1].name if position + 1 < len(plan.stages) else None
        status = "Failed"
        try:
            status = _run_stage(pipeline, execution, stage=stage, skip=plan.skip if position == 0 else frozenset())
        finally:
            to = following if status == "Succeeded" else None
            gate.leave(pipeline, stage=stage.name, execution=execution, to=to)
        if status != "Succeeded":
            _end_after_stage(pipeline, execution, status=status)
            if status == "Failed" and stage.on_failure == "ROLLBACK" and execution.type == "STANDARD":
                plan.roll_back(stage)
            return
    _finish(pipeline, execution, status="Succeeded")


def _run_stage(pipeline: Pipeline, execution: Execution, *, stage: Stage, skip: frozenset[str]) -> str:
    _set_stage(pipeline, execution, stage=stage.name, status="InProgress")
    status = _run_groups(pipeline, execution, stage=stage, skip=skip)
    if status == "Failed" and stage.on_failure == "RETRY":
        pipeline.stages[stage.name].auto_retries += 1
        status = _run_groups(pipeline, execution, stage=stage, skip=to_skip(execution, stage, mode=stage.retry_mode))
    _set_stage(pipeline, execution, stage=stage.name, status=status)
    return status


def to_skip(execution: Execution, stage: Stage, *, mode: str) -> frozenset[str]:
    """The actions that a retry leaves out: with FAILED_ACTIONS, those that have succeeded."""
    if mode == "ALL_ACTIONS":
        return frozenset()
    runs = {action.name: execution.latest(stage=stage.name, action=action.name) for action in stage.actions}
    return frozenset(name for name, run in runs.items() if run and run.status == "Succeeded")


def _run_groups(pipeline: Pipeline, execution: Execution, *, stage: Stage, skip: frozenset[str]) -> str:
    for group in stage.groups():
        if execution.halt is not None:
            return execution.halt.final_status
        wanted = [action for action in group if action.name not in skip]
        runs = _run_group(pipeline, execution, stage=stage, actions=wanted)
        if any(run.status == "Failed" for run in runs):
            return "Failed"
    return execution.halt.final_status if execution.halt else "Succeeded"


def _run_group(
    pipeline: Pipeline, execution: Execution, *, stage: Stage, actions: Sequence[Action]
) -> list[ActionExecution]:
    runs = [ActionExecution(stage=stage.name, action=action) for action in actions]
    with pipeline.changed:
        execution.actions.extend(runs)

    def one(run: ActionExecution) -> None:
        with host.scope(account=pipeline.account, region=pipeline.region):
            run_action(pipeline, execution, run=run)

    with ThreadPoolExecutor(max_workers=max(1, len(runs))) as pool:
        list(pool.map(one, runs))
    return runs


def _set_stage(pipeline: Pipeline, execution: Execution, *, stage: str, status: str) -> None:
    with pipeline.changed:
        execution.stages[stage] = status
        execution.updated = time.time()
        resumed = status == "InProgress" and execution.attempt > 1
        # Made before anybody can retry the stage, whose status is another then.
        change = events.of_stage(pipeline, execution, stage=stage, state="RESUMED" if resumed else None)
        pipeline.changed.notify_all()
    events.announce(pipeline, change)


def _end_after_stage(pipeline: Pipeline, execution: Execution, *, status: str) -> None:
    if execution.halt is not None and status != "Failed":
        _finish_halted(pipeline, execution)
        return
    _finish(pipeline, execution, status="Failed")


def _finish_halted(pipeline: Pipeline, execution: Execution) -> None:
    halt = execution.halt or Halt.STOP
    summaries = {
        Halt.CANCEL: "The pipeline definition was updated before the pipeline execution could be completed.",
        Halt.SUPERSEDE: "A newer execution has superseded this execution.",
    }
    _finish(pipeline, execution, status=halt.final_status, summary=summaries.get(halt, execution.stop_reason))


def _finish(pipeline: Pipeline, execution: Execution, *, status: str, summary: str | None = None) -> None:
    with pipeline.changed:
        execution.status, execution.status_summary = status, summary
        execution.updated = time.time()
        # Made before anybody can retry the execution, which is in progress then.
        change = events.of_pipeline(pipeline, execution)
        pipeline.changed.notify_all()
    events.announce(pipeline, change)
