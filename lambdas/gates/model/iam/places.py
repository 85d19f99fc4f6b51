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


def policies_in(
    value: Any, schema: Schema | None, seen: set[int]
) -> Iterator[tuple[str, Mapping[str, Any] | Undecidable]]:
    """The policies of a resource with their places, also those in texts, and what cannot be told where one may be.

    The marks of what was looked at are added to `seen`.
    """
    whole = schema or {}
    yield from _Search(whole, seen).below(value, _parts([whole], whole) if schema else None, "")


class _Search:
    """A search of one resource, by the schema of its type."""

    def __init__(self, whole: Schema, seen: set[int]) -> None:
        self.whole, self.seen = whole, seen

    def below(
        self, value: Any, nodes: list[Schema] | None, place: str
    ) -> Iterator[tuple[str, Mapping[str, Any] | Undecidable]]:
        """What is in a value; `nodes` are None where nothing is published of what may be there."""
        if unknown := _unknown(value):
            if (not place or _named(place)) if nodes is None else _can_hold(nodes, self.whole, place):
                yield place, unknown
        elif isinstance(value, str):
            yield from self.below(_parsed(value), None, place)
        elif isinstance(value, dict):
            self.seen.update([value[MARK]] if MARK in value else [])
            if is_policy(value):
                yield place, {key: one for key, one in value.items() if key != MARK}
                return
            for key, one in value.items():
                yield from self.below(one, self._parts_of(nodes, str(key)), f"{place}.{key}".lstrip("."))
        elif isinstance(value, list):
            for number, one in enumerate(value):
                yield from self.below(one, self._parts_of(nodes), f"{place}.{number}".lstrip("."))

    def _parts_of(self, nodes: list[Schema] | None, key: str | None = None) -> list[Schema] | None:
        """The schemas of what is below: in an object by its key, or in a list."""
        if nodes is None or _free(nodes):
            return None
        items = [node["items"] for node in nodes if isinstance(node.get("items"), dict)]
        return _parts(items if key is None else _of_key(nodes, key), self.whole)


def _parsed(text: str) -> Any:
    """What a text has in it, if it is JSON."""
    try:
        return json.loads(text) if text.lstrip()[:1] in _JSON else None
    except (ValueError, RecursionError):
        return None


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


def _unknown(value: Any) -> Undecidable | None:
    """Why a value as a whole is not known."""
    if isinstance(value, str) and value.startswith("${@"):
        return Undecidable(reason=f"it is {value}")
    return value if isinstance(value, Undecidable) else None


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
