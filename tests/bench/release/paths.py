"""Amazon States Language: paths, payload templates and choices, as far as the release machine has them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any


def read(path: str, data: Any, context: Mapping[str, Any]) -> Any:
    """Follow a path such as `$.release` or `$$.Execution.Name`.

    Raises:
        ValueError: it is more than names with dots between them.
    """
    root, *names = path.split(".")
    if root not in ("$", "$$"):
        raise ValueError(f"{path} is no path that is known here")
    found = context if root == "$$" else data
    for name in names:
        if "[" in name:
            raise ValueError(f"{path} is no path that is known here")
        found = found[name]
    return found


def filled(template: Any, data: Any, context: Mapping[str, Any]) -> Any:
    """Fill a payload template: keys that end with `.$` are paths."""
    if isinstance(template, dict):
        pairs = (
            (key.removesuffix(".$"), read(value, data, context))
            if key.endswith(".$")
            else (key, filled(value, data, context))
            for key, value in template.items()
        )
        return dict(pairs)
    return [filled(one, data, context) for one in template] if isinstance(template, list) else template


def placed(state: Mapping[str, Any], data: Any, result: Any) -> Any:
    """What a state hands on: its result, where `ResultPath` and `OutputPath` put it."""
    path = state.get("ResultPath", "$")
    output = data if path is None else put(path, data, result)
    return read(state.get("OutputPath", "$"), output, {})


def put(path: str, data: Any, result: Any) -> Any:
    """Put a result into a copy of the data."""
    _, *names = path.split(".")
    if not names:
        return result
    copy = json.loads(json.dumps(data))
    into = copy
    for name in names[:-1]:
        into = into.setdefault(name, {})
    into[names[-1]] = result
    return copy


def chosen(state: Mapping[str, Any], data: Any, context: Mapping[str, Any]) -> str:
    """The state that a choice leads to.

    Raises:
        ValueError: a rule compares in a way that is not known here.
    """
    for rule in state["Choices"]:
        if set(rule) != {"Variable", "StringEquals", "Next"}:
            raise ValueError(f"not understood: {rule}")
        if read(rule["Variable"], data, context) == rule["StringEquals"]:
            return str(rule["Next"])
    return str(state["Default"])
