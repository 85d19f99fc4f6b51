"""Invoke/StepFunctions: runs a state machine.

https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-StepFunctions.html
"""

from __future__ import annotations

from typing import Any

from local_cloud.codepipeline.actions.context import Context, Outcome
from local_cloud.codepipeline.errors import ActionAbandoned, ActionFailed, configuration_error
from local_cloud.codepipeline.executions import Halt

REQUIRED = frozenset({"StateMachineArn"})
_TIMEOUT_MINUTES = 7 * 24 * 60


def run(context: Context) -> Outcome:
    """Start the state machine and follow it; the execution's output is not turned into an artifact."""
    machine, prefix = context.setting("StateMachineArn"), context.optional("ExecutionNamePrefix")
    states = context.client("stepfunctions")
    name = f"{prefix}-{context.run.id}" if prefix else context.run.id
    execution_arn = states.start_execution(stateMachineArn=machine, name=name, input=_input(context))["executionArn"]
    context.describe(external_id=execution_arn)
    try:
        ended = _follow(context, states, execution_arn)
    except ActionAbandoned:
        if context.execution.halt is Halt.ABANDON:
            states.stop_execution(executionArn=execution_arn, cause="The pipeline execution was abandoned")
        raise
    if ended["status"] != "SUCCEEDED":
        reason = ", ".join(ended[key] for key in ("error", "cause") if ended.get(key))
        raise ActionFailed("JobFailed", f"Execution {name} ended as {ended['status']}: {reason or 'no reason given'}")
    return Outcome(variables={"StateMachineArn": machine, "ExecutionArn": execution_arn})


def _input(context: Context) -> str:
    kind, value = context.optional("InputType", "Literal"), context.optional("Input")
    if kind == "Literal":
        return value or "{}"
    if kind != "FilePath":
        raise configuration_error(f"InputType {kind} is neither Literal nor FilePath")
    if len(context.action.inputs) != 1:
        raise configuration_error("InputType FilePath needs exactly one input artifact")
    return context.read(artifact=context.action.inputs[0], path=value).decode()


def _follow(context: Context, states: Any, execution_arn: str) -> dict[str, Any]:
    found: dict[str, Any] = {}

    def ended() -> bool:
        found.update(states.describe_execution(executionArn=execution_arn))
        return bool(found["status"] != "RUNNING")

    context.wait(ended, default_minutes=_TIMEOUT_MINUTES)
    return found
