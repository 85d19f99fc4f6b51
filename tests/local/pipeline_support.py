"""What the tests of the pipeline engine share: roles, buckets, sources, definitions and waiting."""

from __future__ import annotations

import io
import itertools
import json
import time
import uuid
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import pytest

from local_cloud.cloud import LocalCloud

T = TypeVar("T")
_accounts = itertools.count(600000000001)
REGION = "eu-west-1"
DEADLINE_SECONDS = 120.0
QUEUE_TEMPLATE = {
    "Resources": {"Queue": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": {"Ref": "Name"}}}},
    "Parameters": {"Name": {"Type": "String"}},
    "Outputs": {"QueueName": {"Value": {"Fn::GetAtt": ["Queue", "QueueName"]}}},
}


def until(found: Callable[[], T | None], *, what: str, seconds: float = DEADLINE_SECONDS) -> T:
    """The first true value of ``found``; fails when none comes in time."""
    deadline = time.monotonic() + seconds
    while not (value := found()):
        assert time.monotonic() < deadline, f"Waited {seconds} s in vain for {what}"
        time.sleep(0.05)
    return value


def zipped(files: Mapping[str, str]) -> bytes:
    """A zip archive."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for path, text in files.items():
            archive.writestr(path, text)
    return buffer.getvalue()


def action(name: str, kind: str, *, configuration: Mapping[str, str] | None = None, **more: Any) -> dict[str, Any]:
    """An action declaration; ``kind`` is category/provider, ``inputs`` and ``outputs`` are artifact names."""
    category, provider = kind.split("/")
    inputs, outputs = more.pop("inputs", []), more.pop("outputs", [])
    return {
        "name": name,
        "actionTypeId": {"category": category, "owner": "AWS", "provider": provider, "version": "1"},
        "configuration": dict(configuration or {}),
        "inputArtifacts": [{"name": item} for item in inputs],
        "outputArtifacts": [{"name": item} for item in outputs],
        **more,
    }


def approval(name: str, **more: Any) -> dict[str, Any]:
    """A manual approval."""
    return action(name, "Approval/Manual", **more)


@dataclass(kw_only=True)
class World:
    """An account with a versioned source object, an artifact bucket and a pipeline role; names are unique."""

    cloud: LocalCloud
    account: str
    tag: str = field(default_factory=lambda: uuid.uuid4().hex[:8])

    def client(self, service: str, *, region: str = REGION) -> Any:
        """A client of the account's root."""
        return self.cloud.client(service, self.account, region)

    @property
    def pipelines(self) -> Any:
        """The CodePipeline client."""
        return self.client("codepipeline")

    @property
    def bucket(self) -> str:
        """The source bucket."""
        return f"source-{self.tag}"

    @property
    def store(self) -> str:
        """The artifact bucket."""
        return f"artifacts-{self.tag}"

    def build(self) -> World:
        """Create the buckets and the role."""
        s3 = self.client("s3")
        for name in (self.bucket, self.store):
            s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})
        s3.put_bucket_versioning(Bucket=self.bucket, VersioningConfiguration={"Status": "Enabled"})
        self.role("pipeline", service="codepipeline.amazonaws.com", actions=["*"])
        self.put_source({"template.json": json.dumps(QUEUE_TEMPLATE)})
        return self

    def role(self, name: str, *, service: str, actions: Sequence[str], trust: Mapping[str, Any] | None = None) -> str:
        """A role that a service may assume, with these actions on everything."""
        iam, full = self.client("iam"), f"{name}-{self.tag}"
        statement = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
        policy = {"Version": "2012-10-17", "Statement": [{**statement, **(trust or {})}]}
        answer = iam.create_role(RoleName=full, AssumeRolePolicyDocument=json.dumps(policy))
        self.allow(name, actions)
        return str(answer["Role"]["Arn"])

    def allow(self, name: str, actions: Sequence[str]) -> None:
        """Let one of this world's roles do this on everything, besides what it may."""
        allowed = {"Effect": "Allow", "Action": list(actions), "Resource": "*"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
        policy = f"allowed-{uuid.uuid4().hex}"
        self.client("iam").put_role_policy(RoleName=f"{name}-{self.tag}", PolicyName=policy, PolicyDocument=document)

    def role_arn(self, name: str) -> str:
        """The ARN of one of this world's roles."""
        return f"arn:aws:iam::{self.account}:role/{name}-{self.tag}"

    def put_source(self, files: Mapping[str, str], *, key: str = "source.zip") -> str:
        """A new version of the source; returns the version id."""
        answer = self.client("s3").put_object(Bucket=self.bucket, Key=key, Body=zipped(files))
        return str(answer["VersionId"])

    def source(self, **more: Any) -> dict[str, Any]:
        """The source stage."""
        configuration = {
            "S3Bucket": self.bucket,
            "S3ObjectKey": "source.zip",
            "PollForSourceChanges": "false",
            **more.pop("configuration", {}),
        }
        declared = action(
            "Fetch", "Source/S3", configuration=configuration, outputs=["Source"], namespace="Fetched", **more
        )
        return {"name": "Source", "actions": [declared]}

    def definition(self, name: str, stages: Sequence[Mapping[str, Any]], **more: Any) -> dict[str, Any]:
        """A V2 pipeline that begins with the source stage."""
        return {
            "name": f"{name}-{self.tag}",
            "roleArn": self.role_arn("pipeline"),
            "artifactStore": {"type": "S3", "location": self.store},
            "pipelineType": "V2",
            "executionMode": "QUEUED",
            "stages": [self.source(), *stages],
            **more,
        }

    def create(self, name: str, stages: Sequence[Mapping[str, Any]], **more: Any) -> str:
        """Create a pipeline; returns its name."""
        definition = self.definition(name, stages, **more)
        self.pipelines.create_pipeline(pipeline=definition)
        return str(definition["name"])

    def executions(self, pipeline: str) -> list[dict[str, Any]]:
        """The executions, the oldest first."""
        found = self.pipelines.list_pipeline_executions(pipelineName=pipeline)["pipelineExecutionSummaries"]
        return list(reversed(found))

    def ended(self, pipeline: str, execution_id: str | None = None) -> dict[str, Any]:
        """An execution (default: the first) when it has ended."""
        wanted = execution_id or self.executions(pipeline)[0]["pipelineExecutionId"]

        def found() -> dict[str, Any] | None:
            answer = self.pipelines.get_pipeline_execution(pipelineName=pipeline, pipelineExecutionId=wanted)
            execution: dict[str, Any] = answer["pipelineExecution"]
            return execution if execution["status"] not in ("InProgress", "Stopping") else None

        return until(found, what=f"the end of execution {wanted} of {pipeline}")

    def actions(self, pipeline: str, execution_id: str | None = None) -> dict[str, dict[str, Any]]:
        """The latest run of each action, by name."""
        chosen = {"filter": {"pipelineExecutionId": execution_id}} if execution_id else {}
        details = self.pipelines.list_action_executions(pipelineName=pipeline, **chosen)["actionExecutionDetails"]
        return {item["actionName"]: item for item in reversed(details)}

    def waiting_approval(self, pipeline: str, stage: str, name: str) -> str:
        """The token of the approval when it waits."""

        def token() -> str | None:
            state = self.pipelines.get_pipeline_state(name=pipeline)["stageStates"]
            states = next(item["actionStates"] for item in state if item["stageName"] == stage)
            latest = next(item.get("latestExecution", {}) for item in states if item["actionName"] == name)
            found: str | None = latest.get("token")
            return found

        return until(token, what=f"approval {name} of {pipeline}")

    def decide(self, pipeline: str, stage: str, name: str, *, status: str = "Approved") -> None:
        """Answer a waiting approval."""
        token = self.waiting_approval(pipeline, stage, name)
        self.pipelines.put_approval_result(
            pipelineName=pipeline,
            stageName=stage,
            actionName=name,
            token=token,
            result={"summary": "looked at it", "status": status},
        )


@pytest.fixture(scope="module")
def world(cloud: LocalCloud) -> World:
    """An account of the module's own, on the session's local cloud."""
    return World(cloud=cloud, account=str(next(_accounts))).build()
