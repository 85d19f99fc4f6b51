"""The tenants' pipelines in CodePipeline: in use, out of use, at work."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from lambdas.common.aws_errors import ignoring
from lambdas.saas.lifecycle.facts import Pipeline

# Executions under way are the newest: with the queue at its limit of 50, one page has them all.
# https://docs.aws.amazon.com/codepipeline/latest/userguide/limits.html
_PAGE = 100
# A reason has at most 300 characters, and none of these: []
_REASON_LIMIT = 200
_OVER = frozenset({"DuplicatedStopRequestException", "PipelineExecutionNotStoppableException"})


@dataclass(frozen=True, kw_only=True)
class CodePipelines:
    """Pipelines of the function's own account and Region."""

    client: Any

    def look(self, name: str) -> Pipeline:
        """Read whether a pipeline is there, in use, and at work."""
        try:
            stages = self.client.get_pipeline_state(name=name)["stageStates"]
        except self.client.exceptions.PipelineNotFoundException:
            return Pipeline(exists=False, enabled=False)
        answer = self.client.list_pipeline_executions(pipelineName=name, maxResults=_PAGE)
        executions = sorted(
            answer["pipelineExecutionSummaries"], key=lambda execution: execution["startTime"], reverse=True
        )
        gate = stages[1]
        return Pipeline(
            gate=gate["stageName"],
            enabled=gate.get("inboundTransitionState", {}).get("enabled", True),
            running=tuple(
                execution["pipelineExecutionId"] for execution in executions if execution["status"] == "InProgress"
            ),
            stopping=any(execution["status"] == "Stopping" for execution in executions),
            newest=executions[0]["status"] if executions else "",
        )

    def disable(self, name: str, *, stage: str, reason: str) -> None:
        """Let no execution enter a stage; those that are beyond it go on."""
        self.client.disable_stage_transition(
            pipelineName=name, stageName=stage, transitionType="Inbound", reason=reason[:_REASON_LIMIT]
        )

    def enable(self, name: str, *, stage: str) -> None:
        """Let executions enter a stage again; the one that waits goes on."""
        self.client.enable_stage_transition(pipelineName=name, stageName=stage, transitionType="Inbound")

    def stop(self, name: str, *, execution_id: str, reason: str) -> None:
        """Stop an execution after the actions that are at work; one that has ended meanwhile is no error."""
        with ignoring(*_OVER):
            self.client.stop_pipeline_execution(
                pipelineName=name, pipelineExecutionId=execution_id, abandon=False, reason=reason[:_REASON_LIMIT]
            )

    def start(self, name: str, *, token: str) -> None:
        """Start the pipeline; the same token is the same execution."""
        self.client.start_pipeline_execution(name=name, clientRequestToken=token)
