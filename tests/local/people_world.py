"""Of a factory, what its commands look at, in an account of its own; and the roles of its people, as IAM has them.

Nothing of it works: what a command comes to that IAM lets through is for the tests of the factory.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import pytest
from typer.testing import CliRunner

from cli.app import app
from cli.people import ROLES
from lambdas.common import dynamo
from lambdas.common.clients import client
from lambdas.common.names import ROOM_TAG
from lambdas.common.revisions import release_key
from lambdas.common.versioned_json import plain
from lambdas.lake.model.governance.plan import Plan
from lambdas.lake.model.governance.report import Report
from lambdas.lake.model.objects import AuditRow, ObjectVersion, Phase
from lambdas.lake.store.plans import Plans
from lambdas.lake.store.reports import Reports
from lambdas.resilience.model.failover.names import FailoverNames
from lambdas.saas.model.contract import CONTRACT
from local_cloud.cloud import PROJECT_ROOT
from local_cloud.factory.granary import KEYS
from tests.local.local_cloud_fixtures import Workbench
from tests.unit.cli.saas.factory import NAMES, RELEASE, Answer, Factory, ring

HOME, AWAY = "us-east-1", "eu-west-1"
POLICIES = PROJECT_ROOT / "config/policies/people"
_TABLES = ("granary-lake-dev-audit", "granary-lake-governance", "granary-resilience-attempts")
_OBJECT = ObjectVersion(bucket="granary-lake-dev-raw", key="nyc_tlc/green_trips/a.csv", version="1")
_FAILED = AuditRow(
    id=_OBJECT.id,
    bucket=_OBJECT.bucket,
    key=_OBJECT.key,
    version=_OBJECT.version,
    day="2026-11-28",
    dataset="green_trips",
    phase=Phase.FAILED,
    claimed_at="2026-11-28T10:00:00.000+00:00",
)


@dataclass(frozen=True, kw_only=True)
class People:
    """The account, with a toolchain and a lake in it."""

    bench: Workbench
    factory: Factory
    plan: str
    keys: Mapping[str, Mapping[str, str]]
    object_id: str = _OBJECT.id

    @classmethod
    def build(cls, bench: Workbench, folder: Path) -> People:
        """Put there what commands look at, and make the roles."""
        patches = pytest.MonkeyPatch()
        factory = Factory(
            directory=_configuration(folder, bench.account),
            monkeypatch=patches,
            db=bench.client("dynamodb"),
            s3=bench.client("s3"),
            account=bench.account,
        )
        patches.undo()
        for name in _TABLES:
            _table(factory.db, name)
        s3, place = bench.client("s3"), f"{bench.account}/{HOME}"
        plans_bucket, releases_bucket = (f"granary-{one}-{bench.account}-{HOME}" for one in ("lake-plans", "releases"))
        s3.create_bucket(Bucket=plans_bucket)
        s3.put_bucket_versioning(Bucket=plans_bucket, VersioningConfiguration={"Status": "Enabled"})
        published = replace(RELEASE, revision="abc", sha256=hashlib.sha256(b"{}").hexdigest(), contract=CONTRACT)
        for key in (release_key("abc"), "verdicts/abc/secrets.json"):
            s3.put_object(Bucket=releases_bucket, Key=key, Body=b"{}", Metadata=published.metadata)
        plans = Plans(
            s3=s3,
            dynamodb=factory.db,
            bucket=plans_bucket,
            table=_TABLES[1],
            place=place,
            clock=lambda: datetime.now(UTC),
        )
        facts: dict[str, Any] = {"catalog": bench.account, "region": HOME, "day": "2026-11-28", "policy": "p"}
        plan = Plan(**facts, observation="o", approvals=("ada gains personal data",))
        plans.keep(plan, "page")
        report = Report(catalog=bench.account, region=HOME, month="2026-10", day="2026-11-01")
        Reports(s3=s3, bucket=plans_bucket, place=place).keep(report)
        bench.client("ssm").put_parameter(Name=NAMES.release_parameter, Value=RELEASE.to_json(), Type="String")
        _api(bench)
        _leftover(bench)
        for role in ROLES:
            bench.role(f"granary-{role}", principal={"AWS": bench.account}, statements=statements(role))
        keys = {role: bench.assume(f"arn:aws:iam::{bench.account}:role/granary-{role}") for role in ROLES}
        return cls(bench=bench, factory=factory, plan=plan.digest, keys=keys)

    def granary(self, role: str, *words: str) -> Answer:
        """Run a command as somebody of a role, in this process: a hundred of them would take minutes to begin."""
        theirs = {variable: self.keys[role][name] for name, variable in KEYS.items()}
        boto3.DEFAULT_SESSION = None
        client.cache_clear()
        env = {**self.bench.cloud.env(self.bench.account, HOME), **theirs}
        result = CliRunner().invoke(
            app, ["--config", str(self.factory.directory), *words], env=env, prog_name="granary"
        )
        client.cache_clear()
        boto3.DEFAULT_SESSION = None
        return Answer(code=result.exit_code, stdout=result.stdout, stderr=result.stderr)

    # What commands find

    def settle(self) -> None:
        """Everything as it was in the beginning: a tenant that stands, one that is suspended, one that is spoilt."""
        self.factory.row("acme")
        self.factory.status("acme", build_id="granary-provisioning:1")
        self.factory.row("parked", state="suspended")
        self.factory.status("parked", "SUSPENDED")
        self.factory.row("spoilt")
        self.factory.status("spoilt", release_ring=7)
        dynamo.put(self.factory.db, table=_TABLES[0], item={**plain(_FAILED), "attempt": 1})
        self.factory.run(state="SUCCEEDED")
        self.factory.db.delete_item(TableName=NAMES.releases_table, Key={"id": {"S": "release/newest"}})

    def waits(self) -> None:
        """A ring asks."""
        self.factory.run(rings=(ring(0, "canary", "APPROVAL", approval_token="T"),))

    def stopped(self) -> None:
        """The line was stopped."""
        self.factory.run(state="STOPPED")

    def pinned(self) -> None:
        """A row pins a release."""
        self.factory.row("acme", revision="abc", revision_reason="test")

    def unreleased(self) -> None:
        """CI/CD has published what nobody has started."""
        self.factory.runs.keep(replace(RELEASE, revision="newest", published_at="2026-11-27T09:00:00.000+00:00"))


def statements(role: str) -> list[dict[str, Any]]:
    """The policy of a role, as it is in the source."""
    return list(json.loads((POLICIES / f"{role}.json").read_text(encoding="utf-8"))["Statement"])


def _configuration(folder: Path, account: str) -> Path:
    """Every room is on, and the lake is in the same account."""
    shutil.copytree(PROJECT_ROOT / "config/examples/all", folder, dirs_exist_ok=True)
    tenants = '"222222222222"'
    for name, former, new in (
        ("toolchain", "111111111111", account),
        ("lake", "222222222222", account),
        ("workloads", f"- {tenants}", f'- {tenants}\n  - "{account}"'),
    ):
        file = folder / f"{name}.yaml"
        file.write_text(file.read_text(encoding="utf-8").replace(former, new), encoding="utf-8")
    return folder


def _table(db: Any, name: str) -> None:
    db.create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )


def _leftover(bench: Workbench) -> None:
    """A stack of a room that is in no source any more."""
    parameter = {"Type": "AWS::SSM::Parameter", "Properties": {"Type": "String", "Value": "left"}}
    bench.client("cloudformation").create_stack(
        StackName="granary-gone",
        TemplateBody=json.dumps({"Resources": {"Left": parameter}}),
        Tags=[{"Key": ROOM_TAG, "Value": "granary/gone"}],
    )


def _api(bench: Workbench) -> None:
    """An API whose routes lead nowhere, known by the parameter, in both Regions."""
    for region in (HOME, AWAY):
        api = bench.cloud.client("apigatewayv2", bench.account, region)
        made = api.create_api(Name="failover", ProtocolType="HTTP")["ApiId"]
        uri = f"arn:aws:lambda:{region}:{bench.account}:function:nobody"
        whole = api.create_integration(
            ApiId=made, IntegrationType="AWS_PROXY", IntegrationUri=uri, PayloadFormatVersion="2.0"
        )
        for command in ("plan", "start", "status", "drill", "history"):
            target = f"integrations/{whole['IntegrationId']}"
            api.create_route(ApiId=made, RouteKey=f"POST /{command}", AuthorizationType="AWS_IAM", Target=target)
        api.create_stage(ApiId=made, StageName="$default", AutoDeploy=True)
        endpoint = bench.cloud.env(bench.account, region)["AWS_ENDPOINT_URL"]
        bench.cloud.client("ssm", bench.account, region).put_parameter(
            Name=FailoverNames(prefix="granary").api_parameter,
            Value=f"{endpoint}/_aws/execute-api/{made}",
            Type="String",
        )


SCENES: dict[str, Callable[[People], None]] = {
    "approve": People.waits,
    "reject": People.waits,
    "release": People.unreleased,
    "resume": People.stopped,
    "unpin": People.pinned,
}
