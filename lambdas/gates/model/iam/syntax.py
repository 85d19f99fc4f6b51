"""How CloudFormation templates and their configurations are written; pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from lambdas.gates.model.iam.functions import PART

_DEEPEST = 60  # levels of a template


class TemplateError(ValueError):
    """A template is none that could be deployed; the text says which and why."""


@contextmanager
def as_documented(what: str) -> Iterator[None]:
    """Read a part of a template, which may be anything.

    Raises:
        TemplateError: it is of another shape than its readers take for granted.
    """
    try:
        yield
    except TemplateError:
        raise
    except (TypeError, ValueError, KeyError, IndexError, AttributeError, RecursionError) as error:
        raise TemplateError(f"{what} is not written as CloudFormation documents it") from error


def parameters_of(configuration: Any) -> dict[str, str]:
    """The values in a template configuration file: CodePipeline's, CloudFormation's, or a list of `KEY=VALUE`.

    Raises:
        TemplateError: it is none of those.
    """
    told = configuration.get("Parameters") if isinstance(configuration, Mapping) else configuration
    if isinstance(told, Mapping):
        return {str(key): value for key, value in told.items()}
    found = {}
    for one in told if isinstance(told, list) else [None]:
        if isinstance(one, Mapping) and {"ParameterKey", "ParameterValue"} <= set(one):
            found[str(one["ParameterKey"])] = one["ParameterValue"]
        elif isinstance(one, str) and "=" in one:
            key, _, value = one.partition("=")
            found[key] = value
        else:
            raise TemplateError(
                'the template configuration is none: write {"Parameters": {"Name": "value"}}, '
                '[{"ParameterKey": "Name", "ParameterValue": "value"}] or ["Name=value"]'
            )
    return found


def function_of(node: Any) -> str:
    """The intrinsic function that a value is, or nothing."""
    if not isinstance(node, dict):
        return ""
    names = [key for key in node if key == "Ref" or str(key).startswith("Fn::")]
    if names and len(node) > 1 and names != ["Ref"]:
        return "Fn::Transform"  # the only one that may stand beside others: it changes them
    return str(names[0]) if names and len(node) == 1 else ""


def nodes_below(node: Any) -> Iterator[Any]:
    """All that is below a value, itself included."""
    todo = [(node, 0)]
    while todo:
        one, depth = todo.pop()
        if depth > _DEEPEST:
            raise TemplateError(f"it is nested deeper than {_DEEPEST}: CloudFormation takes no such template")
        yield one
        below = one.values() if isinstance(one, dict) else one if isinstance(one, list) else ()
        todo += [(each, depth + 1) for each in below]


def named_in(node: Any) -> Iterator[str]:
    """The resources, parameters and conditions that a value names."""
    for one in nodes_below(node):
        name = function_of(one)
        told = one[name] if name and name in one else None
        if name in ("Ref", "Fn::GetAtt"):
            yield str(told[0] if isinstance(told, list) and told else told).partition(".")[0]
        elif name == "Fn::Sub":
            text = told[0] if isinstance(told, list) and told else told
            yield from (found.partition(".")[0] for found in PART.findall(str(text)))
        elif name == "Fn::If" and isinstance(told, list) and told:
            yield f"condition {told[0]}"
        if isinstance(one, dict):
            if isinstance(one.get("Condition"), str):
                yield f"condition {one['Condition']}"
            depends = one.get("DependsOn", [])
            yield from map(str, depends if isinstance(depends, list) else [depends])
