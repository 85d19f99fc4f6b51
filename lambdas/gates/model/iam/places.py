"""Where a resource can hold a policy, by the schema of its type; pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from lambdas.gates.model.iam.functions import Undecidable

Schema = Mapping[str, Any]
MARK = "@mark"  # beside the elements of a policy as it is written, so that none is lost on the way
_POLICY = re.compile(r"polic(y|ies)(document|text)?$", re.IGNORECASE)
_DEEPEST = 12
_JSON = ("{", "[", '"')  # how a document as a text begins, and one of a text
_DOCUMENT = {"object", "string"}


def places_in(value: Any, schema: Schema | None, place: str = "") -> Iterator[tuple[str, Any]]:
    """The values at the places of a resource where its schema admits a policy, or does not say what it admits."""
    whole = schema or {}
    yield from _below(value, _parts([whole], whole) if schema else [], whole, place)


def _parts(nodes: list[Schema], whole: Schema) -> list[Schema]:
    """The schemas that a schema is made of."""
    found, todo = [], list(nodes)
    seen: set[str] = set()
    while todo:
        node = todo.pop()
        target = node.get("$ref")
        if isinstance(target, str) and target not in seen:
            seen.add(target)
            todo.append(_pointed(whole, target))
        elif target is None:
            found.append(node)
            todo += [
                one for word in ("oneOf", "anyOf", "allOf") for one in node.get(word) or [] if isinstance(one, dict)
            ]
    return found


def _pointed(whole: Schema, target: str) -> Schema:
    node: Any = whole
    for part in target.removeprefix("#/").split("/"):
        node = node.get(part, {}) if isinstance(node, dict) else {}
    return node if isinstance(node, dict) else {}


def _types(nodes: list[Schema]) -> set[str]:
    told = [node.get("type", []) for node in nodes]
    return {one for each in told for one in (each if isinstance(each, list) else [each])}


def _free(nodes: list[Schema]) -> bool:
    """Whether any object is admitted."""
    structured = any(node.get("properties") or node.get("patternProperties") or node.get("items") for node in nodes)
    return not structured and ("object" in _types(nodes) or not _types(nodes))


def _named(place: str) -> bool:
    return bool(_POLICY.search(place.rpartition(".")[2])) or bool(
        _POLICY.search(place.rpartition(".")[0]) and place[-1:].isdigit()
    )


def _below(value: Any, nodes: list[Schema], whole: Schema, place: str) -> Iterator[tuple[str, Any]]:
    if unknown := _unknown(value):
        if _can_hold(nodes, whole, place):
            yield place, unknown
        elif _free(nodes):
            yield place, None
    elif _free(nodes) or (isinstance(value, dict) and MARK in value) or _text(value, nodes, place):
        yield place, value
    elif isinstance(value, dict):
        for key, one in value.items():
            yield from _below(one, _parts(_of_key(nodes, str(key)), whole), whole, f"{place}.{key}".lstrip("."))
    elif isinstance(value, list):
        items = _parts([node["items"] for node in nodes if isinstance(node.get("items"), dict)], whole)
        for number, one in enumerate(value):
            yield from _below(one, items, whole, f"{place}.{number}")


def _unknown(value: Any) -> Undecidable | None:
    """Why a value as a whole is not known."""
    if isinstance(value, str) and value.startswith("${@"):
        return Undecidable(reason=f"it is {value}")
    return value if isinstance(value, Undecidable) else None


def _text(value: Any, nodes: list[Schema], place: str) -> bool:
    """Whether a text is a document, or stands where one is awaited."""
    if not isinstance(value, str):
        return False
    return value.lstrip()[:1] in _JSON or (not any("enum" in node for node in nodes) and _named(place))


def _of_key(nodes: list[Schema], key: str) -> list[Schema]:
    found = [node["properties"][key] for node in nodes if key in (node.get("properties") or {})]
    for node in nodes:
        more = [*(node.get("patternProperties") or {}).values(), node.get("additionalProperties")]
        found += [one for one in more if isinstance(one, dict) and not found]
    return found


def _can_hold(nodes: list[Schema], whole: Schema, place: str, depth: int = 0) -> bool:
    """Whether a value of which nothing is known may have a policy in it."""
    if _free(nodes):
        return _types(nodes) <= _DOCUMENT or _named(place)
    if depth > _DEEPEST or (_named(place) and "string" in _types(nodes) and not any("enum" in node for node in nodes)):
        return True
    below: dict[str, list[Schema]] = {}
    for node in nodes:
        for key, one in (node.get("properties") or {}).items():
            below.setdefault(key, []).append(one)
        more = [*(node.get("patternProperties") or {}).values(), node.get("items")]
        below.setdefault("*", []).extend(one for one in more if isinstance(one, dict))
    return any(_can_hold(_parts(each, whole), whole, key, depth + 1) for key, each in below.items() if each)


def documents_in(value: Any, place: str, seen: set[int]) -> Iterator[tuple[str, Mapping[str, Any] | Undecidable]]:
    """The policies in a value, also those in texts; the marks of what was looked at are added to `seen`."""
    if (unknown := _unknown(value)) and _named(place):
        yield place, unknown
    if isinstance(value, str) and value.lstrip()[:1] in _JSON:
        try:
            yield from documents_in(json.loads(value), place, seen)
        except (ValueError, RecursionError):
            return
    if isinstance(value, dict):
        if MARK in value:
            seen.add(value[MARK])
        if is_policy(value):
            yield place, {key: one for key, one in value.items() if key != MARK}
            return
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, one in parts:
        yield from documents_in(one, f"{place}.{key}".lstrip("."), seen)


def is_policy(value: Any) -> bool:
    """Whether an object is meant as a policy: it has statements with an effect, or is one."""
    if not isinstance(value, Mapping):
        return False
    small = {str(key).lower(): one for key, one in value.items()}
    if "effect" in small and ("action" in small or "notaction" in small):
        return True
    told = small.get("statement")
    each = told if isinstance(told, list) else [told]
    return any(
        isinstance(one, Undecidable) or (isinstance(one, Mapping) and any(str(key).lower() == "effect" for key in one))
        for one in each
    )
