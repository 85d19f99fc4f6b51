"""Pipelines in memory: executions as CodePipeline's API tells them, and the port to them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from lambdas.common.errors import GranaryError
from lambdas.saas.model.status import StackRef
from lambdas.saas.pipeline_watch.executions import ActionRun, Execution
from lambdas.saas.pipeline_watch.stacks import Place
from tests.unit.lambdas.saas.fakes import START

PIPELINE = "silo-silo1-pipeline"
HOME = Place(account="111111111111", region="us-east-1")
WORKLOAD = Place(account="222222222222", region="eu-west-1")
STACK_ID = "arn:aws:cloudformation:eu-west-1:222222222222:stack/silo-silo1-resources/5b6437b0-5d42-11e9-8eef"
DEPLOY_ROLE = "arn:aws:iam::222222222222:role/granary/cdk-granary-deploy-role-222222222222-eu-west-1"


def at(second: int) -> datetime:
    return START + timedelta(seconds=second)


def summary(execution_id: str, status: str, *, second: int = 0, revision: str = "", **more: Any) -> dict[str, Any]:
    """Make a PipelineExecutionSummary; `revision` is what the release's metadata says."""
    fetched = {"actionName": "Release", "revisionId": "v1", "revisionSummary": revision}
    return {
        "sourceRevisions": [fetched] if revision else [],
        "pipelineExecutionId": execution_id,
        "status": status,
        "startTime": at(second),
        "lastUpdateTime": at(second),
        "executionMode": "SUPERSEDED",
        "executionType": "STANDARD",
        "trigger": {
            "triggerType": "StartPipelineExecution",
            "triggerDetail": "arn:aws:sts::1:assumed-role/r",
        },
        **more,
    }


def rollback(
    execution_id: str, status: str, *, second: int, target: str, failed: str = "", revision: str = "", **more: Any
) -> dict[str, Any]:
    """Make the summary of a rollback to a revision: an automated one when it names what failed."""
    automated = {
        "triggerType": "AutomatedRollback",
        "triggerDetail": f'{{"FailedPipelineExecutionId":"{failed}"}}',
    }
    by_hand = {"triggerType": "ManualRollback", "triggerDetail": "arn:aws:sts::1:assumed-role/person"}
    return summary(
        execution_id,
        status,
        second=second,
        revision=revision,
        executionType="ROLLBACK",
        trigger=automated if failed else by_hand,
        rollbackMetadata={"rollbackTargetPipelineExecutionId": target},
        **more,
    )


def detail(stage: str, action: str, status: str, *, provider: str, second: int = 0, **more: Any) -> dict[str, Any]:
    """Make an ActionExecutionDetail; `given` and `output` are what goes in and what came out."""
    category = "Source" if provider == "S3" else "Build" if provider == "CodeBuild" else "Deploy"
    kind = {"category": category, "owner": "AWS", "provider": provider, "version": "1"}
    return {
        "stageName": stage,
        "actionName": action,
        "status": status,
        "startTime": at(second),
        "lastUpdateTime": at(second + 1),
        "input": {"actionTypeId": kind, **more.get("given", {})},
        "output": more.get("output", {}),
    }


def source() -> dict[str, Any]:
    configuration = {"S3Bucket": "releases", "S3ObjectKey": "tenants/silo-silo1/source.zip"}
    return detail("Source", "Release", "Succeeded", provider="S3", given={"configuration": configuration})


def build(status: str, *, second: int = 1, message: str = "") -> dict[str, Any]:
    result = {"externalExecutionId": "granary-silo-silo1-synth:1"}
    error = {"errorDetails": {"code": "JobFailed", "message": message}} if message else {}
    output = {"executionResult": {**result, **error}}
    return detail("Build", "Synth", status, provider="CodeBuild", second=second, output=output)


def deploy(
    status: str, *, mode: str = "CHANGE_SET_EXECUTE", second: int = 3, result: dict[str, Any] | None = None
) -> dict[str, Any]:
    configuration = {
        "ActionMode": mode,
        "StackName": "silo-silo1-resources",
        "ChangeSetName": "PipelineChange",
    }
    given = {"configuration": configuration, "roleArn": DEPLOY_ROLE, "region": "eu-west-1"}
    action = "Prepare" if mode == "CHANGE_SET_REPLACE" else "Deploy"
    output = {"executionResult": result or {}}
    return detail("Deploy", action, status, provider="CloudFormation", second=second, given=given, output=output)


RECORDED = {
    "externalExecutionId": f"stack/detail?stackId={STACK_ID}",
    "externalExecutionUrl": f"https://console.aws.amazon.com/cloudformation/home?#/stack/detail?stackId={STACK_ID}",
    "externalExecutionSummary": "Stack silo-silo1-resources was updated.",
}


def succeeded() -> list[dict[str, Any]]:
    prepared = deploy("Succeeded", mode="CHANGE_SET_REPLACE", second=2, result=RECORDED)
    return [deploy("Succeeded", result=RECORDED), prepared, build("Succeeded"), source()]


def failed_deploy() -> list[dict[str, Any]]:
    error = {"code": "JobFailed", "message": "The change set failed"}
    return [deploy("Failed", result={"errorDetails": error}), build("Succeeded"), source()]


@dataclass
class FakeHistory:
    """The port to executions; `read` counts the executions that were asked for."""

    summaries: list[dict[str, Any]] = field(default_factory=list)
    details: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    read: int = 0

    def executions(self, pipeline: str) -> Iterator[Execution]:
        assert pipeline == PIPELINE
        for one in sorted(self.summaries, key=lambda one: one["startTime"], reverse=True):
            self.read += 1
            yield Execution.from_summary(one)

    def runs(self, pipeline: str, execution_id: str) -> list[ActionRun]:
        assert pipeline == PIPELINE
        return [ActionRun.from_detail(one) for one in self.details.get(execution_id, [])]


@dataclass
class FakeFacts:
    """The port to what is read outside CodePipeline; a text that begins with "!" cannot be read.

    `outputs` are the stacks' in each Region; None is a Region where they cannot be read.
    """

    stack: str | None = None
    build: str | None = None
    known_id: str | None = STACK_ID
    outputs: dict[str, dict[str, str] | None] = field(default_factory=dict)
    asked: list[Any] = field(default_factory=list)

    def stack_failure(self, stack: str, *, place: Place, since: datetime) -> str | None:
        self.asked.append((stack, place, since))
        return self._told(self.stack)

    def build_failure(self, build_id: str) -> str | None:
        self.asked.append(build_id)
        return self._told(self.build)

    def stack_id(self, name: str, *, place: Place) -> str | None:
        self.asked.append((name, place))
        return self.known_id

    def stack_outputs(self, stack: StackRef) -> dict[str, str] | None:
        return self.outputs.get(stack.region, {})

    def _told(self, text: str | None) -> str | None:
        if text and text.startswith("!"):
            raise GranaryError(text[1:])
        return text
