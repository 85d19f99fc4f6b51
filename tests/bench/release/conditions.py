"""Condition expressions of DynamoDB, as far as the product writes them; compiled once, for there are many writes."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from functools import cache
from typing import Any

Typed = Mapping[str, Any]  # {"S": "text"}, {"N": "1"}, {"BOOL": True}, ...
Item = Mapping[str, Typed]
# Takes the item, the names and the values.
Condition = Callable[[Item, Mapping[str, str], Mapping[str, Typed]], bool]
Operand = Callable[[Item, Mapping[str, str], Mapping[str, Typed]], Typed | None]

_TOKENS = re.compile(r"\s*(<=|>=|<>|[=<>(),]|[#:]?\w+)")
_COMPARISONS: Mapping[str, Callable[[Any, Any], bool]] = {
    "=": lambda mine, its: bool(mine == its),
    "<>": lambda mine, its: bool(mine != its),
    "<": lambda mine, its: bool(mine < its),
    "<=": lambda mine, its: bool(mine <= its),
    ">": lambda mine, its: bool(mine > its),
    ">=": lambda mine, its: bool(mine >= its),
}


@cache
def compiled(expression: str) -> Condition:
    """Compile an expression.

    Raises:
        ValueError: it has something that the product does not use so far.
    """
    tokens = _TOKENS.findall(expression)
    if "".join(tokens) != "".join(expression.split()):
        raise ValueError(f"not understood: {expression}")
    parser = _Parser(tokens)
    condition = parser.any_of()
    if parser.left:
        raise ValueError(f"not understood: {' '.join(parser.left)}")
    return condition


class _Parser:
    """OR of ANDs of possibly negated conditions.

    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.OperatorsAndFunctions.html
    """

    def __init__(self, tokens: Sequence[str]) -> None:
        self.left = list(tokens)

    def any_of(self) -> Condition:
        parts = [self._all_of()]
        while self._next_is("OR"):
            parts.append(self._all_of())
        return lambda *what: any(part(*what) for part in parts)

    def _all_of(self) -> Condition:
        parts = [self._negated()]
        while self._next_is("AND"):
            parts.append(self._negated())
        return lambda *what: all(part(*what) for part in parts)

    def _negated(self) -> Condition:
        if self._next_is("NOT"):
            inner = self._negated()
            return lambda *what: not inner(*what)
        if self._next_is("("):
            inner = self.any_of()
            self._expect(")")
            return inner
        return self._function() if self.left[1:2] == ["("] else self._comparison()

    def _function(self) -> Condition:
        name = self.left.pop(0)
        self._expect("(")
        operands = self._operands()
        if name == "attribute_exists":
            return lambda *what: operands[0](*what) is not None
        if name == "attribute_not_exists":
            return lambda *what: operands[0](*what) is None
        if name == "attribute_type":
            return lambda *what: _text(operands[1](*what)) in (operands[0](*what) or {})
        if name == "begins_with":
            return lambda *what: _text(operands[0](*what)).startswith(_text(operands[1](*what)))
        raise ValueError(f"the function {name} is not known here")

    def _comparison(self) -> Condition:
        operand = self._operand()
        if self._next_is("IN"):
            self._expect("(")
            among = self._operands()
            return lambda *what: any(operand(*what) == one(*what) for one in among)
        sign = self.left.pop(0)
        compare, other = _COMPARISONS[sign], self._operand()
        return lambda *what: _holds(compare, operand(*what), other(*what))

    def _operands(self) -> list[Operand]:
        operands = [self._operand()]
        while self._next_is(","):
            operands.append(self._operand())
        self._expect(")")
        return operands

    def _operand(self) -> Operand:
        token = self.left.pop(0)
        if token.startswith("#"):
            return lambda item, names, _values: item.get(names[token])
        return lambda _item, _names, values: values[token]

    def _next_is(self, token: str) -> bool:
        if self.left[:1] != [token]:
            return False
        self.left.pop(0)
        return True

    def _expect(self, token: str) -> None:
        if not self._next_is(token):
            raise ValueError(f"{token} was expected, not {' '.join(self.left[:3])}")


def _holds(compare: Callable[[Any, Any], bool], mine: Typed | None, its: Typed | None) -> bool:
    # Whatever is compared with an attribute that is not there, or is of another type, does not hold.
    if mine is None or its is None:
        return False
    ((mine_type, mine_value),), ((its_type, its_value),) = mine.items(), its.items()
    if mine_type != its_type:
        return False
    return compare(Decimal(mine_value), Decimal(its_value)) if mine_type == "N" else compare(mine_value, its_value)


def _text(value: Typed | None) -> str:
    return str((value or {}).get("S", ""))
