"""Answers with the notes of the tenant."""

from __future__ import annotations

import json
import os
from typing import Any

import boto3

TABLE = boto3.client("dynamodb")


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """The title, and the ids of at most a hundred notes."""
    found = TABLE.scan(TableName=os.environ["NOTES_TABLE"], Limit=100, ProjectionExpression="id")["Items"]
    body = {"title": os.environ["TITLE"], "notes": sorted(one["id"]["S"] for one in found)}
    return {"statusCode": 200, "headers": {"content-type": "application/json"}, "body": json.dumps(body)}
