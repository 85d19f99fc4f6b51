"""The modules that the buildspecs run: what they read from the build's environment, and that they fit together."""

from __future__ import annotations

import io
import json
import runpy
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import boto3
import pytest

from buildspecs import synthesis
from buildspecs.saas import build_steps
from buildspecs.saas.provision.quota_usage import AccountUsage
from buildspecs.saas.provision.quotas import Room, Unreadable
from component import SPEC
from config.loader import load
from constructs_lib.saas.component_spec import BuildStep, Needs
from lambdas.common.clients import client_as
from lambdas.saas.model.names import SaasNames
from lambdas.saas.model.record import DeploymentRecord
from lambdas.saas.model.releases import Release
from lambdas.saas.model.status import Phase, Status
from lambdas.saas.store.tables import StatusTable
from stacks.saas.plan import TenantsPlan
from tests.unit.buildspecs.saas.commands import stand_in
from tests.unit.lambdas.saas.fakes import RELEASE

TOOLCHAIN = load().toolchain
NAMES = SaasNames(prefix=TOOLCHAIN.prefix)


@pytest.fixture
def at_home(aws: None, monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """A build in the toolchain's Region; set its variables with the answer."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", TOOLCHAIN.region)
    return monkeypatch


def run(job: str) -> None:
    runpy.run_module(f"buildspecs.saas.{job}", run_name="__main__")


def ours(service: str, region: str = TOOLCHAIN.region) -> Any:
    return boto3.client(service, region_name=region)  # type: ignore[call-overload]


@pytest.mark.parametrize("returncode", [0, 3])
def test_ci_runs_the_configured_command_and_ends_as_it_does(monkeypatch: pytest.MonkeyPatch, returncode: int) -> None:
    commands = stand_in(monkeypatch)
    commands.returncode = returncode
    with pytest.raises(SystemExit) as ended:
        run("ci.run_tests")
    assert ended.value.code == returncode
    assert commands.run == [list(TOOLCHAIN.ci.test_command)]


def test_publish_release_publishes_the_builds_source(
    at_home: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bucket = NAMES.releases_bucket(TOOLCHAIN.account, TOOLCHAIN.region)
    ours("s3").create_bucket(Bucket=bucket)
    ours("s3").put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    machine = ours("stepfunctions").create_state_machine(
        name=NAMES.release_machine,
        definition=json.dumps({"StartAt": "Done", "States": {"Done": {"Type": "Succeed"}}}),
        roleArn=f"arn:aws:iam::{TOOLCHAIN.account}:role/machine",
    )["stateMachineArn"]
    (tmp_path / "app.py").write_text("x", encoding="utf-8")
    for name, value in {
        "RELEASES_BUCKET": bucket,
        "RELEASE_MACHINE": machine,
        "SOURCE_VERSION": "arn:aws:s3:::source/0f1e2d",
        "CODEBUILD_SRC_DIR": str(tmp_path),
    }.items():
        at_home.setenv(name, value)
    run("publish_release.publish_source")
    (started,) = ours("stepfunctions").list_executions(stateMachineArn=machine)["executions"]
    given = ours("stepfunctions").describe_execution(executionArn=started["executionArn"])["input"]
    release = Release(**json.loads(given)["release"])
    assert release.revision == "0f1e2d"
    body = ours("s3").get_object(Bucket=bucket, Key=release.key)["Body"].read()
    assert zipfile.ZipFile(io.BytesIO(body)).namelist() == ["app.py"]
    assert "published 0f1e2d (releases/0f1e2d/source.zip" in capsys.readouterr().out


PLAIN = DeploymentRecord(id="a", type="pool", account="222222222222", region="eu-west-1")
SPECIAL = replace(PLAIN, size="large", tags=(("cost-center", "1234"),))
FOUR = {"ID": "a", "TYPE": "pool", "ACCOUNT": "222222222222", "REGION": "eu-west-1"}


@pytest.mark.parametrize(
    ("record", "environment"),
    [(PLAIN, FOUR), (SPECIAL, {**FOUR, "RECORD": SPECIAL.to_json()})],
)
def test_tenant_synth_plans_the_one_record_of_its_environment(
    at_home: pytest.MonkeyPatch, tmp_path: Path, record: DeploymentRecord, environment: dict[str, str]
) -> None:
    planned: list[TenantsPlan] = []
    built = BuildStep(name="site", commands=(f"python -c \"open('{tmp_path}/site', 'w')\"",))
    at_home.setattr(build_steps, "SPEC", replace(SPEC, build_steps=(built,)))

    def synthesize(plan: TenantsPlan, *, out: Path) -> None:
        assert (tmp_path / "site").exists(), "what the component's stacks need is built before them"
        out.mkdir()
        planned.append(plan)

    at_home.setattr(synthesis, "synthesize", synthesize)
    at_home.chdir(tmp_path)
    for name, value in environment.items():
        at_home.setenv(f"DEPLOYMENT_{name}", value)
    for region in (TOOLCHAIN.region, record.region):
        ours("ssm", region).put_parameter(Name=NAMES.artifacts_key_parameter, Value=f"key of {region}", Type="String")
    run("tenant_synth.synth")
    (plan,) = planned
    assert plan.deployments == (record,)
    assert plan.artifact_keys == {region: f"key of {region}" for region in (TOOLCHAIN.region, record.region)}
    assert {path.name for path in (tmp_path / "cdk.out").iterdir()} == {"self_mutate.py", "package.json", "cdk.json"}


def provide(at_home: pytest.MonkeyPatch, row: dict[str, str], ids: list[str]) -> None:
    """Make both tables, put the row and set the build's variables."""
    for table in (NAMES.deployments_table, NAMES.status_table):
        ours("dynamodb").create_table(
            TableName=table,
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
    item = {name: {"S": value} for name, value in row.items()}
    ours("dynamodb").put_item(TableName=NAMES.deployments_table, Item=item)
    at_home.setenv("CODEBUILD_BUILD_ID", "granary-provisioning:1")
    at_home.setenv("RELEASE", RELEASE.to_json())
    at_home.setenv("DEPLOYMENT_IDS", json.dumps(ids))


def status_of(deployment_id: str) -> Status:
    status = StatusTable(client=ours("dynamodb"), name=NAMES.status_table).get(deployment_id)
    assert status
    return status


def test_provision_reconciles_the_ids_of_its_environment(
    at_home: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    row = {"id": "a", "type": "tenant", "account": "222222222222", "region": "eu-west-1"}
    provide(at_home, row, ["a", "unknown"])
    run("provision")
    assert capsys.readouterr().out.splitlines() == ["a: say invalid", "unknown: skip"]
    assert status_of("a").phase is Phase.INVALID
    assert "use silo or pool" in status_of("a").reason


@pytest.mark.parametrize("ids", ["", "acme", '"acme"', '{"a": 1}', "[1]", "null", "[" * 100_000])
def test_provision_says_what_is_wrong_with_ids_that_were_written_by_hand(at_home: pytest.MonkeyPatch, ids: str) -> None:
    at_home.setenv("RELEASE", RELEASE.to_json())
    at_home.setenv("DEPLOYMENT_IDS", ids)
    with pytest.raises(SystemExit, match=r'^DEPLOYMENT_IDS is no list of ids: write it as \["acme", "acme2"\]$'):
        run("provision")


@pytest.mark.parametrize("release", ["", "abc123", "[]", '{"revision": 7}'])
def test_provision_says_what_is_wrong_with_a_release_that_was_written_by_hand(
    at_home: pytest.MonkeyPatch, release: str
) -> None:
    at_home.setenv("RELEASE", release)
    at_home.setenv("DEPLOYMENT_IDS", '["a"]')
    with pytest.raises(SystemExit, match=r"^RELEASE cannot be read \(.+\): give it what the parameter"):
        run("provision")


def test_provision_deploys_nothing_into_an_account_that_is_not_bootstrapped(at_home: pytest.MonkeyPatch) -> None:
    commands = stand_in(at_home)
    provide(at_home, {"id": "a", "type": "silo", "account": "222222222222", "region": "eu-west-1"}, ["a"])
    run("provision")
    status = status_of("a")
    assert (status.phase, status.retry, status.claimed_by) == (Phase.FAILED, True, "")
    assert "npx cdk bootstrap aws://222222222222/eu-west-1" in status.reason
    assert commands.run == []


def test_provision_deploys_nothing_into_a_place_that_lacks_what_the_component_needs(
    at_home: pytest.MonkeyPatch,
) -> None:
    at_home.setattr("component.SPEC", replace(SPEC, place_problem=lambda place, _: place.role_problem("anything")))
    commands = stand_in(at_home)
    provide(at_home, {"id": "a", "type": "silo", "account": "222222222222", "region": "eu-west-1"}, ["a"])
    bootstrap("222222222222", "eu-west-1")
    run("provision")
    status = status_of("a")
    assert (status.phase, status.retry) == (Phase.FAILED, True)
    assert "has no role granary-anything" in status.reason
    assert "`npx cdk deploy granary-workload-roles-222222222222`" in status.reason
    assert commands.run == []


@pytest.mark.slow
def test_provision_makes_the_pipeline_of_a_row(at_home: pytest.MonkeyPatch) -> None:
    provide(at_home, {"id": "a", "type": "silo", "account": "222222222222", "region": "eu-west-1"}, ["a"])
    bootstrap("222222222222", "eu-west-1")
    bucket = NAMES.releases_bucket(TOOLCHAIN.account, TOOLCHAIN.region)
    ours("s3").create_bucket(Bucket=bucket)
    ours("s3").put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    version = ours("s3").put_object(Bucket=bucket, Key=RELEASE.key, Body=b"zip")["VersionId"]
    at_home.setenv("RELEASE", replace(RELEASE, version_id=version).to_json())
    for region in (TOOLCHAIN.region, "eu-west-1"):
        ours("ssm", region).put_parameter(Name=NAMES.artifacts_key_parameter, Value="key", Type="String")
    commands = stand_in(at_home)
    commands.effect = lambda: create_stack("silo-a-pipeline") if "deploy" in commands.run[-1] else None
    at_home.setattr(AccountUsage, "room", lambda _self, _pool: Room(allowed=1000))  # moto knows no quotas of ours
    at_home.setattr("component.SPEC", replace(SPEC, place_problem=lambda *_: None))
    run("provision")
    status = status_of("a")
    assert (status.phase, status.reason, status.claimed_by) == (Phase.PROVISIONING, "", "")
    assert status.pipeline_stack
    assert "stack/silo-a-pipeline/" in status.pipeline_stack.stack_id
    assert [command[1:2] for command in commands.run] == [["app.py"], ["deploy"]]
    copied = ours("s3").get_object(Bucket=bucket, Key="tenants/silo-a/source.zip")
    assert copied["Body"].read() == b"zip"


def test_provision_deploys_nothing_for_which_no_quota_has_room(at_home: pytest.MonkeyPatch) -> None:
    commands = stand_in(at_home)
    provide(at_home, {"id": "a", "type": "silo", "account": "222222222222", "region": "eu-west-1"}, ["a"])
    bootstrap("222222222222", "eu-west-1")
    at_home.setattr(AccountUsage, "room", lambda _self, _pool: Unreadable(why="denied"))
    at_home.setattr("component.SPEC", replace(SPEC, place_problem=lambda *_: None, needs=lambda *_: Needs(roles=1)))
    run("provision")
    status = status_of("a")
    assert (status.phase, status.retry, status.claimed_by) == (Phase.FAILED, True, "")
    assert status.reason.startswith("quota: the pipelines allowed and in use in account 111111111111, us-east-1 could")
    assert "IAM roles" in status.reason
    assert commands.run == []


def test_provision_counts_what_the_tier_of_a_row_takes(at_home: pytest.MonkeyPatch) -> None:
    """Given a row that leaves its size to a tier of which the build's own source has the size, then that is counted."""
    stand_in(at_home)
    example = load(Path(__file__).parents[4] / "config/examples/all")
    at_home.setattr("config.loader.load", lambda: example)
    row = {"id": "a", "type": "silo", "account": "222222222222", "region": "eu-west-1", "tier": "gold"}
    provide(at_home, row, ["a"])
    bootstrap("222222222222", "eu-west-1")
    at_home.setattr(AccountUsage, "room", lambda _self, _pool: Room(allowed=7))
    at_home.setattr("buildspecs.saas.provision.place.unpublished", lambda *_, **__: None)
    spec = replace(SPEC, place_problem=lambda *_: None, needs=lambda _, size: Needs(roles=8 if size == "large" else 0))
    at_home.setattr("component.SPEC", spec)
    run("provision")
    assert "IAM roles" in status_of("a").reason


def bootstrap(account: str, region: str) -> None:
    """Leave in an account what `cdk bootstrap` leaves there, as far as the pre-flight looks."""
    role = f"arn:aws:iam::{account}:role/cdk-bootstrap"
    credentials = ours("sts").assume_role(RoleArn=role, RoleSessionName="test")["Credentials"]
    client_as("ssm", region=region, credentials=credentials).put_parameter(
        Name="/cdk-bootstrap/granary/version", Value="32", Type="String"
    )


def create_stack(name: str) -> None:
    template = {"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}}
    ours("cloudformation").create_stack(StackName=name, TemplateBody=json.dumps(template))
