"""Brings the notes to the schema that this version's reader expects, before that is deployed."""

from __future__ import annotations

import os
from typing import Any

import boto3

SCHEMA = 1
TABLE = boto3.client("dynamodb")
KEY = {"id": {"S": ".schema"}}


def handler(event: dict[str, Any], context: object) -> None:
    """Migrate from the schema before, or leave it at that; the item `.schema` says at which, and how often this ran.

    Raises:
        ValueError: the notes are at another schema.
    """
    name = os.environ["NOTES_TABLE"]
    item = TABLE.get_item(TableName=name, Key=KEY, ConsistentRead=True).get("Item", {})
    found = int(item.get("at", {"N": SCHEMA - 1})["N"])
    if found not in (SCHEMA - 1, SCHEMA):
        raise ValueError(f"the notes are at schema {found}, and schema {SCHEMA} is made of {SCHEMA - 1} only")
    # What changes the notes themselves goes here; it may be asked again.
    TABLE.update_item(
        TableName=name,
        Key=KEY,
        UpdateExpression="SET #at = :schema ADD runs :one",
        ExpressionAttributeNames={"#at": "at"},
        ExpressionAttributeValues={":schema": {"N": str(SCHEMA)}, ":one": {"N": "1"}},
    )
