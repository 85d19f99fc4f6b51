"""Events that come twice deploy nothing twice."""

from __future__ import annotations

import json
from typing import Any

from lambdas.saas.model.status import Status
from local_cloud.factory.granary import Row
from tests.local.saas.factory import Factory
from tests.local.saas.sights import variables
from tests.local.saas.wave import ACME, EUROPE

ROWS = (ACME, EUROPE)


def _deployed(factory: Factory, row: Row) -> dict[str, Any]:
    """Everything that a second deployment of a tenant would change."""
    status, component = factory.granary.status(row.id), factory.component(row)
    pipeline_stack = factory.stack(row.pipeline)
    assert status is not None
    assert component is not None
    assert pipeline_stack is not None
    place = {"account": row.account, "region": row.region}
    return {
        "status": status,
        "builds": [build["id"] for build in factory.builds_of(row.id)],
        "executions": [execution["pipelineExecutionId"] for execution in factory.granary.executions(row.pipeline)],
        "pipeline stack": (pipeline_stack["StackId"], pipeline_stack.get("LastUpdatedTime")),
        "pipeline operations": factory.operations(pipeline_stack["StackId"]),
        "component operations": factory.operations(component["StackId"], **place),
    }


def _recorded_batch(factory: Factory) -> list[dict[str, Any]]:
    """The records of the rows as the stream delivered them to the function."""
    client = factory.granary.client("dynamodbstreams")
    (stream,) = client.list_streams(TableName=factory.names.deployments_table)["Streams"]
    shards = client.describe_stream(StreamArn=stream["StreamArn"])["StreamDescription"]["Shards"]
    records: list[dict[str, Any]] = []
    for shard in shards:
        iterator = client.get_shard_iterator(
            StreamArn=stream["StreamArn"], ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
        )["ShardIterator"]
        records += client.get_records(ShardIterator=iterator)["Records"]
    for record in records:
        record["dynamodb"].pop("ApproximateCreationDateTime", None)
    ids = {row.id for row in ROWS}
    return [record for record in records if record["dynamodb"]["Keys"]["id"]["S"] in ids]


def test_duplicate_events_deploy_nothing_again(factory: Factory, wave: dict[str, Status]) -> None:
    """Given ACTIVE tenants, when their rows come again in every way that they can, then nothing happens.

    The ways: the same row put again, a change of an attribute that is not the factory's, and the very batch that made
    the tenants delivered once more.
    """
    before = {row.id: _deployed(factory, row) for row in ROWS}
    starts = factory.granary.cloud.faults.calls(service="codebuild", operation="StartBuild")

    factory.put(*ROWS)
    for row in ROWS:
        factory.touch(row, note="asked for by phone")
    batch = _recorded_batch(factory)
    assert {record["eventName"] for record in batch} >= {"INSERT", "MODIFY"}
    assert factory.invoke("onboard", {"Records": batch}) == {"batchItemFailures": []}
    factory.stream_is_drained()

    assert factory.granary.cloud.faults.calls(service="codebuild", operation="StartBuild") == starts
    assert {row.id: _deployed(factory, row) for row in ROWS} == before
    for row in ROWS:
        assert before[row.id]["pipeline operations"] == ["CREATE_IN_PROGRESS"]
        assert before[row.id]["component operations"] == ["CREATE_IN_PROGRESS"]
        factory.hears(row.id, "PENDING", "PROVISIONING", "ACTIVE")


def test_a_second_build_for_the_same_ids_deploys_nothing(factory: Factory, wave: dict[str, Status]) -> None:
    """Given ACTIVE tenants, when another build is started for them, then it finds nothing to do."""
    before = {row.id: _deployed(factory, row) for row in ROWS}
    first = factory.builds_of(ROWS[0].id)[-1]
    ids = json.dumps([row.id for row in ROWS])
    again = factory.granary.client("codebuild").start_build(
        projectName=factory.names.provisioning_project,
        sourceTypeOverride="S3",
        sourceLocationOverride=first["source"]["location"],
        sourceVersion=first["sourceVersion"],
        environmentVariablesOverride=[
            {"name": "DEPLOYMENT_IDS", "value": ids, "type": "PLAINTEXT"},
            {"name": "RELEASE", "value": variables(first)["RELEASE"], "type": "PLAINTEXT"},
        ],
    )["build"]
    assert factory.build_ended(again["id"])["buildStatus"] == "SUCCEEDED"
    for row in ROWS:
        after = _deployed(factory, row)
        assert after.pop("builds") == [again["id"], *before[row.id]["builds"]]
        assert after == {name: value for name, value in before[row.id].items() if name != "builds"}
