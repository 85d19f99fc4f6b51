"""The little that Granary needs of DynamoDB's data format and expressions."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from decimal import Decimal
from typing import Any, cast

from boto3.dynamodb.types import Binary, TypeDeserializer, TypeSerializer

from lambdas.common.aws_errors import ignoring

# Keys that one request takes.
_BATCH_LIMIT = 100


class _Deserializer(TypeDeserializer):
    """Reads whatever DynamoDB keeps: boto3's own refuses an item for the smallest numbers, and for a binary in JSON."""

    def _deserialize_n(self, value: str) -> Decimal:
        return Decimal(value)

    def _deserialize_b(self, value: bytes | str) -> Binary:
        return Binary(b64decode(value, validate=True) if isinstance(value, str) else value)


_serializer = TypeSerializer()
_deserializer = _Deserializer()


def read_item(item: Mapping[str, Any]) -> dict[str, Any]:
    """Turn DynamoDB's typed attributes, as boto3 or as JSON has them, into Python values."""
    return {name: _deserializer.deserialize(value) for name, value in item.items()}


def write_value(value: Any) -> dict[str, Any]:
    """Turn a Python value into DynamoDB's typed form."""
    return cast("dict[str, Any]", _serializer.serialize(value))


def scan_pages(client: Any, *, table: str, after: str = "") -> Iterator[dict[str, Any]]:
    """Yield every item of a table, read consistently, page by page; those that a scan finds after an `id`, if given."""
    start = {"ExclusiveStartKey": {"id": {"S": after}}} if after else {}
    for page in client.get_paginator("scan").paginate(TableName=table, ConsistentRead=True, **start):
        for item in page["Items"]:
            yield read_item(item)


def get(client: Any, *, table: str, key: str) -> dict[str, Any] | None:
    """Read one item by its `id` with a consistent read."""
    response = client.get_item(TableName=table, Key={"id": {"S": key}}, ConsistentRead=True)
    return read_item(response["Item"]) if "Item" in response else None


def get_many(client: Any, *, table: str, keys: Sequence[str]) -> list[dict[str, Any]]:
    """Read items by their `id`s with consistent reads, in the order of the keys; what is not there is left out.

    What a request had no room for is asked for again. It always has room for something, or it fails with an error that
    botocore retries: https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html
    """
    found: dict[str, dict[str, Any]] = {}
    left = list(dict.fromkeys(keys))
    while left:
        asked = [{"id": {"S": key}} for key in left[:_BATCH_LIMIT]]
        answer = client.batch_get_item(RequestItems={table: {"Keys": asked, "ConsistentRead": True}})
        found |= {item["id"]: item for item in map(read_item, answer["Responses"].get(table, ()))}
        unprocessed = answer.get("UnprocessedKeys", {}).get(table, {}).get("Keys", ())
        left = [*(key["id"]["S"] for key in unprocessed), *left[_BATCH_LIMIT:]]
    return [found[key] for key in keys if key in found]


def update(client: Any, **what: Any) -> bool:
    """Update one item under a condition; False when the condition did not hold. It takes what `update_request` does."""
    return _holds(client.update_item, update_request(**what))


def update_request(
    *,
    table: str,
    key: str,
    sets: Mapping[str, Any],
    defaults: Mapping[str, Any] | None = None,
    removes: Sequence[str] = (),
    increments: Sequence[str] = (),
    unions: Mapping[str, Set[str]] | None = None,
    condition: str = "",
    values: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Write an update, of its own or of a transaction; `defaults` are set only where nothing is.

    `unions` are added to sets of strings: what is there already is not there twice.

    In `condition`, attributes are written `#name` and values `:name`, the latter given in `values`; every `#name`
    stands between spaces.
    """
    given = defaults or {}
    grown = unions or {}
    names = {f"#{name}": name for name in (*sets, *given, *removes, *increments, *grown)}
    names |= _names_in(condition)
    bound = {f":{name}": write_value(value) for name, value in (*sets.items(), *given.items())}
    bound |= {f":{name}": write_value(value) for name, value in (values or {}).items()}
    bound |= {f":{name}": write_value(set(value)) for name, value in grown.items()}
    if increments:
        bound[":one"] = write_value(1)
    assignments = [f"#{name} = :{name}" for name in sets]
    assignments += [f"#{name} = if_not_exists( #{name} , :{name} )" for name in given]
    clauses = ["SET " + ", ".join(assignments)] if assignments else []
    if removes:
        clauses.append("REMOVE " + ", ".join(f"#{name}" for name in removes))
    additions = [*(f"#{name} :one" for name in increments), *(f"#{name} :{name}" for name in grown)]
    if additions:
        clauses.append(f"ADD {', '.join(additions)}")
    request: dict[str, Any] = {
        "TableName": table,
        "Key": {"id": {"S": key}},
        "UpdateExpression": " ".join(clauses),
        "ExpressionAttributeNames": names,
        **({"ExpressionAttributeValues": bound} if bound else {}),
    }
    if condition:
        request["ConditionExpression"] = condition
    return request


def check_request(*, table: str, key: str, condition: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """Write the check of an item that a transaction does not change; the condition is written as for an update."""
    return {
        "TableName": table,
        "Key": {"id": {"S": key}},
        "ConditionExpression": condition,
        "ExpressionAttributeNames": _names_in(condition),
        "ExpressionAttributeValues": {f":{name}": write_value(value) for name, value in values.items()},
    }


def put(client: Any, *, table: str, item: Mapping[str, Any]) -> None:
    """Write one item whole."""
    client.put_item(TableName=table, Item={name: write_value(value) for name, value in item.items()})


def delete(client: Any, *, table: str, key: str, condition: str, values: Mapping[str, Any]) -> bool:
    """Delete one item under a condition, written as for `update`; False when the condition did not hold."""
    request = check_request(table=table, key=key, condition=condition, values=values)
    return _holds(client.delete_item, request)


def _names_in(condition: str) -> dict[str, str]:
    return {token: token[1:] for token in condition.split() if token[0] == "#"}


def _holds(write: Callable[..., Any], request: Mapping[str, Any]) -> bool:
    with ignoring("ConditionalCheckFailedException"):
        write(**request)
        return True
    return False
