"""An example's stacks, in an account whose CloudFormation may do what `granary component check` says, and no more."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lambdas.common.names import bootstrap_role, execution_policy_name
from local_cloud.cloud import PROJECT_ROOT, LocalCloud
from local_cloud.factory.workspace import Workspace
from tests.example_zones import put_example
from tests.local.local_cloud_fixtures import Workbench, wait_until
from tests.synth.assembly import read_templates
from tests.synth.configurations import AWS

REGION = "us-east-1"
_SECONDS = 300


@dataclass(frozen=True, kw_only=True)
class Example:
    """A project with the example, and the account that it is deployed to; `told` is what the check says."""

    workspace: Workspace
    bench: Workbench
    told: Mapping[str, Any]

    @classmethod
    def ready(cls, name: str, *, cloud: LocalCloud, account: str, root: Path) -> Example:
        """A project with the zone and its configuration, and an account for it."""
        workspace = Workspace(root / "project")
        workspace.root.mkdir()
        workspace.fill(overlay={})
        put_example(workspace, name, accounts=[account], regions=[REGION])
        return cls.checked(workspace, bench=Workbench(cloud=cloud, account=account, region=REGION))

    @classmethod
    def checked(cls, workspace: Workspace, *, bench: Workbench) -> Example:
        """Follow CONTRIBUTING, when the zone is there: the check, its policy published, the bootstrap."""
        (workspace.root / "node_modules").symlink_to(PROJECT_ROOT / "node_modules")
        policies = str(workspace.root / "config" / "policies")
        told = json.loads(granary(workspace, "component", "check", "--json", "--write", policies))
        made = cls(workspace=workspace, bench=bench, told=told)
        made._bootstrap()
        return made

    def _bootstrap(self) -> None:
        iam = self.bench.client("iam")
        bound = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
        iam.create_policy(PolicyName="boundary", Path="/landing/", PolicyDocument=json.dumps(bound))
        policies = [
            iam.create_policy(
                PolicyName=execution_policy_name(part),
                PolicyDocument=granary(self.workspace, "execution-policy", "--part", str(part)),
            )["Policy"]["Arn"]
            for part in range(1, self.told["policy"]["parts"] + 1)
        ]
        template = self.workspace.root / "workload-bootstrap.json"
        template.write_text(granary(self.workspace, "bootstrap-template"), encoding="utf-8")
        self.bench.cloud.bootstrap(
            self.bench.account, REGION, qualifier="granary", template=template, execution_policies=policies
        )

    def synthesized(self, *rows: Mapping[str, Any]) -> tuple[Path, dict[str, dict[str, Any]]]:
        """The assembly of tenants, by rows as people put them, and the templates of their stacks by name."""
        key = f"arn:aws:kms:{REGION}:111111111111:key/00000000-0000-4000-8000-000000000000"
        here = {"type": "silo", "account": self.bench.account, "region": REGION}
        plan, out = self.workspace.root / "plan.json", self.workspace.root / "cdk.out"
        plan.write_text(json.dumps({"artifact_keys": {REGION: key}, "deployments": [here | dict(row) for row in rows]}))
        context = json.loads((self.workspace.root / "cdk.json").read_text(encoding="utf-8"))["context"]
        environment = {"CDK_OUTDIR": str(out), "CDK_CONTEXT_JSON": json.dumps({**context, "tenants": str(plan)})}
        run(self.workspace, "app.py", environment=environment)
        return out, {one.stack: dict(one.body) for one in read_templates(out, place=AWS, given=())}

    @property
    def execution_role(self) -> str:
        """ARN of the role that CloudFormation acts with."""
        role = bootstrap_role("cfn-exec", qualifier="granary", account=self.bench.account, region=REGION)
        return f"arn:aws:iam::{self.bench.account}:role/{role}"

    def create(self, name: str, template: Mapping[str, Any]) -> str:
        """Create a stack as that role; its status in the end."""
        self.bench.client("cloudformation").create_stack(
            StackName=name,
            TemplateBody=json.dumps(template),
            RoleARN=self.execution_role,
            Capabilities=["CAPABILITY_NAMED_IAM"],
        )
        return self.settled(name)

    def delete(self, name: str) -> str:
        """Delete a stack as that role; its status in the end."""
        client = self.bench.client("cloudformation")
        stack = client.describe_stacks(StackName=name)["Stacks"][0]["StackId"]
        client.delete_stack(StackName=name, RoleARN=self.execution_role)
        return self.settled(stack)

    def settled(self, name: str) -> str:
        """The status of a stack when nothing goes on with it."""
        client = self.bench.client("cloudformation")

        def status() -> str | None:
            found = str(client.describe_stacks(StackName=name)["Stacks"][0]["StackStatus"])
            return None if found.endswith("_IN_PROGRESS") else found

        return str(wait_until(status, what=f"the end of the operation on {name}"))

    def failures(self, name: str) -> list[str]:
        """Why resources of a stack failed."""
        events = self.bench.client("cloudformation").describe_stack_events(StackName=name)["StackEvents"]
        return [
            f"{one['LogicalResourceId']}: {one.get('ResourceStatusReason')}"
            for one in events
            if "FAILED" in one["ResourceStatus"]
        ]

    def outputs(self, name: str) -> dict[str, str]:
        """The outputs of a stack."""
        found = self.bench.client("cloudformation").describe_stacks(StackName=name)["Stacks"][0].get("Outputs", [])
        return {one["OutputKey"]: one["OutputValue"] for one in found}


def granary(workspace: Workspace, *words: str) -> str:
    """What a command of the project's own command line writes."""
    return run(workspace, "-m", "cli", *words)


def run(workspace: Workspace, *words: str, environment: Mapping[str, str] | None = None) -> str:
    """Run Python in the project, without the rules unless the program asks for them; returns what it writes."""
    done = subprocess.run(
        [sys.executable, *words],
        cwd=workspace.root,
        env={**os.environ, "CDK_VALIDATION": "false", "PYTHONPATH": str(workspace.root), **(environment or {})},
        capture_output=True,
        text=True,
        timeout=_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    return done.stdout
