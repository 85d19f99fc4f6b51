"""What deploying a pipeline talks to: CloudFormation and CodePipeline in memory, with one stack and one pipeline."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from buildspecs.saas.provision.pipelines import TenantPipelines
from lambdas.saas.model.record import DeploymentRecord
from tests.unit.lambdas.saas.fakes import Paged

RECORD = DeploymentRecord(id="a", type="silo", account="222222222222", region="eu-west-1")
NAME = "silo-a-pipeline"
PROJECT = "granary-silo-a-synth"
STACK_ID = f"arn:aws:cloudformation:us-east-1:111111111111:stack/{NAME}/1"
CREATED = datetime(2026, 11, 1, tzinfo=UTC)
LATER = CREATED + timedelta(days=1)
BUCKET = "releases"
STACK: dict[str, Any] = {"StackId": STACK_ID, "CreationTime": CREATED}
ASSEMBLY = Path("/somewhere/assembly")


def error(code: str, message: str = "") -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, "Operation")


@dataclass
class CloudFormation:
    """One stack, or none, and its events."""

    stack: dict[str, Any] | None = None
    fault: ClientError | None = None
    reason: str = "User is not authorized"

    def describe_stacks(self, StackName: str) -> dict[str, Any]:
        if self.fault:
            raise self.fault
        if self.stack is None:
            raise error("ValidationError", f"Stack with id {StackName} does not exist")
        return {"Stacks": [self.stack]}

    def get_paginator(self, operation: str) -> Paged:
        if operation == "list_stack_resources":
            made = {"ResourceType": "AWS::CodeBuild::Project", "PhysicalResourceId": PROJECT}
            return Paged([{"StackResourceSummaries": [made]}])
        failing = {
            "StackId": STACK_ID,
            "Timestamp": LATER,
            "LogicalResourceId": "Pipeline",
            "ResourceType": "AWS::CodePipeline::Pipeline",
            "ResourceStatus": "CREATE_FAILED",
            "ResourceStatusReason": self.reason,
        }
        return Paged([{"StackEvents": [failing]}])


@dataclass
class CodePipeline:
    """One pipeline (none while its version is 0), its newest executions, and those that are started."""

    newest: list[dict[str, Any]] = field(default_factory=list)
    started: list[dict[str, str]] = field(default_factory=list)
    version: int = 1
    updated: datetime = CREATED
    looks: int = 0

    def get_pipeline(self, name: str) -> dict[str, Any]:
        self.looks += 1
        if not self.version:
            raise error("PipelineNotFoundException")
        return {"pipeline": {"version": self.version}, "metadata": {"updated": self.updated}}

    def list_pipeline_executions(self, **request: Any) -> dict[str, Any]:
        assert request == {"pipelineName": NAME, "maxResults": 1}
        return {"pipelineExecutionSummaries": self.newest}

    def start_pipeline_execution(self, **request: str) -> None:
        self.started.append(request)


@dataclass
class CodeBuild:
    """Projects, of which some are not there any more."""

    missing: list[str] = field(default_factory=list)

    def batch_get_projects(self, names: list[str]) -> dict[str, Any]:
        return {"projectsNotFound": [name for name in names if name in self.missing]}


def pipelines(**clients: Any) -> TenantPipelines:
    unused: dict[str, Any] = {"s3": None, "cloudformation": None}
    unused |= {"codepipeline": CodePipeline(), "codebuild": CodeBuild()}
    unused["support"] = lambda _stack, _assembly: ()
    return TenantPipelines(**{**unused, **clients}, releases_bucket=BUCKET, account="111111111111", region="us-east-1")
