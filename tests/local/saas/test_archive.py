"""What a component declares stateful is archived before it is deleted, by a role of its account's administrator."""

from __future__ import annotations

import json

import pytest

from lambdas.saas.model.lifecycle import ENDED
from lambdas.saas.model.names import component_stack_name
from lambdas.saas.model.status import Phase, Status
from local_cloud.factory.granary import HOME, NAMES, WORKLOAD, Row, wait_until
from tests.local.saas.factory import PATIENCE_SECONDS, Factory

KEEPER = Row(id="keeper", type="silo", region="us-east-1", ring="general")
TABLE = "silo-keeper-data"
_PLACE = {"account": WORKLOAD, "region": KEEPER.region}
_DATA = {
    "Type": "AWS::DynamoDB::Table",
    "Properties": {
        "TableName": TABLE,
        "BillingMode": "PAY_PER_REQUEST",
        "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
        "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
    },
}


@pytest.fixture(scope="module")
def keeper(factory: Factory) -> Status:
    """A tenant whose component has a table, and says so; the factory's role stands in its account."""
    factory.granary.cloud.cdk(
        ["deploy", NAMES.workload_roles_stack(WORKLOAD), "--require-approval", "never"],
        account=WORKLOAD,
        region=HOME,
        cwd=factory.granary.workspace.root,
        extra_env={"CDK_VALIDATION": "false"},
    )
    actions = ["dynamodb:CreateTable", "dynamodb:DeleteTable", "dynamodb:DescribeTable", "dynamodb:TagResource"]
    factory.granary.extend_execution_policy(actions, resources=["arn:*:dynamodb:*:*:table/silo-*"])
    factory.put(KEEPER)
    status = factory.active(KEEPER)[KEEPER.id]
    cloudformation = factory.granary.client("cloudformation", **_PLACE)
    name = component_stack_name(KEEPER.type, KEEPER.id)
    template = cloudformation.get_template(StackName=name)["TemplateBody"]
    body = json.loads(template) if isinstance(template, str) else template
    body["Resources"]["Data"] = _DATA
    body.setdefault("Outputs", {})["StatefulData"] = {"Value": f"dynamodb-table:{TABLE}"}
    cloudformation.update_stack(StackName=name, TemplateBody=json.dumps(body))

    def updated() -> bool | None:
        stack = factory.component(KEEPER)
        return True if stack and stack["StackStatus"] == "UPDATE_COMPLETE" else None

    wait_until(updated, seconds=PATIENCE_SECONDS, what="the component to have a table")
    return status


def test_a_table_is_backed_up_before_its_tenant_is_deleted(factory: Factory, keeper: Status) -> None:
    """Given a stateful component, when its tenant is retired, then the table is gone, and a backup is kept."""
    assert factory.cli("retire", "--yes", KEEPER.id).returncode == 0

    def ended() -> Status | None:
        status = factory.granary.status(KEEPER.id)
        return status if status and (status.phase in ENDED or status.phase is Phase.FAILED) else None

    status = wait_until(ended, seconds=PATIENCE_SECONDS, what=f"the end of {KEEPER.id}")
    assert (status.phase, status.warnings) == (Phase.RETIRED, ()), status.reason
    dynamodb = factory.granary.client("dynamodb", **_PLACE)
    (backup,) = dynamodb.list_backups(TableName=TABLE)["BackupSummaries"]
    assert any(backup["BackupArn"] in archive for archive in status.archives)
    assert TABLE not in dynamodb.list_tables()["TableNames"]
    assert factory.component(KEEPER) is None
