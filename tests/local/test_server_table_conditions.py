"""Policies that bound the keys of a table's items, for requests about one item and about several."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.local.local_cloud_fixtures import Workbench, allow

_TABLE = "claims"


def _key(name: str) -> dict[str, Any]:
    return {"id": {"S": name}}


def _update(name: str) -> dict[str, Any]:
    values = {":by": {"S": "me"}}
    return {
        "TableName": _TABLE,
        "Key": _key(name),
        "UpdateExpression": "SET a = :by",
        "ExpressionAttributeValues": values,
    }


_REQUESTS: dict[str, Callable[[Any, str, str], Any]] = {
    "one": lambda client, _, last: client.update_item(**_update(last)),
    "batch": lambda client, first, last: client.batch_get_item(
        RequestItems={_TABLE: {"Keys": [_key(first), _key(last)]}}
    ),
    "writes": lambda client, first, last: client.batch_write_item(
        RequestItems={_TABLE: [{"PutRequest": {"Item": _key(first)}}, {"DeleteRequest": {"Key": _key(last)}}]}
    ),
    "transaction": lambda client, first, last: client.transact_write_items(
        TransactItems=[{"Update": _update(first)}, {"Update": _update(last)}]
    ),
}


@pytest.mark.parametrize("request_of", _REQUESTS.values(), ids=_REQUESTS)
def test_a_bound_on_keys_is_about_every_item(workbench: Workbench, request_of: Callable[[Any, str, str], Any]) -> None:
    """Given who may touch keys that begin with `a/`, then one other key among several is too much."""
    workbench.client("dynamodb").create_table(
        TableName=_TABLE,
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    conditions: dict[str, Any] = {
        "ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["a/*"]},
        "Null": {"dynamodb:LeadingKeys": "false"},
    }
    role = workbench.role(
        "claimant", principal={"AWS": workbench.account}, statements=[allow("dynamodb:*", **conditions)]
    )
    client = workbench.client("dynamodb", workbench.assume(role))
    request_of(client, "a/1", "a/2")
    with pytest.raises(ClientError, match="AccessDenied"):
        request_of(client, "a/1", "b/1")
