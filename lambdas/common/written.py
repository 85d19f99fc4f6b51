"""Values and texts of any origin, made fit for people: of bounded length, stable, and harmless to a terminal; pure.

Only the standard library: every Lambda function imports this at its cold start.
"""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Iterator, Mapping
from decimal import Decimal
from reprlib import Repr
from typing import Any

_SHOWN = 60  # characters of a value that are shown
_HUGE = 10_000  # bits
# Control characters (C0, DEL, C1), what turns a line's direction, Unicode's own line ends, and halves of characters.
_CONTROL = "\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff"
_UNFIT = re.compile(f"[{_CONTROL}]")


def visible(text: str) -> str:
    """A text in which whatever a terminal or a mail program would obey is escaped; line feeds and tabs stay."""
    return _UNFIT.sub(lambda found: _escaped(found[0]), text)


def one_line(text: str) -> str:
    """The same, and in one line whatever it has."""
    return visible(text).replace("\n", "\\n")


def _escaped(letter: str) -> str:
    return f"\\x{ord(letter):02x}" if letter < "\u0100" else f"\\u{ord(letter):04x}"


def cut(text: str, limit: int = _SHOWN) -> str:
    """The beginning of a text, which tells that it goes on."""
    return text if len(text) <= limit else f"{text[:limit]}..."


class _Repr(Repr):
    def repr_set(self, x: Any, level: int) -> str:
        return self.repr_list(sorted(x, key=repr), level)


_REPR = _Repr()
_REPR.maxstring = _REPR.maxother = _REPR.maxlong = _SHOWN


def shown(value: object) -> str:
    """A value as Python has it; of a large or deep one only the beginning is looked at."""
    try:
        return cut(_REPR.repr(value))
    except ValueError:  # Python writes no number of thousands of digits
        return f"a {type(value).__name__} that is too large"


def as_written(value: object) -> str:
    """A value with its type, as in `{"N": "7"}`; of a large or deep one only the beginning is looked at."""
    text = ""
    for piece in _pieces(value):
        text += piece
        if len(text) > _SHOWN:
            break
    return cut(text)


def _pieces(value: Any) -> Iterator[str]:
    kind, content = _typed(value)
    yield f'{{"{kind}": '
    if kind == "M":
        yield from _listed("{}", ((f"{_quoted(key)}: ", one) for key, one in content.items()))
    elif kind == "L":
        yield from _listed("[]", (("", one) for one in content))
    else:
        yield json.dumps(content)
    yield "}"


def _listed(brackets: str, entries: Iterator[tuple[str, Any]]) -> Iterator[str]:
    yield brackets[0]
    for number, (name, one) in enumerate(entries):
        yield f"{', ' if number else ''}{name}"
        yield from _pieces(one)
    yield brackets[1]


def _typed(value: Any) -> tuple[str, Any]:
    """The letters of the type, and what stands beside them; of maps and lists that is their values as they are."""
    if value is None:
        return "NULL", True
    for kinds, letters, content in _KINDS:
        if isinstance(value, kinds):
            return letters, content(value)
    if isinstance(value, (set, frozenset)):
        members = [_typed(one) for one in value]
        kind = min((kind for kind, _ in members), default="S")
        return f"{kind}S", sorted(str(content) for _, content in members)
    # boto3 has a class of its own for binaries, whose `str` is none.
    return ("B", _base64(value)) if hasattr(value, "__bytes__") else (type(value).__name__, "")


def _base64(value: Any) -> str:
    return b64encode(bytes(value)).decode()


def _number(value: float | Decimal) -> str:
    # Python writes no number of thousands of digits but in such a base.
    huge = isinstance(value, int) and value.bit_length() > _HUGE
    return hex(value) if huge else str(value)  # type: ignore[arg-type]


_KINDS: tuple[tuple[Any, str, Any], ...] = (
    (str, "S", str),
    (bool, "BOOL", bool),
    ((int, float, Decimal), "N", _number),
    ((bytes, bytearray), "B", _base64),
    (Mapping, "M", lambda value: value),
    ((list, tuple), "L", lambda value: value),
)


def _quoted(key: object) -> str:
    return json.dumps(key) if isinstance(key, str) else as_written(key)
