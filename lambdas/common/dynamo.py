"""The little that Granary needs of DynamoDB's data format and expressions."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, cast

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from botocore.exceptions import ClientError

_serializer = TypeSerializer()
_deserializer = TypeDeserializer()


def read_item(item: Mapping[str, Any]) -> dict[str, Any]:
    """Turn DynamoDB's typed attributes into Python values."""
    return {name: _deserializer.deserialize(value) for name, value in item.items()}


def write_value(value: Any) -> dict[str, Any]:
    """Turn a Python value into DynamoDB's typed form."""
    return cast("dict[str, Any]", _serializer.serialize(value))


def scan_pages(client: Any, *, table: str) -> Iterator[dict[str, Any]]:
    """Yield every item of a table, read consistently, page by page."""
    for page in client.get_paginator("scan").paginate(TableName=table, ConsistentRead=True):
        for item in page["Items"]:
            yield read_item(item)


def get(client: Any, *, table: str, key: str) -> dict[str, Any] | None:
    """Read one item by its `id` with a consistent read."""
    response = client.get_item(TableName=table, Key={"id": {"S": key}}, ConsistentRead=True)
    return read_item(response["Item"]) if "Item" in response else None


def update(
    client: Any,
    *,
    table: str,
    key: str,
    sets: Mapping[str, Any],
    removes: Sequence[str] = (),
    increments: Sequence[str] = (),
    condition: str = "",
    values: Mapping[str, Any] | None = None,
) -> bool:
    """Update one item under a condition; False when the condition did not hold.

    In `condition`, attributes are written `#name` and values `:name`, the latter given in `values`; every `#name`
    stands between spaces.
    """
    names = {f"#{name}": name for name in (*sets, *removes, *increments)}
    names |= _names_in(condition)
    bound = {f":{name}": write_value(value) for name, value in sets.items()}
    bound |= {f":{name}": write_value(value) for name, value in (values or {}).items()}
    if increments:
        bound[":one"] = write_value(1)
    clauses = ["SET " + ", ".join(f"#{name} = :{name}" for name in sets)]
    if removes:
        clauses.append("REMOVE " + ", ".join(f"#{name}" for name in removes))
    if increments:
        clauses.append("ADD " + ", ".join(f"#{name} :one" for name in increments))
    request: dict[str, Any] = {
        "TableName": table,
        "Key": {"id": {"S": key}},
        "UpdateExpression": " ".join(clauses),
        "ExpressionAttributeNames": names,
        "ExpressionAttributeValues": bound,
    }
    if condition:
        request["ConditionExpression"] = condition
    return _holds(client.update_item, request)


def delete(client: Any, *, table: str, key: str, condition: str, values: Mapping[str, Any]) -> bool:
    """Delete one item under a condition, written as for `update`; False when the condition did not hold."""
    request = {
        "TableName": table,
        "Key": {"id": {"S": key}},
        "ConditionExpression": condition,
        "ExpressionAttributeNames": _names_in(condition),
        "ExpressionAttributeValues": {f":{name}": write_value(value) for name, value in values.items()},
    }
    return _holds(client.delete_item, request)


def _names_in(condition: str) -> dict[str, str]:
    return {token: token[1:] for token in condition.split() if token[0] == "#"}


def _holds(write: Callable[..., Any], request: Mapping[str, Any]) -> bool:
    try:
        write(**request)
    except ClientError as error:
        if error.response["Error"]["Code"] == "ConditionalCheckFailedException":
            return False
        raise
    return True
