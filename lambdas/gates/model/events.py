"""A report as a stream of events, whatever it is written in, so that no part of it has to be held; pure.

The events are those of ijson. XML is told as the JSON that has an attribute as "@name", a text beside others as "#text"
and an element as often as it is there; lines of text as `{"lines": [...], "told": "the last [WORD] line"}`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, BinaryIO
from xml.parsers import expat

import ijson

LIMIT = 256 * 1024 * 1024
DEEPEST = 100
_CHUNK = 64 * 1024
_LONGEST_LINE = 1024 * 1024
LONGEST_TEXT = 16 * 1024 * 1024  # a parser begins a text anew with each chunk that it goes on in
_FIRST_LINE = re.compile(r"\n|\\n")

Event = tuple[str, Any]


class ReportError(ValueError):
    """What was read is no report that can be understood: whoever asked has to treat it as a failed scan."""


def open_events(stream: BinaryIO) -> tuple[Iterator[Event], bool]:
    """The events of a report from its beginning, and whether it is XML.

    Raises:
        ReportError: it is empty, too large or in an encoding that is not read; while reading also: it is malformed.
    """
    size = stream.seek(0, 2)
    if size > LIMIT:
        raise ReportError(f"it has {size:,} bytes, and {LIMIT:,} are read at most: scan less at a time")
    stream.seek(0)
    head = stream.read(_CHUNK)
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise ReportError("it is written in UTF-16: have the tool write UTF-8, or its file by an option of its own")
    start = 3 if head.startswith(b"\xef\xbb\xbf") else 0
    first = head[start:].lstrip()[:1]
    if not first:
        raise ReportError("it is empty: the tool did not run to its end, or wrote elsewhere")
    stream.seek(start)
    if first == b"<":
        return _xml(stream), True
    return (_json(stream) if first in b'{["' or head[start:].split() == [b"null"] else _lines(stream)), False


class _Watched:
    """A stream that is read as long as events come of it."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self.quiet = 0  # bytes since the last event

    def read(self, size: int) -> bytes:
        self.quiet += size
        if self.quiet > LONGEST_TEXT:
            raise ReportError(f"one text in it has more than {LONGEST_TEXT:,} bytes: that is no report")
        return self._stream.read(size)


def _json(stream: BinaryIO) -> Iterator[Event]:
    watched = _Watched(stream)
    try:
        for event in ijson.basic_parse(watched, buf_size=_CHUNK, multiple_values=True):
            watched.quiet = 0
            yield event
    except ReportError:
        raise
    except (ijson.JSONError, ValueError, ArithmeticError, SystemError) as error:  # the last: a number of 5,000 digits
        raise ReportError(
            f"it ends in the middle or is no JSON ({_words(error)}): have the tool write JSON, nothing else, to its end"
        ) from None


def _words(error: Exception) -> str:
    """What a parser says, without the text of the report that it shows: that may be a secret."""
    return _FIRST_LINE.split(str(error).removeprefix("b'"))[0][:80]


def _lines(stream: BinaryIO) -> Iterator[Event]:
    told = ""
    yield from (("start_map", None), ("map_key", "lines"), ("start_array", None))
    while raw := stream.readline(_LONGEST_LINE):
        if len(raw) == _LONGEST_LINE or b"\0" in raw:
            raise ReportError("it is neither JSON nor XML nor lines of text: give the file that the tool wrote")
        line = raw.decode(errors="replace").rstrip("\r\n")
        told = line if line.startswith("[") else told
        yield "string", line
    yield from (("end_array", None), ("map_key", "told"), ("string", told), ("end_map", None))


def _xml(stream: BinaryIO) -> Iterator[Event]:
    elements, watched = _Elements(), _Watched(stream)
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = elements.start
    parser.EndElementHandler = elements.end
    parser.CharacterDataHandler = elements.text.append
    parser.StartDoctypeDeclHandler = elements.refuse
    yield "start_map", None
    try:
        while chunk := watched.read(_CHUNK):
            parser.Parse(chunk, False)
            for event in elements.taken():
                watched.quiet = 0
                yield event
        parser.Parse(b"", True)
    except (expat.ExpatError, ValueError, LookupError) as error:
        raise (
            error
            if isinstance(error, ReportError)
            else ReportError(f"it is no XML, or ends in the middle ({_words(error)}): run the scan again")
        ) from None
    yield from elements.taken()
    yield "end_map", None


class _Elements:
    """Elements as events; one is a map as soon as it has attributes or children, and a text otherwise."""

    def __init__(self) -> None:
        self.text: list[str] = []
        self._out: list[Event] = []
        self._maps: list[bool] = []

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self._becomes_map()
        if len(self._maps) > DEEPEST:
            raise ReportError(f"its elements are nested deeper than {DEEPEST}: that is no report")
        self._out.append(("map_key", name.rpartition(":")[2]))
        self._maps.append(False)
        if attributes:
            self._becomes_map()
        for key, value in attributes.items():
            self._out += [("map_key", f"@{key}"), ("string", value)]

    def end(self, _name: str) -> None:
        told = "".join(self.text).strip()
        self.text.clear()
        if not self._maps.pop():
            self._out.append(("string", told))
            return
        if told:
            self._out += [("map_key", "#text"), ("string", told)]
        self._out.append(("end_map", None))

    def _becomes_map(self) -> None:
        self.text.clear()  # what stands between elements is layout
        if self._maps and not self._maps[-1]:
            self._maps[-1] = True
            self._out.append(("start_map", None))

    def refuse(self, *_declaration: object) -> None:
        raise ReportError("it declares a document type, which can name other files: have the tool write none")

    def taken(self) -> Iterator[Event]:
        out, self._out = self._out, []
        return iter(out)
