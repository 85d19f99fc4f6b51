"""Policy documents as statements; pure. What of a document is not understood is said, and never taken for nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any

from lambdas.gates.model.iam.functions import Undecidable
from lambdas.gates.model.iam.patterns import TooManyStatesError, arn_within, outside, overlap

_ELEMENTS = {
    "Sid",
    "Effect",
    "Action",
    "NotAction",
    "Resource",
    "NotResource",
    "Principal",
    "NotPrincipal",
    "Condition",
}
_NUMBERS = count()


@dataclass(frozen=True, kw_only=True)
class Strings:
    """The strings that patterns have, or all that none of them has."""

    patterns: tuple[str, ...]
    negated: bool = False
    arns: bool = False

    def has_all_of(self, pattern: str) -> bool:
        """Whether each string of a pattern is in here."""
        try:
            if self.negated:
                return not any(overlap(pattern, one) for one in self.patterns)
            if self.arns:
                return any(arn_within(pattern, one) for one in self.patterns)
            return outside(pattern, self.patterns) is None
        except TooManyStatesError:
            return False

    def may_have(self, pattern: str) -> bool:
        """Whether a string of a pattern can be in here."""
        if not self.negated:
            return any(overlap(pattern, one) for one in self.patterns)
        return not replace(self, negated=False).has_all_of(pattern)


@dataclass(frozen=True, kw_only=True)
class Condition:
    """One test of a statement: an operator, a key, and values of which one has to fit."""

    operator: str
    key: str
    values: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Statement:
    """A statement in one form; actions are in small letters."""

    allow: bool
    actions: Strings
    resources: Strings
    principals: tuple[tuple[str, str], ...] = ()  # kind and name
    all_but_principals: bool = False
    conditions: tuple[Condition, ...] = ()


@dataclass(kw_only=True)
class Document:
    """What a document says, and what of it could not be told."""

    statements: list[Statement] = field(default_factory=list)
    unclear: list[str] = field(default_factory=list)

    @property
    def of_resource(self) -> bool:
        """Whether it says who may, and so belongs to a resource; otherwise it belongs to an identity."""
        return any(one.principals for one in self.statements)

    def add(self, other: Document) -> None:
        """Take in what another says."""
        self.statements += other.statements

    def denies(self, action: str, resource: str = "*") -> bool:
        """Whether it denies that to everybody, whatever else it says."""
        return any(
            not one.allow
            and not one.conditions
            and one.actions.has_all_of(action)
            and one.resources.has_all_of(resource)
            and (not one.principals or one.principals == (("AWS", "*"),))
            for one in self.statements
        )


def read(document: Mapping[str, Any]) -> Document:
    """The statements of a document."""
    found = Document()
    statements = document.get("Statement", document if "Effect" in document else None)
    if statements is None:
        found.unclear.append("its `Statement` or `Effect` is written in other letters than IAM's")
    for number, one in enumerate(listed(statements)):
        try:
            found.statements.append(_statement(one, found.unclear))
        except _UnclearError as error:
            found.unclear.append(f"statement {number}: {error}")
    return found


class _UnclearError(ValueError):
    pass


def _statement(one: Any, unclear: list[str]) -> Statement:
    if isinstance(one, Undecidable):
        raise _UnclearError(one.reason)
    if not isinstance(one, Mapping) or set(one) - _ELEMENTS:
        raise _UnclearError(f"it has to be an object of {', '.join(sorted(_ELEMENTS))}")
    if _sure(one.get("Effect")) not in ("Allow", "Deny"):
        raise _UnclearError("its Effect is neither Allow nor Deny")
    tests = one.get("Condition", {})
    if not isinstance(tests, Mapping) or not all(isinstance(test, Mapping) for test in tests.values()):
        raise _UnclearError(
            tests.reason if isinstance(tests, Undecidable) else "its Condition is undecidable or no object"
        )
    principals, all_but = _principals(one)
    if not principals and not {"Resource", "NotResource"} & set(one):
        raise _UnclearError("it has no Resource")
    return Statement(
        allow=one["Effect"] == "Allow",
        actions=_strings(one, "Action", lambda value: _sure(value).lower()),
        resources=_strings(one, "Resource", lambda value: _text(value, unclear), ("*",)),
        principals=principals,
        all_but_principals=all_but,
        conditions=tuple(
            Condition(
                operator=operator.lower(), key=key.lower(), values=tuple(_text(each, unclear) for each in listed(value))
            )
            for operator, test in tests.items()
            for key, value in test.items()
        ),
    )


def _strings(
    one: Mapping[str, Any], element: str, read_one: Callable[[Any], str], absent: tuple[str, ...] = ()
) -> Strings:
    told, other = listed(one.get(element)), listed(one.get(f"Not{element}"))
    if (told and other) or not (told or other or absent):
        raise _UnclearError(f"it needs one of {element} and Not{element}, with something in it")
    return Strings(
        patterns=tuple(map(read_one, told or other)) or absent, negated=bool(other), arns=element == "Resource"
    )


def _principals(one: Mapping[str, Any]) -> tuple[tuple[tuple[str, str], ...], bool]:
    element = "NotPrincipal" if "NotPrincipal" in one else "Principal"
    told = one.get(element, {})
    if isinstance(told, str | Undecidable):
        told = {"AWS": told}
    return tuple((kind, _sure(name)) for kind, names in told.items() for name in listed(names)), element != "Principal"


def _sure(value: Any) -> str:
    if not isinstance(value, str):
        raise _UnclearError(value.reason if isinstance(value, Undecidable) else f"{value!r} has to be a text")
    return value


def _text(value: Any, unclear: list[str]) -> str:
    if isinstance(value, Undecidable):
        unclear.append(value.reason)
        return f"${{@?{next(_NUMBERS)}}}"  # a symbol that is equal to no other
    if not isinstance(value, str | int | float):
        raise _UnclearError(f"{value!r} has to be a text")
    return str(value).lower() if isinstance(value, bool) else str(value)


def listed(value: Any) -> list[Any]:
    """A value that may stand alone or in a list."""
    return value if isinstance(value, list) else [] if value is None else [value]
