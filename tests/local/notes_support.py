"""The tenants of a factory whose component is the serverless example, and what can be seen of them."""

from __future__ import annotations

import json
from typing import Any

from lambdas.saas.model.status import Status
from local_cloud.factory.granary import HOME, NAMES, WORKLOAD, Row
from local_cloud.factory.workspace import OVERLAY
from tests.local.saas.factory import Factory

ADA, BEN, CLEO, DORA = (Row(id=name, type="silo", region=HOME) for name in ("ada", "ben", "cleo", "dora"))
SAYS: dict[str, dict[str, Any]] = {
    ADA.id: {"tier": {"S": "gold"}, "parameters": {"M": {"signing": {"S": "notes/ada"}}}},
    BEN.id: {"tier": {"S": "free"}, "parameters": {"M": {"limit": {"S": "5"}}}},
    CLEO.id: {"tier": {"S": "gold"}, "parameters": {"M": {"signing": {"S": "notes/cleo"}, "limit": {"S": "7"}}}},
    DORA.id: {"tier": {"S": "free"}},
}
KEY = "milk and honey"
# All at once, and one tenant may fail.
_RELEASES = {
    **OVERLAY["toolchain"]["releases"],
    "strategy": "all-at-once",
    "rings": [{"name": "all", "max_failures": 1}],
}
_PROVISIONING = {**OVERLAY["toolchain"]["provisioning"], "sweep_minutes": 60}
CONFIGURED = {**OVERLAY["toolchain"], "provisioning": _PROVISIONING, "releases": _RELEASES}
KEYED: dict[str, Any] = {
    "BillingMode": "PAY_PER_REQUEST",
    "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
    "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
}


def put(factory: Factory, row: Row, **more: Any) -> None:
    """Put a tenant's row, with what it says."""
    factory.put_item({**row.item(), **SAYS[row.id], **more})


def there(factory: Factory, service: str) -> Any:
    """A client in the tenants' account."""
    return factory.granary.client(service, account=WORKLOAD)


def answer(factory: Factory, row: Row) -> dict[str, Any]:
    """What the tenant's function answers, its body read."""
    told = there(factory, "lambda").invoke(FunctionName=f"silo-{row.id}-reader", Payload=b"{}")
    found = json.loads(told["Payload"].read())
    return {**found, "read": json.loads(found["body"])}


def reader(factory: Factory, row: Row) -> dict[str, Any]:
    """The tenant's function, as Lambda has it."""
    found = there(factory, "lambda").get_function_configuration(FunctionName=f"silo-{row.id}-reader")
    return {key: found[key] for key in ("CodeSha256", "MemorySize", "Environment")}


def migrated(factory: Factory, row: Row) -> tuple[int, int]:
    """At which schema the tenant's notes are, and how often that was made."""
    item = there(factory, "dynamodb").get_item(TableName=f"silo-{row.id}-notes", Key={"id": {"S": ".schema"}})["Item"]
    return int(item["at"]["N"]), int(item["runs"]["N"])


def executions(factory: Factory, row: Row) -> list[str]:
    """The executions of the tenant's pipeline."""
    return [one["pipelineExecutionId"] for one in factory.granary.executions(row.pipeline)]


def publishing_builds(factory: Factory) -> int:
    """How many builds have published assets, or tried to."""
    pages = factory.granary.client("codebuild").get_paginator("list_builds_for_project")
    return sum(len(page["ids"]) for page in pages.paginate(projectName=NAMES.assets_project))


def known(factory: Factory, row: Row) -> Status:
    """What the factory knows of the tenant."""
    status = factory.granary.status(row.id)
    assert status is not None
    return status


def make_by_hand(factory: Factory) -> str:
    """A table with a note and its key, as somebody made them under the name of Dora's stack; that stack's id."""
    cloudformation = there(factory, "cloudformation")
    template = json.dumps(cloudformation.get_template(StackName="silo-ada-data")["TemplateBody"])
    # As the component has them, tags included: the local cloud cannot tell what other tags do to a key.
    resources = json.loads(template.replace("silo-ada", "silo-dora").replace('"ada"', '"dora"'))["Resources"]
    types = ("AWS::DynamoDB::Table", "AWS::KMS::Key")
    kept = {name: resource for name, resource in resources.items() if resource["Type"] in types}
    stack = cloudformation.create_stack(StackName="silo-dora-data", TemplateBody=json.dumps({"Resources": kept}))
    cloudformation.get_waiter("stack_create_complete").wait(StackName=stack["StackId"], WaiterConfig={"Delay": 1})
    there(factory, "dynamodb").put_item(TableName="silo-dora-notes", Item={"id": {"S": "bread"}})
    return str(stack["StackId"])
