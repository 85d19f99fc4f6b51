"""A scanner's report, read: its findings, and whatever says that it is not the whole truth; pure.

It is read twice, a part at a time. First whether it is whole and of its format, and what has to be known of the parts
around the records; then each record by itself: what one cannot be read for is told, and the next one is read.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import dataclass, field, replace
from itertools import chain, islice
from typing import Any, BinaryIO

from lambdas.common.evidence.finding import Finding, State
from lambdas.common.written import cut, one_line, shown
from lambdas.gates.model.events import ReportError, open_events
from lambdas.gates.model.formats import Format, Shape, formats
from lambdas.gates.model.record import Record, RecordError
from lambdas.gates.model.values import name_of, number_of, told_of, word_of
from lambdas.gates.model.walk import Hit, Scopes, TooManyError, Wrong, walk

_KEPT = frozenset({"keep", "version", "data_of", "scanned", "passed_over", "counts", "error"})
_RECORDS = frozenset({"record"})
_MOST_KEPT = 500_000  # parts
_HEAD = 2_000  # events
_FIRST = 50  # findings and errors


class _OtherError(ReportError):
    """A report is not of that shape."""


@dataclass(frozen=True, kw_only=True)
class Report:
    """What a report says. Where it has errors, something was not scanned or not understood: its findings are not all.

    `scanned` is None where the tool does not tell, and `data_of`, the date of what it judged by, is empty; `format` is
    the name by which the report was recognised.
    """

    format: str
    version: str
    scanned: int | None
    findings: tuple[Finding, ...]
    errors: tuple[str, ...]
    data_of: str = ""

    @property
    def clean(self) -> bool:
        """Whether the report proves that nothing is open: all was understood, and something was scanned."""
        return not self.errors and self.scanned != 0 and not any(one.state is State.OPEN for one in self.findings)


def read_report(stream: BinaryIO, *, name: str = "") -> Report:
    """Read a report of a format; without a name it is recognised.

    Raises:
        ReportError: it is none of that format, or not a whole one.
    """
    reading = Reading(stream, name=name)
    told = list(reading)
    return Report(
        format=reading.format,
        version=reading.version,
        scanned=reading.scanned,
        findings=tuple(one for one in told if isinstance(one, Finding)),
        errors=tuple(one for one in told if isinstance(one, str)),
        data_of=reading.data_of,
    )


@dataclass(kw_only=True)
class _Outline:
    """What is known of a report before its records are read."""

    shape: Shape
    kept: dict[Scopes, dict[str, Any]] = field(default_factory=dict)
    version: str = ""
    data_of: str = ""
    scanned: int = 0
    counts: int = 0
    errors: list[str] = field(default_factory=list)
    misfit: str = ""
    parts: int = 0

    def take(self, one: Hit | Wrong) -> None:
        if isinstance(one, Wrong):
            if one.root:
                raise _OtherError(f"`{one.where}` {one.words}" if one.where else f"it {one.words}")
            self.misfit = self.misfit or f"{one.where} {one.words}"
            self.errors.append(f"{one.where} {one.words}")
            return
        for purpose, words in one.node.purposes.items():
            equals = one.node.equals.get(purpose)
            if not equals or word_of(one.value) in equals:
                getattr(self, f"_{purpose}")(one, words)
            elif purpose == "keep":
                raise _OtherError(f"`{one.where}` is not {' or '.join(equals)}")

    def _keep(self, one: Hit, _words: Any) -> None:
        if one.node.name == "[]":
            self.kept.setdefault(one.scopes[:-1], {}).setdefault(one.node.relative, []).append(one.value)
        else:
            self.kept.setdefault(one.scopes, {})[one.node.relative] = one.value
        self.parts += 1
        if self.parts > _MOST_KEPT:
            raise ReportError(f"it has more than {_MOST_KEPT:,} parts around its findings: scan less at a time")

    def around(self, scopes: Scopes) -> dict[str, Any]:
        """What was kept of the parts around, the nearest first."""
        return {key: value for end in range(len(scopes) + 1) for key, value in self.kept.get(scopes[:end], {}).items()}

    def _version(self, one: Hit, _words: Any) -> None:
        self.version = self.version or cut(one_line(str(one.value or "")))

    def _data_of(self, one: Hit, _words: Any) -> None:
        # Of several, the oldest says how far what was found can be trusted.
        told = cut(one_line(str(one.value or "")))
        self.data_of = min(filter(None, (self.data_of, told)), default="")

    def _scanned(self, one: Hit, _words: Any) -> None:
        self.scanned += 1 if isinstance(one.value, (dict, list, str)) else number_of(one)

    def _passed_over(self, _one: Hit, _words: Any) -> None:
        self.scanned -= 1

    def _counts(self, one: Hit, _words: Any) -> None:
        self.counts += 1 if "counts" in one.node.equals else number_of(one)

    def _error(self, one: Hit, words: str) -> None:
        if one.value and one.value != "0":
            self.errors.append(f"{words} ({told_of(one.value)})")

    def _record(self, _one: Hit, _words: Any) -> None:
        """Read in the second pass."""


class Reading:
    """A report that is being read: iterate it once for its findings, and for errors in words."""

    def __init__(self, stream: BinaryIO, *, name: str = "") -> None:
        self._stream = stream
        self.format = name or recognised(stream)
        self._known = format_named(self.format)
        self._outline = _outlined(stream, self.format, self._known)
        self.version = self._outline.version
        self.data_of = self._outline.data_of
        self.troubles = tuple(self._outline.errors)  # what the first pass has found
        self.scanned = self._outline.scanned if self._outline.shape.scanned else None
        self._above: tuple[Scopes, Record] | None = None
        self._times: dict[int, int] = {}
        self._told: set[int] = set()

    def __iter__(self) -> Iterator[Finding | str]:
        """Each finding once, and what could not be read."""
        yield from self.troubles
        read, opened, bad = 0, 0, self._outline.misfit
        for hit in _walked(self._stream, self._known, self._outline.shape, _RECORDS):
            if isinstance(hit, Wrong):
                continue  # the first pass has told it
            try:
                found = list(hit.node.purposes["record"](self._record(hit)))
            except RecordError as error:
                bad = bad or f"{hit.where} {error}"
                opened += 1
                yield f"{hit.where}{name_of(hit.value)} {error}"
                continue
            read += 1
            opened += sum(one.state is State.OPEN for one in found)
            yield from self._once(found)
        if bad and not read:
            raise ReportError(f"nothing in it can be read as one of {self.format}: {bad}")
        if (counted := self._outline.counts) > opened:
            where = " and ".join(self._outline.shape.counts).replace("?", "")
            yield f"by `{where}` {counted} findings are open, and it holds {opened}: run the scan again"

    def _record(self, hit: Hit) -> Record:
        if isinstance(hit.value, TooManyError):
            raise RecordError(str(hit.value))
        around = hit.scopes[:-1] if hit.node.name in ("[]", "*") else hit.scopes
        if self._above is None or self._above[0] != around:
            self._above = around, Record(self._outline.around(around), tool=self._known.tool)
        return Record(hit.value, tool=self._known.tool, above=self._above[1], keys=hit.keys)

    def _once(self, found: list[Finding]) -> Iterator[Finding]:
        """A package's problem that is told twice is one finding; others that are alike are numbered.

        Each commit is counted by itself: what several of them have in a file is the same.
        """
        for one in found:
            if one.package and self._told_before(one):
                continue
            times = self._times.get(target := hash((one.target, one.place.commit)), 0)
            self._times[target] = times + 1
            if not one.package and self._told_before((one.target, times)):
                continue
            yield replace(one, repeat=times) if times else one

    def _told_before(self, told: Hashable) -> bool:
        known = hash(told) in self._told
        self._told.add(hash(told))
        return known


def format_named(name: str) -> Format:
    """The format of a name.

    Raises:
        ReportError: there is none.
    """
    if name not in formats():
        raise ReportError(f"no format is called {shown(name)}: name one of {', '.join(formats())}")
    return formats()[name]


def _walked(
    stream: BinaryIO, known: Format, shape: Shape, wanted: frozenset[str], *, most: int | None = None
) -> Iterator[Hit | Wrong]:
    """The parts of a report, as one of its format's shapes has them; `most` is how many events are looked at."""
    events, xml = open_events(stream)
    if shape.lines:
        events = chain([("start_array", None)], events, [("end_array", None)])
    return walk(islice(events, most), shape.root, wanted, xml=xml, tail=known.tail)


