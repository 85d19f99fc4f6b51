"""Event source mappings of streams: what a function reports as failed is delivered again, and nothing before it."""

from __future__ import annotations

import json

from tests.local.local_cloud_fixtures import Workbench, allow, wait_until, zipped

# Reports the record `b` as failed when it sees it for the first time, and tells a queue what it was given.
_HANDLER = """
import json, os, boto3
failed = set()

def handler(event, context):
    ids = [record["dynamodb"]["Keys"]["id"]["S"] for record in event["Records"]]
    boto3.client("sqs").send_message(QueueUrl=os.environ["QUEUE"], MessageBody=json.dumps(ids))
    for record in event["Records"]:
        if record["dynamodb"]["Keys"]["id"]["S"] == "b" and "b" not in failed:
            failed.add("b")
            return {"batchItemFailures": [{"itemIdentifier": record["dynamodb"]["SequenceNumber"]}]}
    return {"batchItemFailures": []}
"""


def test_a_batch_is_delivered_again_from_the_first_failed_record(workbench: Workbench) -> None:
    queue = workbench.client("sqs").create_queue(QueueName="seen")["QueueUrl"]
    role = workbench.role(
        "worker",
        principal={"Service": "lambda.amazonaws.com"},
        statements=[allow("sqs:SendMessage"), allow("dynamodb:*"), allow("logs:*")],
    )
    workbench.client("lambda").create_function(
        FunctionName="worker",
        Runtime="python3.11",
        Role=role,
        Handler="index.handler",
        # A busy machine may take longer than a function's three seconds, and who is killed is given its batch again.
        Timeout=60,
        Code={"ZipFile": zipped({"index.py": _HANDLER})},
        Environment={"Variables": {"QUEUE": queue}},
    )
    table = workbench.client("dynamodb").create_table(
        TableName="rows",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"},
    )["TableDescription"]
    for deployment_id in "abc":
        workbench.client("dynamodb").put_item(TableName="rows", Item={"id": {"S": deployment_id}})
    workbench.client("lambda").create_event_source_mapping(
        FunctionName="worker",
        EventSourceArn=table["LatestStreamArn"],
        StartingPosition="TRIM_HORIZON",
        FunctionResponseTypes=["ReportBatchItemFailures"],
    )
    batches: list[list[str]] = []

    def both() -> bool:
        messages = workbench.client("sqs").receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", [])
        for message in messages:
            batches.append(json.loads(message["Body"]))
            workbench.client("sqs").delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
        return len(batches) == 2

    wait_until(both, what="both deliveries")
    assert batches == [["a", "b", "c"], ["b", "c"]]
