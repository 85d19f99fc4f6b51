"""The other services that a release works with, in memory and in simulated time."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any

from botocore.response import StreamingBody

from lambdas.common.revisions import release_key
from lambdas.saas.model.names import component_stack_name, deployment_of_pipeline
from lambdas.saas.model.public_outputs import PUBLIC_PREFIX
from lambdas.saas.model.releases import REVISION_METADATA, tenant_key
from tests.bench.burst.simulation import Simulation
from tests.bench.release.calls import Calls
from tests.bench.release.fleet import ACCOUNT, REGION
from tests.unit.lambdas.saas.fakes import START

RUNNING, SUCCEEDED, FAILED = "InProgress", "Succeeded", "Failed"
# (pipeline, revision): whether an execution with that revision fails there.
Fails = Callable[[str, str], bool]
Answer = Callable[[str, Any, tuple[str, str] | None], None]


class Bucket:
    """S3: objects by key, and of the tenants' copies the release that each is of."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        self.objects: dict[str, bytes] = {}
        self.copies: dict[str, str] = {}

    def put_object(self, **request: Any) -> None:
        self._calls.count("s3", "PutObject")
        self.objects[request["Key"]] = request["Body"]

    def get_object(self, **request: Any) -> dict[str, Any]:
        """A release; they are all empty."""
        self._calls.count("s3", "GetObject")
        body = StreamingBody(io.BytesIO(), 0)
        metadata = {REVISION_METADATA: request["Key"].split("/")[1]}
        return {"Body": body, "Metadata": metadata, "LastModified": START, "VersionId": request["VersionId"]}

    def copy_object(self, **request: Any) -> None:
        self._calls.count("s3", "CopyObject")
        self.copies[request["Key"]] = request["CopySource"]["Key"]

    def read(self, key: str) -> bytes:
        """What the state machine reads of a ring."""
        self._calls.count("s3", "GetObject")
        return self.objects[key]


@dataclass(kw_only=True)
class Run:
    """One execution of a pipeline."""

    id: str
    revision: str
    started: datetime
    status: str = RUNNING


class PipelineNotFoundException(Exception):
    """As botocore names it."""


class _Exceptions:
    PipelineNotFoundException = PipelineNotFoundException


