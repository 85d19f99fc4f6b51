"""Condition keys of items: https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazondynamodb.html"""

from __future__ import annotations

from typing import Any

from ministack.services import dynamodb

from local_cloud.server import iam_gaps
from local_cloud.server.iam_gaps import Request


def register() -> None:
    """Tell of each request about one item its partition key."""
    iam_gaps.context_of("dynamodb", _context)


def _context(request: Request) -> dict[str, Any]:
    """Requests about several items have no such key here: a policy that bounds keys refuses them."""
    item = request.body.get("Item") or request.body.get("Key")
    table = dynamodb._tables.get(str(request.body.get("TableName")).rpartition("/")[2])
    if table is None or not isinstance(item, dict):
        return {}
    return {"dynamodb:LeadingKeys": [str(one) for one in item.get(table["pk_name"], {}).values()]}
