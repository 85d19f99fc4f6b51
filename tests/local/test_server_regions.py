"""Tables in two Regions, and Regions of which one is down."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.local.local_cloud_fixtures import Workbench, wait_until

HERE, THERE = "us-east-1", "eu-west-1"
_KEYS = {"here": "arn:aws:kms:us-east-1:1:key/a", "there": "arn:aws:kms:eu-west-1:1:key/b"}
_TABLE: dict[str, Any] = {
    "Type": "AWS::DynamoDB::GlobalTable",
    "Properties": {
        "TableName": "notes",
        "BillingMode": "PAY_PER_REQUEST",
        "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
        "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
        "StreamSpecification": {"StreamViewType": "NEW_AND_OLD_IMAGES"},
        "SSESpecification": {"SSEEnabled": True, "SSEType": "KMS"},
        "Replicas": [
            {"Region": HERE, "SSESpecification": {"KMSMasterKeyId": _KEYS["here"]}},
            {"Region": THERE, "SSESpecification": {"KMSMasterKeyId": _KEYS["there"]}},
        ],
    },
}
pytestmark = pytest.mark.usefixtures("no_faults")


class Notes:
    """A global table that CloudFormation has made in an account."""

    def __init__(self, workbench: Workbench) -> None:
        self.cloud, self.account = workbench.cloud, workbench.account
        stacks = self.client("cloudformation", HERE)
        stacks.create_stack(StackName="notes", TemplateBody=json.dumps({"Resources": {"Notes": _TABLE}}))
        wait_until(
            lambda: stacks.describe_stacks(StackName="notes")["Stacks"][0]["StackStatus"] == "CREATE_COMPLETE",
            what="the stack",
        )

    def client(self, service: str, region: str) -> Any:
        return self.cloud.client(service, self.account, region)

    def write(self, region: str, text: str) -> None:
        self.client("dynamodb", region).put_item(TableName="notes", Item={"id": {"S": "a"}, "text": {"S": text}})

    def read(self, region: str) -> str | None:
        found = self.client("dynamodb", region).get_item(TableName="notes", Key={"id": {"S": "a"}}, ConsistentRead=True)
        return str(found["Item"]["text"]["S"]) if "Item" in found else None


@pytest.fixture
def notes(workbench: Workbench) -> Notes:
    return Notes(workbench)


def test_cloudformation_makes_the_replica_with_its_own_key(notes: Notes) -> None:
    for region, key in ((HERE, _KEYS["here"]), (THERE, _KEYS["there"])):
        table = notes.client("dynamodb", region).describe_table(TableName="notes")["Table"]
        assert table["SSEDescription"]["KMSMasterKeyArn"] == key
    notes.client("cloudformation", HERE).delete_stack(StackName="notes")
    wait_until(lambda: not notes.client("dynamodb", THERE).list_tables()["TableNames"], what="the replica to go")


def test_writes_of_every_kind_come_to_the_other_region_after_a_while(notes: Notes) -> None:
    notes.write(HERE, "1")
    assert notes.read(THERE) == "1"
    notes.cloud.faults.set({"dynamodb": {"replication_seconds": 3600}})
    item = {"TableName": "notes", "Item": {"id": {"S": "a"}, "text": {"S": "2"}}}
    notes.client("dynamodb", THERE).transact_write_items(TransactItems=[{"Put": item}])
    assert (notes.read(HERE), notes.read(THERE)) == ("1", "2")
    notes.cloud.faults.clear()
    assert notes.read(HERE) == "2"
    notes.client("dynamodb", HERE).delete_item(TableName="notes", Key={"id": {"S": "a"}})
    assert notes.read(THERE) is None


def test_of_two_writes_at_once_the_later_one_is_in_both_regions(notes: Notes) -> None:
    notes.cloud.faults.set({"dynamodb": {"replication_seconds": 3600}})
    notes.write(HERE, "earlier")
    notes.write(THERE, "later")
    assert (notes.read(HERE), notes.read(THERE)) == ("earlier", "later")
    notes.cloud.faults.clear()
    assert (notes.read(HERE), notes.read(THERE)) == ("later", "later")


def test_a_region_that_is_down_answers_nothing_and_catches_up(notes: Notes) -> None:
    zones = notes.client("route53", THERE)
    assert zones.list_hosted_zones()["HostedZones"] == []
    notes.cloud.faults.set({"regions": {"down": [HERE]}})
    notes.write(THERE, "meanwhile")
    for call in (lambda: notes.read(HERE), notes.client("sqs", HERE).list_queues, zones.list_hosted_zones):
        with pytest.raises(ClientError) as raised:
            call()
        assert raised.value.response["ResponseMetadata"]["HTTPStatusCode"] == 503
    notes.cloud.faults.clear()
    assert notes.read(HERE) == "meanwhile"
