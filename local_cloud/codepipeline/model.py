"""botocore's model of the service: what requests look like."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import botocore.session
from botocore.validate import ParamValidator


@cache
def service_model() -> Any:
    """The CodePipeline service model."""
    return botocore.session.get_session().get_service_model("codepipeline")


def problems(value: Any, shape: Any) -> list[str]:
    """What is wrong with a value: members, types and lengths as botocore checks them, enums and patterns."""
    report = ParamValidator().validate(value, shape)
    if report.has_errors():
        return [report.generate_report()]
    return list(_text_problems(value, shape, path=shape.name))


def _text_problems(value: Any, shape: Any, *, path: str) -> Iterator[str]:
    for member, item, name in _members(value, shape):
        yield from _text_problems(item, member, path=f"{path}.{name}")
    if shape.type_name != "string":
        return
    if shape.enum and value not in shape.enum:
        yield f"Value '{value}' at '{path}' is not one of {', '.join(shape.enum)}"
    pattern = shape.metadata.get("pattern")
    if pattern and not re.fullmatch(pattern, value):
        yield f"Value '{value}' at '{path}' does not satisfy the pattern {pattern}"


def _members(value: Any, shape: Any) -> list[tuple[Any, Any, str]]:
    if shape.type_name == "structure":
        return [(shape.members[name], item, name) for name, item in value.items()]
    if shape.type_name == "list":
        return [(shape.member, item, str(position)) for position, item in enumerate(value)]
    if shape.type_name == "map":
        return [(shape.value, item, key) for key, item in value.items()]
    return []
