"""A factory's tables and machines on moto's AWS, and running `granary` against them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import pytest
from typer.testing import CliRunner

from cli.app import app
from lambdas.common import dynamo
from lambdas.saas.model.names import SaasNames, pipeline_name
from lambdas.saas.model.record import DeploymentRecord
from lambdas.saas.model.releases import Release
from lambdas.saas.model.runs import Ring, Run, run_name
from lambdas.saas.model.status import Placement, StackRef
from lambdas.saas.store.runs_table import RunsTable

ACCOUNT = "123456789012"  # moto's
REGION = "us-east-1"
NAMES = SaasNames(prefix="granary")
NOW = "2026-11-25T10:00:00.000+00:00"
TRUST = {"Statement": [{"Principal": {"Service": "codepipeline.amazonaws.com"}, "Action": "sts:AssumeRole"}]}
RELEASE = Release(
    revision="4f2c9d1",
    key="releases/4f2c9d1/source.zip",
    version_id="v1",
    sha256="c0ffee00" * 8,
    published_at="2026-11-25T09:00:00.000+00:00",
)


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a command came to."""

    code: int
    stdout: str
    stderr: str

    @property
    def document(self) -> Any:
        return json.loads(self.stdout)


@dataclass
class Factory:
    """The factory; `directory` has its configuration."""

    directory: Path
    monkeypatch: pytest.MonkeyPatch
    db: Any = field(default_factory=lambda: boto3.client("dynamodb", region_name=REGION))
    deleted: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        for name in (NAMES.deployments_table, NAMES.status_table, NAMES.releases_table):
            self.db.create_table(
                TableName=name,
                KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
                AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
                BillingMode="PAY_PER_REQUEST",
            )
        s3, bucket = boto3.client("s3", region_name=REGION), NAMES.releases_bucket(ACCOUNT, REGION)
        s3.create_bucket(Bucket=bucket)
        s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
        self.monkeypatch.setattr("cli.saas.session.standing_pipelines", lambda _client: self._standing())

    def _standing(self) -> set[str]:
        """All pipelines but those that were deleted: moto makes none without all that they are made of."""
        statuses = dynamo.scan_pages(self.db, table=NAMES.status_table)
        return {pipeline_name("silo", str(one["id"])) for one in statuses} - self.deleted

    @property
    def runs(self) -> RunsTable:
        return RunsTable(client=self.db, name=NAMES.releases_table)

    def granary(self, *words: str, stdin: str = "") -> Answer:
        """Run a command."""
        result = CliRunner().invoke(app, ["--config", str(self.directory), *words], input=stdin)
        return Answer(code=result.exit_code, stdout=result.stdout, stderr=result.stderr)

    def row(self, deployment_id: str = "acme", **attributes: Any) -> dict[str, Any]:
        """Put a row."""
        row = {"id": deployment_id, "type": "silo", "account": "222222222222", "region": "eu-west-1", **attributes}
        dynamo.put(self.db, table=NAMES.deployments_table, item=row)
        return row

    def read_row(self, deployment_id: str = "acme") -> dict[str, Any] | None:
        return dynamo.get(self.db, table=NAMES.deployments_table, key=deployment_id)

    def status(self, deployment_id: str = "acme", phase: str = "ACTIVE", **attributes: Any) -> None:
        """Put a status, of a deployment whose row is applied."""
        item = {
            "id": deployment_id,
            "phase": phase,
            "type": "silo",
            "account": "222222222222",
            "region": "eu-west-1",
            "wanted_digest": digest(deployment_id),
            "applied_digest": digest(deployment_id),
            "updated_at": NOW,
            **attributes,
        }
        dynamo.put(self.db, table=NAMES.status_table, item=item)

    def run(self, *, state: str = "RUNNING", rings: tuple[Ring, ...] = (), release: Release = RELEASE) -> str:
        """Put a run that is in force, with its release; answers its name."""
        name = run_name(release)
        self.runs.keep(release)
        for ring in rings:
            self.runs.planned(ring)
        dynamo.put(self.db, table=NAMES.releases_table, item={"id": "current", "run": name})
        total = sum(ring.total for ring in rings)
        reason = "ring canary: 1 of 2 failed" if state == "STOPPED" else ""
        self.runs.begun(
            Run(
                run=name,
                revision=release.revision,
                state=state,
                strategy="rings",
                rings=len(rings),
                deployments=total,
                reason=reason,
            )
        )
        return name

    def machine(self, name: str) -> Any:
        """Make a state machine; answers a client to ask for its executions with."""
        client = boto3.client("stepfunctions", region_name=REGION)
        definition = {"StartAt": "End", "States": {"End": {"Type": "Succeed"}}}
        role = f"arn:aws:iam::{ACCOUNT}:role/machine"
        client.create_state_machine(name=name, definition=json.dumps(definition), roleArn=role)
        return client


def make_pipeline(name: str, *, configuration: Mapping[str, str] | None = None, provider: str = "Lambda") -> None:
    """A pipeline with one action after its source."""
    boto3.client("iam", region_name=REGION).create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(TRUST))

    def stage(name: str, category: str, provider: str, configuration: Mapping[str, str]) -> dict[str, Any]:
        kind = {"category": category, "owner": "AWS", "provider": provider, "version": "1"}
        return {"name": name, "actions": [{"name": name, "actionTypeId": kind, "configuration": configuration}]}

    boto3.client("codepipeline", region_name=REGION).create_pipeline(
        pipeline={
            "name": name,
            "roleArn": f"arn:aws:iam::{ACCOUNT}:role/{name}",
            "artifactStore": {"type": "S3", "location": "artifacts"},
            "stages": [
                stage("Source", "Source", "S3", {"S3Bucket": "b", "S3ObjectKey": "k"}),
                stage("Deploy", "Invoke" if provider == "Lambda" else "Deploy", provider, configuration or {}),
            ],
        }
    )


def digest(deployment_id: str) -> str:
    """The digest of the row that `Factory.row` puts."""
    record = DeploymentRecord(id=deployment_id, type="silo", account="222222222222", region="eu-west-1")
    return record.digest()


def ring(index: int, name: str, state: str, **attributes: Any) -> Ring:
    """A ring of the run of RELEASE."""
    rest = {"total": 2, "concurrency": 5, "allowed_failures": 0, "bake_seconds": 0, **attributes}
    return Ring(run=run_name(RELEASE), index=index, name=name, state=state, **rest)


def stack(kind: str, deployment_id: str = "acme", *, region: str = "eu-west-1") -> dict[str, str]:
    """A stack as a status keeps it."""
    name = f"silo-{deployment_id}-{'pipeline' if kind == 'pipeline' else 'resources'}"
    return {
        "kind": kind,
        "stack_id": f"arn:aws:cloudformation:{region}:222222222222:stack/{name}/1b2c",
        "account": "222222222222",
        "region": region,
    }


def ref(kind: str, deployment_id: str = "acme", *, region: str = "eu-west-1") -> StackRef:
    """The same, as it is read."""
    return StackRef(**stack(kind, deployment_id, region=region))


PLACED = Placement(type="silo", account="222222222222", region="eu-west-1")