def _outlined(stream: BinaryIO, name: str, known: Format) -> _Outline:
    words = []
    for shape in known.shapes:
        outline = _Outline(shape=shape)
        try:
            for one in _walked(stream, known, shape, _KEPT):
                outline.take(one)
        except _OtherError as error:
            words.append(str(error))
            continue
        return outline
    raise ReportError(f"it is no report of {name}: {'; or '.join(dict.fromkeys(words))}. Check which tool wrote it")


def recognised(stream: BinaryIO) -> str:
    """The name of the one format that a report is of.

    Raises:
        ReportError: it is of none, or of several.
    """
    found = [name for name, known in formats().items() if _may_be(stream, known) and _is(stream, name)]
    if len(found) != 1:
        which = f"it may be one of {' or '.join(found)}" if found else f"it is of none of {', '.join(formats())}"
        raise ReportError(f"{which}: name the format that the tool wrote")
    return found[0]


def _may_be(stream: BinaryIO, known: Format) -> bool:
    """Whether the beginning has anything that the format names, and nothing that it excludes."""
    for shape in known.shapes:
        outline = _Outline(shape=shape)
        try:
            for one in _walked(stream, known, shape, _KEPT | _RECORDS, most=_HEAD):
                outline.take(one)
                if isinstance(one, Hit):
                    return not shape.lines or _readable(one, known)
        except _OtherError:
            continue
    return stream.seek(0, 2) < _HEAD


def _readable(one: Hit, known: Format) -> bool:
    """Whether an entry that nothing is around can be read: any other tool's report might be one."""
    try:
        list(one.node.purposes["record"](Record(one.value, tool=known.tool)) if "record" in one.node.purposes else ())
    except RecordError:
        return False
    return True


def _is(stream: BinaryIO, name: str) -> bool:
    """Whether the first records can be read, if there are any."""
    try:
        reading = Reading(stream, name=name)
        first = list(islice(reading, len(reading.troubles) + _FIRST))
    except ReportError:
        return False
    return any(isinstance(one, Finding) for one in first) or len(first) == len(reading.troubles)
