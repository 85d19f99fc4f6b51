"""Deploying a tenant's pipeline stack, and seeing to it that the pipeline runs."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from buildspecs.saas.provision.support_stacks import SupportStacks
from buildspecs.synthesis import ROOT
from lambdas.common.aws_errors import NO_OBJECT, ignoring
from lambdas.common.errors import GranaryError
from lambdas.common.stack_events import StackFailures, stack_of
from lambdas.saas.model.contract import contract_needed
from lambdas.saas.model.names import pipeline_name
from lambdas.saas.model.record import DeploymentRecord
from lambdas.saas.model.releases import Release, contract_of, tenant_key
from lambdas.saas.model.status import StackRef
from lambdas.saas.store.tenant_copies import copy_release

_DEPLOY_TIMEOUT_SECONDS = 1800
_SHOWN_LINES = 3
# What `npm ci` has put there: npx would look for it in a process of its own, for each stack.
_CLI = ROOT / "node_modules/.bin/cdk"
_RUNNING = frozenset({"InProgress", "Stopping"})
_CLI_OPTIONS = {
    "deploy": ("--exclusively", "--require-approval", "never", "--progress", "events", "--ci"),
    "destroy": ("--exclusively", "--force", "--ci"),
}


@dataclass(frozen=True, kw_only=True)
class Deployed:
    """A pipeline stack after its deployment.

    `changed` says whether that changed the stack, and `restarted` whether it changed the pipeline in it, which then
    starts by itself. `touched` is when the stack's newest operation began. `support` are the stacks that it needs in
    other Regions.
    """

    stack: StackRef
    changed: bool
    restarted: bool = True
    touched: datetime | None = None
    support: tuple[StackRef, ...] = ()


class Pipelines(Protocol):
    """Port to the tenants' pipelines."""

    @property
    def region(self) -> str: ...
    def outdated(self, record: DeploymentRecord) -> bool: ...
    def pin(self, record: DeploymentRecord, release: Release, *, fresh: bool = False) -> None: ...
    def deploy(self, record: DeploymentRecord, *, assembly: Path, say: Callable[[str], None]) -> Deployed: ...
    def run(self, record: DeploymentRecord, *, deployed: Deployed, token: str, again: bool = False) -> str | None: ...


