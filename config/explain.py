"""Saying what is wrong with a configuration file in the words of its YAML, not of the program's types."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import yaml
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from config.problems import ProblemsError
from lambdas.common.written import cut, shown

_PROBLEM = 300  # characters of what a parser says
_SUBJECT = re.compile(r"^[A-Z][a-z]+ should ")
_KINDS = {bool: "true or false", int: "the number", float: "the number"}


def explain_values(error: ValidationError, *, data: object) -> list[str]:
    """Every error of a file's values, as `key: what was expected, not what was given`.

    `data` is what the file holds: pydantic's locations are paths in the program's types, not in the file.
    """
    told = error.errors(include_url=False)
    # Of a list only entries that are right are counted: where one is wrong, it is not too short.
    wrong = {detail["loc"][:end] for detail in told for end in range(len(detail["loc"]))}
    meant = (one for one in told if one["type"] != "too_short" or one["loc"] not in wrong)
    return [line for one in meant for line in _lines(one, data)]


def explain_unreadable(error: Exception) -> str:
    """Why a file could not be read at all, in one line."""
    match error:
        case FileNotFoundError():
            return "the file is missing"
        case yaml.MarkedYAMLError(problem_mark=yaml.Mark() as mark):
            return f"line {mark.line + 1}: {cut(str(error.problem), _PROBLEM)}"
        case OSError(strerror=str() as reason):
            return f"cannot be read: {reason}"
    return f"cannot be read: {cut(' '.join(_said(error).split()), _PROBLEM)}"


def _said(error: Exception) -> str:
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    if isinstance(error, UnicodeDecodeError):
        return f"{error}: save it as UTF-8"
    if isinstance(error, (ValueError, yaml.YAMLError)):
        return str(error)
    return f"a value is not what its tag says ({type(error).__name__}: {error})"


def _lines(detail: ErrorDetails, data: object) -> list[str]:
    key, found = _key(detail["loc"], data), detail.get("ctx", {}).get("error")
    problems = found.lines if isinstance(found, ProblemsError) else (_problem(detail),)
    return [f"{key}: {one}" if key else one for one in problems]


def _key(location: Sequence[int | str], data: object) -> str:
    """Write a location as a path within the file; the tag of a union (`source.s3.branch`) is no key of it."""
    parts: list[str] = []
    for index, part in enumerate(location):
        last = index == len(location) - 1
        if isinstance(data, Mapping) and part not in data and not last:
            continue
        parts.append(str(part))
        data = _inner(data, part)
    return ".".join(parts)


def _inner(data: object, part: int | str) -> object:
    if isinstance(data, Mapping):
        return data.get(part)
    if isinstance(data, list) and isinstance(part, int):
        return data[part]
    return None


def _problem(detail: ErrorDetails) -> str:
    words = _WORDS.get(detail["type"])
    if words:
        return words(detail["input"], detail.get("ctx", {}))
    return f"{_SUBJECT.sub('must ', detail['msg'])}, not {shown(detail['input'])}"


def _text(given: object) -> str:
    if given is None or isinstance(given, (list, dict)):
        return f"must be text, not {shown(given)}"
    return f"must be text, but YAML reads it as {_read_as(given)}: quote it"


def _bare(quoted: str) -> str:
    return quoted.strip("'")


def _read_as(value: object) -> str:
    kind = _KINDS.get(type(value))
    if kind is None:
        return f"a {type(value).__name__}"
    return kind if isinstance(value, bool) else f"{kind} {shown(value)}"


# By pydantic's error type: https://docs.pydantic.dev/latest/errors/validation_errors/
_WORDS: dict[str, Callable[[Any, Mapping[str, Any]], str]] = {
    "missing": lambda _given, _context: "is missing",
    "extra_forbidden": lambda _given, _context: "unknown key: remove it, or correct its spelling",
    "value_error": lambda _given, context: str(context["error"]),
    "string_type": lambda given, _context: _text(given),
    "bool_type": lambda given, _context: f"must be true or false, not {shown(given)}",
    "bool_parsing": lambda given, _context: f"must be true or false, not {shown(given)}",
    "dict_type": lambda given, _context: f"must be keys with values, not {shown(given)}",
    "int_type": lambda given, _context: f"must be a whole number, not {shown(given)}",
    "tuple_type": lambda given, _context: f"must be a list, not {shown(given)}",
    "model_type": lambda given, _context: f"must be keys with values, not {shown(given)}",
    "model_attributes_type": lambda given, _context: f"must be keys with values, not {shown(given)}",
    "too_short": lambda _given, context: f"too few entries: at least {context['min_length']}",
    "too_long": lambda _given, context: f"too many entries: at most {context['max_length']}",
    "union_tag_not_found": lambda _given, context: f"needs the key {_bare(context['discriminator'])}",
    "union_tag_invalid": lambda _given, context: (
        f"{_bare(context['discriminator'])} must be one of {context['expected_tags']}, not {shown(context['tag'])}"
    ),
}
