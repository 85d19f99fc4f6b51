"""The intrinsic functions of CloudFormation, in the scope of a template; pure."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

NO_VALUE = object()
PART = re.compile(r"\$\{([^}]*)\}")


@dataclass(frozen=True, kw_only=True)
class Undecidable:
    """A value that nobody can tell before the deployment."""

    reason: str


Scope = Any  # the template that a function stands in, whose evaluation is made of these functions
Assumed = Mapping[str, bool]


def undecidable_in(value: Any) -> Undecidable | None:
    """The first undecidable part of a value."""
    if isinstance(value, Undecidable):
        return value
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return next((found for one in parts if (found := undecidable_in(one))), None)


def text_of(value: Any) -> str:
    """A scalar as CloudFormation writes it into a text."""
    if isinstance(value, list | dict) or value is NO_VALUE:
        raise TypeError("a list or an object is no part of a text")
    return str(value).lower() if isinstance(value, bool) else str(value)


def _get_att(scope: Scope, told: Any, assume: Assumed) -> Any:
    name, attribute = told.split(".", 1) if isinstance(told, str) else (told[0], scope.value(told[1], assume))
    return attribute if isinstance(attribute, Undecidable) else scope.attribute(name, attribute)


def _sub(scope: Scope, told: Any, assume: Assumed) -> Any:
    text, named = told if isinstance(told, list) else (told, {})
    if "{{resolve:" in text:
        return Undecidable(reason=f"{text} is read at deployment")
    parts: list[str] = []
    for position, part in enumerate(PART.split(text)):
        value: Any = part
        if position % 2:
            value = f"${{{part[1:]}}}" if part.startswith("!") else _part(scope, part.strip(), named, assume)
        if isinstance(value, Undecidable):
            return value
        parts.append(text_of(value))
    return "".join(parts)


def _part(scope: Scope, name: str, named: Mapping[str, Any], assume: Assumed) -> Any:
    if name in named:
        return scope.value(named[name], assume)
    return scope.attribute(*name.split(".", 1)) if "." in name else scope.reference(name)


def _join(scope: Scope, told: Any, assume: Assumed) -> Any:
    between, parts = told[0], scope.value(told[1], assume)
    return undecidable_in(parts) or between.join(text_of(part) for part in parts)


def _split(scope: Scope, told: Any, assume: Assumed) -> Any:
    between, text = told[0], scope.value(told[1], assume)
    if isinstance(text, Undecidable):
        return text
    if "${@" in text and not (between == ":" and text.startswith("arn:")):
        return Undecidable(reason=f"where {text} is split is only known after deployment")
    return text.split(between)


def _select(scope: Scope, told: Any, assume: Assumed) -> Any:
    index, parts = scope.value(told[0], assume), scope.value(told[1], assume)
    return undecidable_in([index]) or (parts if isinstance(parts, Undecidable) else parts[int(index)])


def _find_in_map(scope: Scope, told: Any, assume: Assumed) -> Any:
    name, *keys = (scope.value(one, assume) for one in told[:3])
    found: Any = undecidable_in([name, *keys]) or scope.section("Mappings").get(name)
    for key in keys:
        found = found.get(str(key)) if isinstance(found, Mapping) else found
    if found is None and len(told) > 3:  # noqa: PLR2004 - the default is the fourth
        return scope.value(told[3]["DefaultValue"], assume)
    return Undecidable(reason=f"the mapping {name} has no {' '.join(map(str, keys))}") if found is None else found


def _if(scope: Scope, told: Any, assume: Assumed) -> Any:
    name, then, otherwise = told
    holds = assume.get(name, scope.holds(name))
    return holds if isinstance(holds, Undecidable) else scope.value(then if holds else otherwise, assume)


def _import(scope: Scope, told: Any, assume: Assumed) -> Any:
    name = scope.value(told, assume)
    return name if isinstance(name, Undecidable) else scope.imported(name)


def _to_json(scope: Scope, told: Any, assume: Assumed) -> Any:
    value = scope.value(told, assume)
    return undecidable_in(value) or json.dumps(value, default=str)


FUNCTIONS: Mapping[str, Callable[[Scope, Any, Assumed], Any]] = {
    "Ref": lambda scope, told, _: scope.reference(told),
    "Fn::GetAtt": _get_att,
    "Fn::Sub": _sub,
    "Fn::Join": _join,
    "Fn::Split": _split,
    "Fn::Select": _select,
    "Fn::FindInMap": _find_in_map,
    "Fn::If": _if,
    "Fn::ImportValue": _import,
    "Fn::ToJsonString": _to_json,
}
