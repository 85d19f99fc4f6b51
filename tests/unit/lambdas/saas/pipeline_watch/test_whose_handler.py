"""The job of a stage that asks whose its stacks are, on an AWS of moto's: tables, stacks and artifact."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.stub import ANY, Stubber

from lambdas.common import clients
from lambdas.common.cloud_assembly import AssembledStack
from lambdas.saas.model.adoption import StackChanges
from lambdas.saas.model.names import SaasNames
from lambdas.saas.pipeline_watch import handler as pipeline_watch
from tests.unit.lambdas.saas.pipeline_watch.test_before_deploy import ACCOUNT, DATA, GIVEN, MAIN, REGION, lay

pytestmark = pytest.mark.slow

TEMPLATE = {"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}}
ENVIRONMENT = {
    "PREFIX": "granary",
    "DEPLOYMENTS_TABLE": "deployments",
    "STATUS_TABLE": "statuses",
    "RELEASES_TABLE": "releases",
    "LIFECYCLE_MACHINE": f"arn:aws:states:{REGION}:111111111111:stateMachine:granary-lifecycle",
    "TOOLCHAIN_ACCOUNT": "111111111111",
    "BOOTSTRAP_QUALIFIER": "granary",
    "AWS_REGION": REGION,
}
ARTIFACT = {"Bucket": "artifacts", "Key": "silo-acme-pipeline/Synth/a"}


@dataclass(frozen=True, kw_only=True)
class Compared:
    """Change sets, which moto does not delete as AWS does: test_change_sets has them."""

    sts: Any
    names: SaasNames
    qualifier: str
    session_name: str
    roles_advice: Callable[[str], str]

    def changes(self, stack: AssembledStack, standing: Mapping[str, Any]) -> StackChanges:
        assert (self.session_name, self.qualifier) == ("granary-pipeline-watch", "granary")
        assert stack.body == TEMPLATE
        return StackChanges(
            name=stack.name,
            stack_id=standing["StackId"],
            account=stack.account,
            region=stack.region,
            touched=str(standing["CreationTime"]),
            content=stack.content(),
            changes=[{"ResourceChange": {"Action": action, "LogicalResourceId": "X"}} for action in ("Add", "Remove")],
        )


class World:
    """A tenant that stands, and what its pipeline is told."""

    def __init__(self, table: Any, codepipeline: Stubber) -> None:
        self.table = table
        self.codepipeline = codepipeline
        there = boto3.client("sts", REGION).assume_role(
            RoleArn=f"arn:aws:iam::{ACCOUNT}:role/somebody", RoleSessionName="somebody"
        )["Credentials"]
        self.cloudformation = clients.client_as("cloudformation", region=REGION, credentials=there)

    def put(self, table: str, **item: Any) -> None:
        self.table.put_item(TableName=table, Item={"id": {"S": "acme"}, **item})

    @property
    def status(self) -> dict[str, Any]:
        found: dict[str, Any] = self.table.get_item(TableName="statuses", Key={"id": {"S": "acme"}})["Item"]
        return found

    def ask(self) -> None:
        data = {
            "actionConfiguration": {"configuration": {"UserParameters": json.dumps(GIVEN)}},
            "inputArtifacts": [
                {
                    "name": "Synth",
                    "location": {
                        "type": "S3",
                        "s3Location": {"bucketName": ARTIFACT["Bucket"], "objectKey": ARTIFACT["Key"]},
                    },
                }
            ],
            "artifactCredentials": {"accessKeyId": "a", "secretAccessKey": "b", "sessionToken": "c"},
        }
        assert pipeline_watch.handler({"CodePipeline.job": {"id": "job1", "data": data}}, None) is None
        self.codepipeline.assert_no_pending_responses()

    def asks(self, pipeline: str) -> None:
        """CodePipeline is asked whose the job is."""
        data = {"pipelineContext": {"pipelineName": pipeline}}
        self.codepipeline.add_response("get_job_details", {"jobDetails": {"data": data}}, {"jobId": "job1"})

    def succeeds(self, said: str) -> None:
        self.asks("silo-acme-pipeline")
        self.codepipeline.add_response(
            "put_job_success_result", {}, {"jobId": "job1", "executionDetails": {"summary": said}}
        )
        self.ask()

    def fails(self, *, pipeline: str = "silo-acme-pipeline") -> str:
        self.asks(pipeline)
        told: list[str] = []
        self.codepipeline.client.meta.events.register(
            "provide-client-params.codepipeline.PutJobFailureResult",
            lambda params, **_: told.append(params["failureDetails"]["message"]),
        )
        self.codepipeline.add_response("put_job_failure_result", {}, {"jobId": "job1", "failureDetails": ANY})
        self.ask()
        return told[-1]


@pytest.fixture
def world(
    make_table: Callable[[str], Any],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> Iterator[World]:
    table = make_table("statuses")
    make_table("deployments")
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    codepipeline, plain = Stubber(boto3.client("codepipeline", REGION)), clients.client
    codepipeline.activate()
    monkeypatch.setattr(
        pipeline_watch,
        "client",
        lambda service: codepipeline.client if service == "codepipeline" else plain.__wrapped__(service),
    )
    monkeypatch.setattr(pipeline_watch, "ChangeSets", Compared)
    lay(tmp_path, MAIN, DATA)
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for one in tmp_path.rglob("*.json"):
            text = json.dumps(TEMPLATE) if one.stem in (MAIN, DATA) else one.read_text(encoding="utf-8")
            archive.writestr(str(one.relative_to(tmp_path)), text)
    s3 = boto3.client("s3", REGION)
    s3.create_bucket(Bucket=ARTIFACT["Bucket"], CreateBucketConfiguration={"LocationConstraint": REGION})
    s3.put_object(**ARTIFACT, Body=file.getvalue())
    made = World(table, codepipeline)
    made.put(
        "statuses",
        phase={"S": "UPDATING"},
        placed={"M": {"type": {"S": "silo"}, "account": {"S": ACCOUNT}, "region": {"S": REGION}}},
    )
    made.put("deployments")
    pipeline_watch._before_deploy.cache_clear()
    yield made
    pipeline_watch._before_deploy.cache_clear()


def test_a_stranger_stops_the_stage_and_consent_takes_it_over(world: World) -> None:
    """Given a second stack whose name is taken, then nothing is deployed until the row consents; then it is known."""
    world.succeeds("of 2 stacks, all are acme's, or not there yet")
    theirs = world.cloudformation.create_stack(
        StackName=DATA, TemplateBody='{"Resources": {"Queue": {"Type": "AWS::SQS::Queue"}}}'
    )["StackId"]
    refused = world.fails()
    assert refused.startswith(f"nothing is deployed: stack {DATA} stands in account {ACCOUNT} in {REGION} already")
    assert '"allow_adopt": {"BOOL": true}' in refused

    world.put("deployments", allow_adopt={"BOOL": True})
    shown = world.fails()
    assert "to take over stack silo-acme-data in eu-west-1 would add 1, remove 1" in shown
    digest = world.status["adoption"]["M"]["digest"]["S"]
    # Another tenant's pipeline neither clears the plan nor has it carried out.
    told = world.fails(pipeline="silo-evil-pipeline")
    assert told == "pipeline silo-evil-pipeline asks for what only silo-acme-pipeline may ask for: nothing was done"
    assert world.status["adoption"]["M"]["digest"]["S"] == digest
    assert f'put "allow_adopt": {{"S": "{digest}"}} into the row' in shown

    world.put("deployments", allow_adopt={"S": digest})
    world.succeeds(f"takes over {theirs}")
    assert "adoption" not in world.status
    assert [one["M"]["stack_id"]["S"] for one in world.status["adopted"]["L"]] == [theirs]
    # The row may withdraw it from here on.
    world.put("deployments")
    world.succeeds("of 2 stacks, all are acme's, or not there yet")
