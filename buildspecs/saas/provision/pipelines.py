"""Deploying a tenant's pipeline stack, and seeing to it that the pipeline runs."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from botocore.exceptions import ClientError

from buildspecs.saas.synthesis import ROOT
from lambdas.common.errors import GranaryError
from lambdas.common.names import pipeline_name
from lambdas.common.record import DeploymentRecord
from lambdas.common.releases import Release, tenant_key
from lambdas.common.stack_events import StackFailures
from lambdas.common.status import StackRef

_DEPLOY_TIMEOUT_SECONDS = 1800
_SHOWN_LINES = 3
_RUNNING = frozenset({"InProgress", "Stopping"})
_CLI_OPTIONS = ("--exclusively", "--require-approval", "never", "--progress", "events", "--ci")


@dataclass(frozen=True, kw_only=True)
class Deployed:
    """A pipeline stack after its deployment, and whether that changed it."""

    stack: StackRef
    changed: bool


class Pipelines(Protocol):
    """Port to the tenants' pipelines."""

    @property
    def region(self) -> str: ...
    def pin(self, record: DeploymentRecord, release: Release) -> None: ...
    def deploy(self, record: DeploymentRecord, *, assembly: Path, say: Callable[[str], None]) -> Deployed: ...
    def run(self, record: DeploymentRecord, *, deployed: Deployed, token: str) -> str | None: ...


@dataclass(frozen=True, kw_only=True)
class TenantPipelines:
    """The tenants' pipelines: CDK CLI, CloudFormation, CodePipeline and the tenants' copies of the release."""

    s3: Any
    cloudformation: Any
    codepipeline: Any
    releases_bucket: str
    account: str
    region: str

    def pin(self, record: DeploymentRecord, release: Release) -> None:
        """Give the tenant its copy of the release, unless it has one: moving it on is the release's business."""
        key = tenant_key(record.type, record.id)
        try:
            self.s3.head_object(Bucket=self.releases_bucket, Key=key)
        except ClientError as error:
            if error.response["Error"]["Code"] not in ("404", "NoSuchKey", "NotFound"):
                raise
            source = {"Bucket": self.releases_bucket, "Key": release.key, "VersionId": release.version_id}
            self.s3.copy_object(Bucket=self.releases_bucket, Key=key, CopySource=source)

    def deploy(self, record: DeploymentRecord, *, assembly: Path, say: Callable[[str], None]) -> Deployed:
        """Deploy the pipeline stack with the CDK CLI.

        Raises:
            GranaryError: with the stack's first failing event, or the end of what the CLI printed.
        """
        name = pipeline_name(record.type, record.id)
        before = self._stack(name)
        done = _run_cli(name, assembly)
        say(done.stdout + done.stderr)
        after = self._stack(name)
        if done.returncode != 0:
            # A stack that the CLI has not touched can only tell of a failure of long ago.
            reason = (
                None if _touched(before) == _touched(after) else StackFailures(client=self.cloudformation).first(name)
            )
            raise GranaryError(f"stack {name} could not be deployed: {reason or _tail(done)}")
        if after is None:
            raise GranaryError(f"stack {name} is not there after its deployment")
        return Deployed(
            stack=StackRef(kind="pipeline", stack_id=after["StackId"], account=self.account, region=self.region),
            changed=_touched(before) != _touched(after),
        )

    def run(self, record: DeploymentRecord, *, deployed: Deployed, token: str) -> str | None:
        """See to it that the pipeline runs; returns the execution that has delivered this very pipeline already.

        A pipeline that was just created or changed starts by itself; one that was not, and whose newest execution did
        not succeed, is started.
        """
        if deployed.changed:
            return None
        name = pipeline_name(record.type, record.id)
        newest = self.codepipeline.list_pipeline_executions(pipelineName=name, maxResults=1)[
            "pipelineExecutionSummaries"
        ]
        if newest and newest[0]["status"] == "Succeeded":
            execution_id: str = newest[0]["pipelineExecutionId"]
            return execution_id
        if not newest or newest[0]["status"] not in _RUNNING:
            self.codepipeline.start_pipeline_execution(name=name, clientRequestToken=token)
        return None

    def _stack(self, name: str) -> dict[str, Any] | None:
        try:
            stack: dict[str, Any] = self.cloudformation.describe_stacks(StackName=name)["Stacks"][0]
        except ClientError as error:
            if "does not exist" in error.response["Error"]["Message"]:
                return None
            raise
        return stack


def _run_cli(name: str, assembly: Path) -> subprocess.CompletedProcess[str]:
    # The only word that comes from a row is the stack's name, and that of a checked record.
    return subprocess.run(  # noqa: S603
        ["npx", "cdk", "deploy", name, "--app", str(assembly), *_CLI_OPTIONS],  # noqa: S607
        cwd=ROOT,
        env={**os.environ, "CDK_DISABLE_CLI_TELEMETRY": "true"},
        capture_output=True,
        text=True,
        timeout=_DEPLOY_TIMEOUT_SECONDS,
        check=False,
    )


def _touched(stack: Mapping[str, Any] | None) -> Any:
    """When the stack's newest operation began; None when there is no stack."""
    return stack and stack.get("LastUpdatedTime", stack["CreationTime"])


def _tail(done: subprocess.CompletedProcess[str]) -> str:
    lines = (line.strip() for line in (done.stderr.strip() or done.stdout.strip()).splitlines())
    telling = [line for line in lines if line and not line.startswith("npm ")]  # npx has remarks of its own
    return " | ".join(telling[-_SHOWN_LINES:]) or "no message"
