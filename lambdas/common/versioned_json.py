"""Dataclasses as JSON (or DynamoDB items) that three versions of the code hand to each other.

Functions are at N+1 while builds run N, and a rollback runs N on what N+1 wrote. So readers leave unknown fields alone,
give missing ones their defaults and refuse a wrong type by name; writers leave out what is at its default, which an
older reader gives by itself.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from decimal import Decimal
from enum import Enum
from functools import cache, partial
from types import NoneType
from typing import Annotated, Any, Self, TypeVar, get_args, get_origin, get_type_hints

from lambdas.common.written import shown

T = TypeVar("T")
_Read = Callable[[Any], Any]
_SIMPLE = (str, bool, int)
WAS_ONE = "was one object"


def read(cls: type[T], data: object) -> T:
    """Make a dataclass of what `plain` wrote, or of a deserialized DynamoDB item.

    A type `Annotated[str, check]` has `check` called with every value that is not empty; it raises ValueError. A list
    with `WAS_ONE` may be one object: there could not be several before.

    Raises:
        ValueError: a field is missing that has no default, or is of a wrong type; the text names it.
    """
    if not isinstance(data, Mapping):
        raise ValueError(f"{shown(data)} is no object")  # noqa: TRY004 - whatever is wrong, it is one kind of error
    readers, required = _fields(cls)  # type: ignore[arg-type]  # a class has a hash
    values: dict[str, Any] = {}
    for name, value in data.items():
        if name in readers and (value is not None or name in required):
            try:
                values[name] = readers[name](value)
            except (ValueError, OverflowError) as error:
                raise ValueError(f"{name}: {error}") from error
    for name in required:
        if name not in values:
            raise ValueError(f"{name} is missing")
    return cls(**values)


def plain(value: Any) -> Any:
    """A dataclass as JSON has it, without the fields that are at their defaults; any other value as JSON has it."""
    kind = type(value)
    if kind in _SIMPLE:
        return value
    if is_dataclass(kind):
        given = ((name, getattr(value, name), default) for name, default in _defaults(kind))
        return {name: one if type(one) in _SIMPLE else plain(one) for name, one, default in given if one != default}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Mapping):
        return {key: plain(one) for key, one in value.items()}
    if isinstance(value, (set, frozenset)):
        return sorted(map(plain, value))
    return [plain(one) for one in value] if isinstance(value, (tuple, list)) else value


def _written(value: Any) -> Iterator[str]:
    if not isinstance(value, (tuple, list)) or not value:
        yield json.dumps(plain(value), sort_keys=True)
        return
    begin = "["
    for one in value:
        yield f"{begin}{json.dumps(plain(one), sort_keys=True)}"
        begin = ", "
    yield "]"


def loads(text: str) -> Any:
    """Read JSON of any origin; raises ValueError for whatever is none, and for what is nested too deeply."""
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


class Text:
    """Base of the dataclasses that are handed on as text; the same value has the same text."""

    __slots__ = ()

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read what `to_json` of this or a later version wrote; raises as `read` does."""
        return read(cls, loads(text))

    def to_json(self) -> str:
        """Write it, in its `plain` form."""
        return "".join(self.pieces())

    def pieces(self) -> Iterator[str]:
        """The text in pieces, each entry of its lists in one: there may be hundreds of thousands of them."""
        begin = "{"
        for name, default in sorted(_defaults(type(self)), key=lambda one: one[0]):  # type: ignore[arg-type]  # a class has a hash
            value = getattr(self, name)
            if value != default:
                yield f"{begin}{json.dumps(name)}: "
                yield from _written(value)
                begin = ", "
        yield "{}" if begin == "{" else "}"


def _default(field: Field[Any]) -> Any:
    return field.default if field.default_factory is MISSING else field.default_factory()


@cache
def _defaults(cls: type[Any]) -> list[tuple[str, Any]]:
    """The name of each field, with its default."""
    return [(one.name, _default(one)) for one in fields(cls)]


@cache
def _fields(cls: type[Any]) -> tuple[dict[str, _Read], list[str]]:
    """The reader of each field, and the names of those that have no default."""
    hints = get_type_hints(cls, include_extras=True)
    required = [one.name for one in fields(cls) if _default(one) is MISSING]
    return {one.name: _reader(hints[one.name]) for one in fields(cls)}, required


def _reader(hint: Any) -> _Read:
    kind, of = get_origin(hint), get_args(hint)
    if kind is Annotated and of[1] == WAS_ONE:
        return partial(_widened, _reader(of[0]))
    if kind is Annotated:
        return partial(_checked, _reader(of[0]), of[1])
    if NoneType in of:
        return partial(_unless_null, _reader(next(one for one in of if one is not NoneType)))
    if kind in (tuple, frozenset):
        several = kind is tuple and of[-1] is not ...
        return partial(_several, tuple(map(_reader, of))) if several else partial(_many, kind, _reader(of[0]))
    if kind is dict:
        return partial(_mapping, _reader(of[1]))
    return partial(_READERS.get(hint) or (_one_of if issubclass(hint, Enum) else read), hint)


def _unless_null(reader: _Read, value: Any) -> Any:
    return None if value is None else reader(value)


def _checked(reader: _Read, check: _Read, value: Any) -> Any:
    found = reader(value)
    if found:
        check(found)
    return found


def _several(readers: tuple[_Read, ...], value: Any) -> tuple[Any, ...]:
    if not isinstance(value, (list, tuple)) or len(value) != len(readers):
        raise ValueError(f"{shown(value)} is no list of {len(readers)}")
    return tuple(reader(one) for reader, one in zip(readers, value, strict=True))


def _many(kind: type[Any], reader: _Read, value: Any) -> Any:
    if isinstance(value, (set, frozenset)):
        value = sorted(value, key=repr)  # DynamoDB's sets have no order, and boto3's Binary no text
    if not isinstance(value, (list, tuple)):
        raise ValueError(f"{shown(value)} is no list")  # noqa: TRY004 - as above
    return kind(reader(one) for one in value)


def _widened(reader: _Read, value: Any) -> Any:
    return reader([value] if isinstance(value, Mapping) else value)


def _mapping(reader: _Read, value: Any) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise ValueError(f"{shown(value)} is no object")  # noqa: TRY004 - as above
    return {str(key): reader(one) for key, one in value.items()}


def _one_of(kind: type[Enum], value: Any) -> Enum:
    if value not in [one.value for one in kind]:
        raise ValueError(f"{shown(value)} is unknown to this version")
    return kind(value)


def _simple(kind: type[Any], value: Any) -> Any:
    if not isinstance(value, kind):
        raise ValueError(f"{shown(value)} is no {kind.__name__}")  # noqa: TRY004 - as above
    return value


def _whole(_kind: type[int], value: Any) -> int:
    # DynamoDB knows one kind of number, which boto3 reads as Decimal; Python takes a boolean for one.
    if isinstance(value, bool) or not isinstance(value, (int, Decimal)) or value != int(value):
        raise ValueError(f"{shown(value)} is no whole number")
    return int(value)


_READERS: Mapping[type[Any], Callable[[type[Any], Any], Any]] = {str: _simple, bool: _simple, int: _whole}
