"""Condition keys of DynamoDB that ministack lacks: the partition key of an item, and the attributes that a write names.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/specifying-conditions.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from ministack.services import dynamodb

from local_cloud.server import iam_gaps
from local_cloud.server.iam_gaps import Request

_MAPS = ("Key", "Item", "Expected", "AttributeUpdates")
_EXPRESSIONS = ("UpdateExpression", "ConditionExpression")
_WRITES = frozenset({"DeleteItem", "PutItem", "UpdateItem"})
# Not what follows a dot, for the key has names of the top level only, and neither functions nor values.
_NAME = re.compile(r"(?<![:\w.#])#?[A-Za-z_]\w*(?!\w*\s*\()")
_WORDS = frozenset({"ADD", "AND", "BETWEEN", "DELETE", "IN", "NOT", "OR", "REMOVE", "SET"})


def register() -> None:
    """Tell it of each request."""
    iam_gaps.context_of("dynamodb", lambda request: {**_leading_keys(request), **_attributes(request)})


def _leading_keys(request: Request) -> dict[str, Any]:
    """Of all items that a request is about, whatever their tables: a policy that bounds keys is to allow each.

    Without a table of that name there is no such key, and that policy refuses.
    """
    found: list[str] = []
    for name, item in _items(request.body):
        table = dynamodb._tables.get(str(name).rpartition("/")[2])
        if table is None or not isinstance(item, dict):
            return {}
        found += [str(one) for one in item.get(table["pk_name"], {}).values()]
    return {"dynamodb:LeadingKeys": found} if found else {}


def _items(body: Mapping[str, Any]) -> Iterator[tuple[Any, Any]]:
    """Names of tables, each with an item or its key: of one item, of a transaction's, or of a batch's."""
    if item := body.get("Item") or body.get("Key"):
        yield body.get("TableName"), item
    for entry in body.get("TransactItems") or ():
        for one in entry.values():
            yield one.get("TableName"), one.get("Item") or one.get("Key")
    for name, wanted in (body.get("RequestItems") or {}).items():
        if isinstance(wanted, dict):
            yield from ((name, key) for key in wanted.get("Keys") or ())
        else:
            written = (one for entry in wanted for one in entry.values())
            yield from ((name, one.get("Item") or one.get("Key")) for one in written)


def _attributes(request: Request) -> dict[str, Any]:
    if request.operation not in _WRITES:
        return {}
    body = request.body
    found = {name for part in _MAPS for name in body.get(part) or ()}
    names = body.get("ExpressionAttributeNames") or {}
    for expression in (str(body.get(part) or "") for part in _EXPRESSIONS):
        said = (word for word in _NAME.findall(expression) if word.upper() not in _WORDS)
        found |= {str(names.get(word, word)) for word in said}
    return {"dynamodb:Attributes": sorted(found)}
