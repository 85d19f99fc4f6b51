"""The factory on a running local cloud: bootstrap, deploy, push, put rows, and read back what came of them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self, TypeVar

from lambdas.common.names import BOOTSTRAP_TEMPLATE, WORKLOAD_EXECUTION_POLICY
from lambdas.saas.model.names import SaasNames, component_stack_name, pipeline_name
from lambdas.saas.model.runs import Ring, Run
from lambdas.saas.model.status import Status
from lambdas.saas.store.runs_table import RunsTable
from lambdas.saas.store.tables import StatusTable
from local_cloud.cloud import PROJECT_ROOT, LocalCloud, LocalCloudError
from local_cloud.factory.workspace import OVERLAY, Workspace
from local_cloud.factory.zone import RUNS

TOOLCHAIN = "111111111111"
WORKLOAD = "222222222222"
HOME = "us-east-1"
REGIONS = ("us-east-1", "eu-west-1")
QUALIFIER = "granary"
NAMES = SaasNames(prefix="granary")
POLL_SECONDS = 0.5
# No wait is a claim of speed: three runs of tests, each with a cloud and its builds, share two processors.
PATIENCE = 3
_CLI_TIMEOUT_SECONDS = 600
# What an STS answer has, as shells know it.
KEYS = {
    "AccessKeyId": "AWS_ACCESS_KEY_ID",
    "SecretAccessKey": "AWS_SECRET_ACCESS_KEY",
    "SessionToken": "AWS_SESSION_TOKEN",
}

Found = TypeVar("Found")


@dataclass(frozen=True, kw_only=True)
class Row:
    """A row of the deployments table; what is empty is left out."""

    id: str
    type: str
    region: str
    account: str = WORKLOAD
    ring: str = ""
    state: str = ""
    size: str = ""
    standby_region: str = ""

    @property
    def pipeline(self) -> str:
        """Name of the tenant's pipeline, and of its stack."""
        return pipeline_name(self.type, self.id)

    def item(self) -> dict[str, dict[str, str]]:
        """The row as put-item takes it."""
        return {name: {"S": value} for name, value in vars(self).items() if value}


def workspace_folder(cloud: LocalCloud) -> Path:
    """Where the workspace of a local cloud's factory is."""
    return cloud.settings.state_dir / "workspace"


