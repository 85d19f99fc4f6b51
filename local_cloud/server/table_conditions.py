"""Condition keys of DynamoDB that ministack lacks: the attributes that a write names, in whatever part of it.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/specifying-conditions.html
"""

from __future__ import annotations

import re
from typing import Any

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
    iam_gaps.context_of("dynamodb", _context)


def _context(request: Request) -> dict[str, Any]:
    if request.operation not in _WRITES:
        return {}
    body = request.body
    found = {name for part in _MAPS for name in body.get(part) or ()}
    names = body.get("ExpressionAttributeNames") or {}
    for expression in (str(body.get(part) or "") for part in _EXPRESSIONS):
        said = (word for word in _NAME.findall(expression) if word.upper() not in _WORDS)
        found |= {str(names.get(word, word)) for word in said}
    return {"dynamodb:Attributes": sorted(found)}