@dataclass(frozen=True, kw_only=True)
class TenantPipelines:
    """The tenants' pipelines: CDK CLI, CloudFormation, CodePipeline and the tenants' copies of the release.

    `support` finds the stacks that a pipeline stack needs in other Regions, by its name and the assembly.
    """

    s3: Any
    cloudformation: Any
    codepipeline: Any
    codebuild: Any
    releases_bucket: str
    account: str
    region: str
    support: SupportStacks

    def pin(self, record: DeploymentRecord, release: Release, *, fresh: bool = False) -> None:
        """Give the tenant its copy of the release, unless it has one: moving it on is the release's business.

        A `fresh` tenant has never deployed its copy, or cannot deploy its row with it; it gets this release whatever it
        has.
        """
        key = tenant_key(record.type, record.id)
        if fresh or not self._has(key):
            copy_release(self.s3, self.releases_bucket, release, key=key)

    def outdated(self, record: DeploymentRecord) -> bool:
        """Whether the tenant's copy of a release knows less than the row says, and would take that out again."""
        needed = contract_needed(None, vars(record))
        with ignoring(*NO_OBJECT):
            key = tenant_key(record.type, record.id)
            return bool(needed) and contract_of(self._head(key)["Metadata"]) < needed
        return False

    def _has(self, key: str) -> bool:
        with ignoring(*NO_OBJECT):
            self._head(key)
            return True
        return False

    def _head(self, key: str) -> Mapping[str, Any]:
        head: Mapping[str, Any] = self.s3.head_object(Bucket=self.releases_bucket, Key=key)
        return head

    def deploy(self, record: DeploymentRecord, *, assembly: Path, say: Callable[[str], None]) -> Deployed:
        """Deploy the pipeline stack with the CDK CLI; one that somebody has deleted parts of by hand is made anew.

        Raises:
            GranaryError: with the stack's first failing event, or the end of what the CLI printed.
        """
        name = pipeline_name(record.type, record.id)
        stood = stack_of(self.cloudformation, name) is not None
        try:
            deployed = self._deploy(name, assembly=assembly, say=say)
            lost = () if deployed.changed else self._lost(name)
        except GranaryError:
            lost = self._lost(name) if stood else ()
            if not lost:
                raise
        if lost:
            # CloudFormation does not look whether what it made is still there, and the stack holds nothing to lose.
            say(f"{', '.join(lost)} of stack {name} was deleted by hand: the stack is made anew")
            done = _run_cli("destroy", name, assembly)
            say(done.stdout + done.stderr)
            deployed = self._deploy(name, assembly=assembly, say=say)
        return deployed

    def _lost(self, name: str) -> tuple[str, ...]:
        """The pipeline and the projects that a stack has made, and that are not there any more."""
        pages = self.cloudformation.get_paginator("list_stack_resources").paginate(StackName=name)
        made = [resource for page in pages for resource in page["StackResourceSummaries"]]
        projects = [one["PhysicalResourceId"] for one in made if one["ResourceType"] == "AWS::CodeBuild::Project"]
        missing = self.codebuild.batch_get_projects(names=projects)["projectsNotFound"] if projects else []
        return (*(() if self._version(name) else (f"pipeline {name}",)), *(f"project {one}" for one in missing))

    def _deploy(self, name: str, *, assembly: Path, say: Callable[[str], None]) -> Deployed:
        before = stack_of(self.cloudformation, name)
        version = self._version(name) if before else None
        done = _run_cli("deploy", name, assembly)
        say(done.stdout + done.stderr)
        after = stack_of(self.cloudformation, name)
        if done.returncode != 0:
            # A stack that the CLI has not touched can only tell of a failure of long ago.
            reason = (
                None if _touched(before) == _touched(after) else StackFailures(client=self.cloudformation).first(name)
            )
            raise GranaryError(f"stack {name} could not be deployed: {reason or _tail(done)}")
        if after is None:
            raise GranaryError(f"stack {name} is not there after its deployment")
        changed = _touched(before) != _touched(after)
        return Deployed(
            stack=StackRef(kind="pipeline", stack_id=after["StackId"], account=self.account, region=self.region),
            changed=changed,
            restarted=changed and (version is None or version != self._version(name)),
            touched=_touched(after),
            support=self.support(name, assembly),
        )

    def run(self, record: DeploymentRecord, *, deployed: Deployed, token: str, again: bool = False) -> str | None:
        """See to it that the pipeline runs, `again` if it has.

        Returns the execution that has delivered this very pipeline already.

        A pipeline that was just created or changed starts by itself; one of whose stack only a project was changed does
        not. One that was not changed is started when its newest execution did not succeed, or is older than the stack:
        a build may have ended between changing a project and starting the pipeline.
        """
        if deployed.changed and deployed.restarted:
            return None
        name = pipeline_name(record.type, record.id)
        newest = None if deployed.changed else self._newest_execution(name)
        if newest and newest["status"] in _RUNNING:
            return None
        if not again and newest and newest["status"] == "Succeeded" and not _older(newest, deployed.touched):
            execution_id: str = newest["pipelineExecutionId"]
            return execution_id
        self.codepipeline.start_pipeline_execution(name=name, clientRequestToken=token)
        return None

    def _newest_execution(self, name: str) -> dict[str, Any] | None:
        newest = self.codepipeline.list_pipeline_executions(pipelineName=name, maxResults=1)
        return next(iter(newest["pipelineExecutionSummaries"]), None)

    def _version(self, name: str) -> tuple[int, datetime] | None:
        """What changes with each change of the pipeline; None when there is none."""
        with ignoring("PipelineNotFoundException"):
            found = self.codepipeline.get_pipeline(name=name)
            return found["pipeline"]["version"], found["metadata"]["updated"]
        return None


def _run_cli(command: str, name: str, assembly: Path) -> subprocess.CompletedProcess[str]:
    # The only word that comes from a row is the stack's name, and that of a checked record.
    with subprocess.Popen(  # noqa: S603
        [str(_CLI), command, name, "--app", str(assembly), *_CLI_OPTIONS[command]],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as cli:
        try:
            stdout, stderr = cli.communicate(timeout=_DEPLOY_TIMEOUT_SECONDS)
        except BaseException:
            # What the CLI has started would go on changing a stack whose claim is given back.
            with suppress(ProcessLookupError):
                os.killpg(cli.pid, signal.SIGKILL)
            raise
    return subprocess.CompletedProcess(cli.args, cli.returncode, stdout, stderr)


def _touched(stack: Mapping[str, Any] | None) -> Any:
    """When the stack's newest operation began; None when there is no stack."""
    return stack and stack.get("LastUpdatedTime", stack["CreationTime"])


def _older(execution: Mapping[str, Any], touched: datetime | None) -> bool:
    started = execution.get("startTime")
    return touched is not None and started is not None and bool(started < touched)


def _tail(done: subprocess.CompletedProcess[str]) -> str:
    lines = (line.strip() for line in (done.stderr.strip() or done.stdout.strip()).splitlines())
    telling = [line for line in lines if line]
    return " | ".join(telling[-_SHOWN_LINES:]) or "no message"