@dataclass(kw_only=True)
class Pipelines:
    """CodePipeline: every execution takes its time, and tells of its beginning and its end by an event."""

    exceptions = _Exceptions

    simulation: Simulation
    calls: Calls
    bucket: Bucket
    seconds: float
    event_seconds: float
    tell: Callable[[str], None]
    fails: Fails
    executions: dict[str, list[Run]] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)

    def start_pipeline_execution(self, *, name: str, clientRequestToken: str) -> dict[str, str]:
        self.calls.count("codepipeline", "StartPipelineExecution")
        if clientRequestToken in self.tokens:
            return {"pipelineExecutionId": self.tokens[clientRequestToken]}
        deployment_type, deployment_id = _deployment(name)
        source = self.bucket.copies[tenant_key(deployment_type, deployment_id)]
        revision = source.split("/")[1]
        if release_key(revision) != source:
            raise ValueError(f"{source} is no release")
        run = Run(id=f"{name}-{len(self.tokens)}", revision=revision, started=self.simulation.clock())
        self.tokens[clientRequestToken] = run.id
        self.executions.setdefault(name, []).append(run)
        self.simulation.after(self.event_seconds, partial(self.tell, name))
        self.simulation.after(self.seconds, partial(self._end, name, run))
        return {"pipelineExecutionId": run.id}

    def get_paginator(self, operation: str) -> Pages:
        found = {"list_pipeline_executions": self._executions, "list_action_executions": self._actions}[operation]
        return Pages(found)

    def _end(self, name: str, run: Run) -> None:
        run.status = FAILED if self.fails(name, run.revision) else SUCCEEDED
        self.simulation.after(self.event_seconds, partial(self.tell, name))

    def _executions(self, request: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        self.calls.count("codepipeline", "ListPipelineExecutions")
        summaries = [
            {
                "pipelineExecutionId": run.id,
                "status": run.status,
                "startTime": run.started,
                "sourceRevisions": [{"revisionSummary": run.revision}],
            }
            for run in self.executions.get(request["pipelineName"], ())
        ]
        yield {"pipelineExecutionSummaries": summaries}

    def _actions(self, request: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        self.calls.count("codepipeline", "ListActionExecutions")
        name = component_stack_name(*_deployment(request["pipelineName"]))
        stack = f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/{name}/00000000-0000-4000-8000-000000000000"
        execution_id = request["filter"]["pipelineExecutionId"]
        run = next(run for run in self.executions[request["pipelineName"]] if run.id == execution_id)
        deploy = {
            "stageName": "Deploy",
            "actionName": "Deploy",
            "status": run.status,
            "startTime": run.started,
            "input": {
                # A failure that its message explains, so that no other account has to be asked.
                "actionTypeId": {"provider": "S3" if run.status == FAILED else "CloudFormation"},
                "configuration": {"ActionMode": "CHANGE_SET_EXECUTE", "StackName": name},
                "roleArn": f"arn:aws:iam::{ACCOUNT}:role/deploy",
                "region": REGION,
            },
            "output": {
                "executionResult": {
                    "externalExecutionId": stack,
                    "errorDetails": {"message": "the stack could not be updated"} if run.status == FAILED else {},
                }
            },
        }
        yield {"actionExecutionDetails": [deploy]}


@dataclass(frozen=True)
class Pages:
    """A paginator."""

    found: Callable[[Mapping[str, Any]], Iterator[dict[str, Any]]]

    def paginate(self, **request: Any) -> Iterator[dict[str, Any]]:
        return self.found(request)


@dataclass(frozen=True, kw_only=True)
class Tokens:
    """Step Functions, for those who answer a waiting task."""

    calls: Calls
    answer: Answer

    def send_task_success(self, *, taskToken: str, output: str) -> None:
        self.calls.count("states", "SendTaskSuccess")
        self.answer(taskToken, output, None)

    def send_task_failure(self, *, taskToken: str, error: str, cause: str) -> None:
        self.calls.count("states", "SendTaskFailure")
        self.answer(taskToken, None, (error, cause))


@dataclass(frozen=True, kw_only=True)
class Parameters:
    """SSM: what was put last."""

    calls: Calls
    values: dict[str, str] = field(default_factory=dict)

    def put_parameter(self, **request: Any) -> None:
        self.calls.count("ssm", "PutParameter")
        self.values[request["Name"]] = request["Value"]


@dataclass(frozen=True, kw_only=True)
class Quotas:
    """Service Quotas of an account whose builds stand in no ring's way."""

    calls: Calls

    def get_service_quota(self, **_request: Any) -> dict[str, Any]:
        self.calls.count("servicequotas", "GetServiceQuota")
        return {"Quota": {"Value": 10_000.0}}


@dataclass(frozen=True, kw_only=True)
class Stacks:
    """CloudFormation of a workload account, each time in a session of the lookup role there."""

    calls: Calls

    def describe_stacks(self, *, StackName: str) -> dict[str, Any]:
        self.calls.count("sts", "AssumeRole")
        self.calls.count("cloudformation", "DescribeStacks")
        address = {"OutputKey": f"{PUBLIC_PREFIX}Address", "OutputValue": f"https://{StackName.split('/')[1]}"}
        return {"Stacks": [{"StackId": StackName, "Outputs": [address]}]}


class Unused:
    """A service that no measured release needs; a call would be an error of the simulation."""


def _deployment(pipeline: str) -> tuple[str, str]:
    found = deployment_of_pipeline(pipeline)
    if found is None:
        raise ValueError(f"{pipeline} is no tenant's pipeline")
    return found
