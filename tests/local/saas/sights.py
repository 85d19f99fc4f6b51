"""What can be seen of the factory under test."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from lambdas.saas.model.names import SaasNames, component_stack_name
from lambdas.saas.model.public_outputs import public_outputs
from local_cloud.factory.granary import HOME, NAMES, Granary, Row
from local_cloud.factory.inbox import Inbox

_BEGINNINGS = ("CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS", "DELETE_IN_PROGRESS")


@dataclass(kw_only=True)
class Sights:
    """A deployed factory to look at; `bus` and `people` keep its lifecycle events and its messages to people."""

    granary: Granary
    bus: Inbox
    people: Inbox
    names: SaasNames = NAMES

    def item(self, deployment_id: str) -> dict[str, Any] | None:
        """The row as the table holds it."""
        key = {"id": {"S": deployment_id}}
        answer = self.granary.client("dynamodb").get_item(TableName=self.names.deployments_table, Key=key)
        found: dict[str, Any] | None = answer.get("Item")
        return found

    def failed_action(self, pipeline: str) -> str:
        """The action of a pipeline that failed last: name, message, and the log of its build; empty when none did."""
        client = self.granary.client("codepipeline")
        for detail in client.list_action_executions(pipelineName=pipeline)["actionExecutionDetails"]:
            if detail["status"] == "Failed":
                result = detail["output"]["executionResult"]
                text = f"{detail['actionName']}: {result.get('errorDetails', {}).get('message', '')}"
                is_build = detail["input"]["actionTypeId"]["provider"] == "CodeBuild"
                return f"{text}\n{self.log(result['externalExecutionId'])}" if is_build else text
        return ""

    def log(self, build_id: str) -> str:
        """The log of a build."""
        (build,) = self.granary.client("codebuild").batch_get_builds(ids=[build_id])["builds"]
        events = self.granary.client("logs").get_log_events(
            logGroupName=build["logs"]["groupName"], logStreamName=build["logs"]["streamName"], startFromHead=True
        )["events"]
        return "\n".join(event["message"] for event in events)

    def told(self, deployment_id: str) -> list[dict[str, Any]]:
        """The phases that were published of a deployment, the oldest first."""
        details = [m["detail"] for m in self.bus.messages() if m["detail-type"] == "Deployment Phase Changed"]
        return sorted((d for d in details if d["id"] == deployment_id), key=lambda detail: str(detail["at"]))

    def phases_told(self, deployment_id: str) -> list[str]:
        """The phases alone, without repetitions."""
        phases = [str(detail["to"]) for detail in self.told(deployment_id)]
        return [phase for index, phase in enumerate(phases) if index == 0 or phases[index - 1] != phase]

    def builds(self) -> list[dict[str, Any]]:
        """The provisioning builds, the newest first."""
        codebuild = self.granary.client("codebuild")
        ids = codebuild.list_builds_for_project(projectName=self.names.provisioning_project)["ids"]
        if not ids:
            return []
        found: list[dict[str, Any]] = codebuild.batch_get_builds(ids=ids)["builds"]
        return found

    def builds_of(self, deployment_id: str) -> list[dict[str, Any]]:
        """The provisioning builds that were asked to look at a deployment."""
        return [build for build in self.builds() if deployment_id in json.loads(variables(build)["DEPLOYMENT_IDS"])]

    def logged(self, group: str, text: str) -> list[str]:
        """The lines of a log group that contain a text."""
        logs = self.granary.client("logs")
        pages = logs.get_paginator("filter_log_events").paginate(logGroupName=group)
        return [event["message"] for page in pages for event in page["events"] if text in event["message"]]

    def stack(self, name: str, *, account: str | None = None, region: str = HOME) -> dict[str, Any] | None:
        """A stack of the toolchain account, or of another; None when there is none."""
        place = {"region": region, **({"account": account} if account else {})}
        with suppress(ClientError):
            found: dict[str, Any] = self.granary.client("cloudformation", **place).describe_stacks(StackName=name)[
                "Stacks"
            ][0]
            return found
        return None

    def component(self, row: Row) -> dict[str, Any] | None:
        """The stack of a deployment's component, where its row says."""
        return self.stack(component_stack_name(row.type, row.id), account=row.account, region=row.region)

    def public(self, row: Row) -> dict[str, str]:
        """What a deployment's component declares public, as its stack has it."""
        outputs = (self.component(row) or {}).get("Outputs", ())
        return public_outputs({one["OutputKey"]: one["OutputValue"] for one in outputs})[0]

    def operations(self, stack_id: str, *, account: str | None = None, region: str = HOME) -> list[str]:
        """What was ever begun on a stack, the oldest first: CREATE_IN_PROGRESS, UPDATE_IN_PROGRESS, ..."""
        place = {"region": region, **({"account": account} if account else {})}
        events = self.granary.client("cloudformation", **place).describe_stack_events(StackName=stack_id)["StackEvents"]
        own = [e["ResourceStatus"] for e in reversed(events) if e["ResourceType"] == "AWS::CloudFormation::Stack"]
        return [status for status in own if status in _BEGINNINGS]

    def pipeline(self, name: str) -> dict[str, Any] | None:
        """A pipeline's definition; None when there is no such pipeline."""
        client = self.granary.client("codepipeline")
        try:
            found: dict[str, Any] = client.get_pipeline(name=name)["pipeline"]
        except client.exceptions.PipelineNotFoundException:
            return None
        return found


def variables(build: Mapping[str, Any]) -> dict[str, str]:
    """A build's environment variables by name."""
    return {entry["name"]: entry["value"] for entry in build["environment"]["environmentVariables"]}
