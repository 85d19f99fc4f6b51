"""IAM's evaluation of one request as its documentation tells it, slow and obvious: what the fast checks are held to."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any


def like(pattern: str, text: str) -> bool:
    """Whether a pattern has a text, wildcards crossing everything."""
    parts = [{"*": ".*", "?": "."}.get(letter, re.escape(letter)) for letter in pattern]
    return re.fullmatch("".join(parts), text, re.DOTALL) is not None


def like_by_parts(pattern: str, text: str) -> bool:
    """The same, wildcards staying in their part of an ARN."""
    if pattern == "*":
        return True
    parts, texts = pattern.split(":", 5), text.split(":", 5)
    return len(parts) == len(texts) and all(map(like, parts, texts))


def allowed(policy: Mapping[str, Any], action: str, resource: str, context: Mapping[str, str], *, parts: bool) -> bool:
    """Whether a policy allows a request: something does, and nothing denies it."""
    effects = {one["Effect"] for one in policy["Statement"] if _applies(one, action, resource, context, parts=parts)}
    return effects == {"Allow"}


def _applies(one: Mapping[str, Any], action: str, resource: str, context: Mapping[str, str], *, parts: bool) -> bool:
    match = like_by_parts if parts else like
    actions = any(like(each.lower(), action.lower()) for each in one.get("Action", one.get("NotAction")))
    resources = any(match(each, resource) for each in one.get("Resource", one.get("NotResource")))
    return (
        actions == ("Action" in one)
        and resources == ("Resource" in one)
        and all(
            _holds(operator, context.get(key), values)
            for operator, test in one.get("Condition", {}).items()
            for key, values in test.items()
        )
    )


def _holds(operator: str, value: str | None, values: list[str]) -> bool:
    if operator == "Null":
        return (value is None) == (values == ["true"])
    if value is None:
        return operator.endswith("IfExists") or "Not" in operator
    if "Like" in operator:
        return any(like(one, value) for one in values) != ("Not" in operator)
    return (value in values) != ("Not" in operator)