class Granary:
    """The factory in account 111111111111, us-east-1, deployed from a workspace."""

    def __init__(self, cloud: LocalCloud, workspace: Workspace) -> None:
        self.cloud = cloud
        self.workspace = workspace
        self._assembled = ""
        self.statuses = StatusTable(client=self.client("dynamodb"), name=NAMES.status_table)
        self.runs = RunsTable(client=self.client("dynamodb"), name=NAMES.releases_table)

    @classmethod
    def build(
        cls,
        cloud: LocalCloud,
        *,
        overlay: Mapping[str, Mapping[str, Any]] = OVERLAY,
        step: Callable[[str], AbstractContextManager[None]] = lambda _: nullcontext(),
    ) -> Self:
        """The factory from nothing, with its source not pushed yet; `step` surrounds each part, which it is told."""
        with step("copy the project into a git repository of its own"):
            granary = cls(cloud, Workspace.create(workspace_folder(cloud), overlay=overlay, whole=False))
        with step("cdk bootstrap: two accounts in two Regions"):
            granary.bootstrap()
        with step(f"cdk deploy {NAMES.toolchain_stack}"):
            granary.deploy()
        if overlay.get("workloads", {}).get("component") == RUNS:
            with step(f"cdk deploy {NAMES.workload_roles_stack(WORKLOAD)}: the roles that components need there"):
                granary.deploy_workload_roles()
        return granary

    def client(self, service: str, *, account: str = TOOLCHAIN, region: str = HOME) -> Any:
        """A boto3 client that acts as the root of an account."""
        return self.cloud.client(service, account, region)

    def bootstrap(self) -> None:
        """Bootstrap both accounts in both Regions with the real CDK CLI, as the README says."""
        with ThreadPoolExecutor(1) as pool:
            workload = pool.submit(self.bootstrap_workload, WORKLOAD, *REGIONS)
            self.cloud.bootstrap(TOOLCHAIN, *REGIONS)
            workload.result()

    def bootstrap_workload(self, account: str, *regions: str) -> None:
        """Make a workload account's policy, and bootstrap it with the template that the command line makes."""
        policy = self.publish_execution_policy(account)
        template = self.cloud.settings.state_dir / BOOTSTRAP_TEMPLATE
        command = [sys.executable, "-m", "cli", "--config", str(self.workspace.root / "config"), "bootstrap-template"]
        template.write_bytes(subprocess.run(command, cwd=PROJECT_ROOT, capture_output=True, check=True).stdout)
        self.cloud.bootstrap(account, *regions, qualifier=QUALIFIER, template=template, execution_policies=[policy])

    def publish_execution_policy(self, account: str) -> str:
        """Say what CloudFormation may do in a workload account, as the source does; returns the policy's ARN."""
        document = (self.workspace.root / "config/policies/workload-execution.json").read_text(encoding="utf-8")
        iam, arn = self.client("iam", account=account), f"arn:aws:iam::{account}:policy/{WORKLOAD_EXECUTION_POLICY}"
        try:
            iam.create_policy(PolicyName=WORKLOAD_EXECUTION_POLICY, PolicyDocument=document)
        except iam.exceptions.EntityAlreadyExistsException:
            iam.create_policy_version(PolicyArn=arn, PolicyDocument=document, SetAsDefault=True)
        return arn

    def extend_execution_policy(self, actions: Sequence[str], *, resources: Sequence[str]) -> None:
        """Let CloudFormation do more in the workload account: who adds something to the component publishes that."""
        iam = self.client("iam", account=WORKLOAD)
        arn = f"arn:aws:iam::{WORKLOAD}:policy/{WORKLOAD_EXECUTION_POLICY}"
        current = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
        document = iam.get_policy_version(PolicyArn=arn, VersionId=current)["PolicyVersion"]["Document"]
        document["Statement"].append({"Effect": "Allow", "Action": list(actions), "Resource": list(resources)})
        iam.create_policy_version(PolicyArn=arn, PolicyDocument=json.dumps(document), SetAsDefault=True)

    def deploy(self) -> None:
        """Deploy the toolchain (and the artifact stores of the other Regions) from the workspace."""
        self._cdk_deploy(NAMES.toolchain_stack, account=TOOLCHAIN)

    def deploy_workload_roles(self) -> None:
        """Deploy the roles that the workload account's administrator makes, from the workspace."""
        self._cdk_deploy(NAMES.workload_roles_stack(WORKLOAD), "--exclusively", account=WORKLOAD)

    def administer(self, stack: str, *, region: str = HOME) -> None:
        """Deploy a stack as the administrator of the workload account does."""
        self._cdk_deploy(stack, "--exclusively", account=WORKLOAD, region=region)

    def _cdk_deploy(self, *words: str, account: str, region: str = HOME) -> None:
        """Deploy from the workspace: what was synthesized of its last commit is not synthesized again."""
        commit = self.workspace.committed()
        assembled = ["--app", "cdk.out"] if commit and commit == self._assembled else []
        self.cloud.cdk(
            ["deploy", *words, *assembled, "--require-approval", "never", "--progress", "events"],
            account=account,
            region=region,
            cwd=self.workspace.root,
            extra_env={"CDK_VALIDATION": "false"},
        )
        self._assembled = commit

    def push(self, summary: str) -> str:
        """Upload the committed source; returns the version that the CI/CD pipeline will check."""
        answer = self.client("s3").put_object(
            Bucket=NAMES.source_bucket(TOOLCHAIN, HOME),
            Key="source.zip",
            Body=self.workspace.archive(),
            Metadata={"codepipeline-artifact-revision-summary": summary},
        )
        version: str = answer["VersionId"]
        return version

    def put(self, row: Row) -> None:
        """Put a row: that is all it takes."""
        self.client("dynamodb").put_item(TableName=NAMES.deployments_table, Item=row.item())

    def status(self, deployment_id: str) -> Status | None:
        """What the factory has observed of a deployment."""
        return self.statuses.get(deployment_id)

    def run(self, revision: str = "") -> Run | None:
        """The run of a release that is in force; with a revision, only when it is about that."""
        current = self.runs.current()
        run = self.runs.run(current) if current else None
        return run if run and revision in ("", run.revision) else None

    def rings(self, run: Run) -> dict[str, Ring]:
        """The rings of a run, by name."""
        return {ring.name: ring for ring in self.runs.rings(run)}

    def cli(
        self, *words: str, shown: bool = False, account: str = TOOLCHAIN, keys: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run the operator's command line in the workspace, as an account or with an STS answer's credentials.

        `shown` leaves it the terminal.
        """
        theirs = {variable: keys[name] for name, variable in KEYS.items()} if keys else {}
        return subprocess.run(
            [str(self.cloud.python), "-m", "cli", *words],
            cwd=self.workspace.root,
            env={**os.environ, **self.cloud.env(account, HOME), **theirs},
            capture_output=not shown,
            text=True,
            timeout=_CLI_TIMEOUT_SECONDS,
            check=False,
        )

    def executions(self, pipeline: str) -> list[dict[str, Any]]:
        """Executions of a pipeline, newest first; none when there is no such pipeline."""
        client = self.client("codepipeline")
        try:
            found: list[dict[str, Any]] = client.list_pipeline_executions(pipelineName=pipeline)[
                "pipelineExecutionSummaries"
            ]
        except client.exceptions.PipelineNotFoundException:
            return []
        return found

    def stages(self, pipeline: str) -> list[tuple[str, str]]:
        """Stages of a pipeline with the state of their newest execution; none when there is no such pipeline."""
        client = self.client("codepipeline")
        try:
            states = client.get_pipeline_state(name=pipeline)["stageStates"]
        except client.exceptions.PipelineNotFoundException:
            return []
        return [(state["stageName"], state.get("latestExecution", {}).get("status", "")) for state in states]

    def component(self, row: Row) -> dict[str, Any] | None:
        """The stack of a deployment's component, in the workload account."""
        client = self.client("cloudformation", account=row.account, region=row.region)
        for page in client.get_paginator("describe_stacks").paginate():
            for stack in page["Stacks"]:
                if stack["StackName"] == component_stack_name(row.type, row.id):
                    found: dict[str, Any] = stack
                    return found
        return None


def wait_until(
    look: Callable[[], Found | None], *, seconds: float, what: str, also: Callable[[], Sequence[str]] = tuple
) -> Found:
    """Wait until `look` finds something; `also` may name failures that end the wait at once.

    `seconds` are those of a machine with nothing else to do.

    Raises:
        LocalCloudError: time is up, or `also` named a failure.
    """
    deadline = time.monotonic() + seconds * PATIENCE
    while (found := look()) is None:
        if failures := also():
            raise LocalCloudError(f"waiting for {what}: " + "; ".join(failures))
        if time.monotonic() > deadline:
            raise LocalCloudError(f"waited {seconds * PATIENCE:g} s for {what}")
        time.sleep(POLL_SECONDS)
    return found
