"""A scanner's report, read: its findings, and whatever says that it is not the whole truth; pure.

It is read twice, a part at a time. First whether it is whole and of its format, and what has to be known of the parts
around the records; then each record by itself: what one cannot be read for is told, and the next one is read.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any, BinaryIO

from lambdas.common.evidence.finding import Finding, State
from lambdas.common.written import cut, one_line, shown
from lambdas.gates.model.events import ReportError, open_events
from lambdas.gates.model.formats import Format, Shape, formats
from lambdas.gates.model.record import Record, RecordError, whole
from lambdas.gates.model.walk import Hit, Scopes, TooManyError, Wrong, walk

_KEPT = frozenset({"keep", "version", "data_of", "scanned", "counts", "error"})
_RECORDS = frozenset({"record"})
_MOST_KEPT = 500_000  # parts
_HEAD = 2_000  # events
_FIRST = 50  # findings and errors
_ERROR_WORDS = ("filename", "path", "directory", "type", "reason", "errMsg")
_ID_WORDS = ("id", "Id", "rule_id", "check_id", "RuleID", "ruleId", "VulnerabilityID", "name")


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
        if one.node.equals and str(one.value) not in one.node.equals:
            if "scanned" in one.node.purposes:
                return
            raise _OtherError(f"`{one.where}` is not {' or '.join(one.node.equals)}")
        for purpose, words in one.node.purposes.items():
            getattr(self, f"_{purpose}")(one, words)

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
        self.scanned += 1 if isinstance(one.value, (dict, list, str)) else _number(one)

    def _counts(self, one: Hit, _words: Any) -> None:
        self.counts += _number(one)

    def _error(self, one: Hit, words: str) -> None:
        if one.value and one.value != "0":
            self.errors.append(f"{words} ({_told(one.value)})")

    def _record(self, _one: Hit, _words: Any) -> None:
        """Read in the second pass."""


def _told(value: Any) -> str:
    """What a tool says of its own error, without the code around it: that may hold a secret."""
    if isinstance(value, dict):
        value = ": ".join(one for name in _ERROR_WORDS if isinstance(one := value.get(name), str))
    return cut(one_line(str(value)), 200) if isinstance(value, (str, int)) else "no reason is told"


def _number(one: Hit) -> int:
    try:
        return whole(one.where, one.value)
    except RecordError as error:
        raise ReportError(str(error)) from error


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
        numbers: Counter[str] = Counter()
        read, bad = 0, self._outline.misfit
        events, xml = open_events(self._stream)
        for hit in walk(events, self._outline.shape.root, _RECORDS, xml=xml, tail=self._known.tail):
            if isinstance(hit, Wrong):
                continue  # the first pass has told it
            pattern, convert = hit.node.purposes["record"]
            numbers[pattern] += 1
            try:
                found = list(convert(self._record(hit)))
            except RecordError as error:
                bad = bad or f"{hit.where} {error}"
                yield f"{hit.where}{_named(hit.value)} {error}"
                continue
            read += 1
            yield from self._once(found)
        if bad and not read:
            raise ReportError(f"nothing in it can be read as one of {self.format}: {bad}")
        counted, pattern = self._outline.shape.counts
        if counted and self._outline.counts > numbers[pattern]:
            yield f"its {counted} is {self._outline.counts}, and it holds {numbers[pattern]}: run the scan again"

    def _record(self, hit: Hit) -> Record:
        if isinstance(hit.value, TooManyError):
            raise RecordError(str(hit.value))
        around = hit.scopes[:-1] if hit.node.name in ("[]", "*") else hit.scopes
        if self._above is None or self._above[0] != around:
            self._above = around, Record(self._outline.around(around), tool=self._known.tool)
        return Record(hit.value, tool=self._known.tool, above=self._above[1], keys=hit.keys)

    def _once(self, found: list[Finding]) -> Iterator[Finding]:
        """A package's problem that is told twice is one finding; others that are alike are numbered."""
        for one in found:
            if one.package and (told := hash(one)) in self._told:
                continue
            if one.package:
                self._told.add(told)
            times = self._times.get(target := hash(one.target), 0)
            self._times[target] = times + 1
            yield replace(one, repeat=times) if times else one


def _named(value: Any) -> str:
    """What a record calls itself, if it does."""
    if not isinstance(value, dict):
        return ""
    ids = (value.get(name) for name in _ID_WORDS)
    return next((f" ({one_line(cut(one))})" for one in ids if isinstance(one, str) and one), "")


def format_named(name: str) -> Format:
    """The format of a name.

    Raises:
        ReportError: there is none.
    """
    if name not in formats():
        raise ReportError(f"no format is called {shown(name)}: name one of {', '.join(formats())}")
    return formats()[name]


def _outlined(stream: BinaryIO, name: str, known: Format) -> _Outline:
    words = []
    for shape in known.shapes:
        outline = _Outline(shape=shape)
        events, xml = open_events(stream)
        try:
            for one in walk(events, shape.root, _KEPT, xml=xml, tail=known.tail):
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
        events, xml = open_events(stream)
        try:
            for one in walk(islice(events, _HEAD), shape.root, _KEPT | _RECORDS, xml=xml, tail=known.tail):
                outline.take(one)
                if isinstance(one, Hit):
                    return True
        except _OtherError:
            continue
    return stream.seek(0, 2) < _HEAD


def _is(stream: BinaryIO, name: str) -> bool:
    """Whether the first records can be read, if there are any."""
    try:
        reading = Reading(stream, name=name)
        first = list(islice(reading, len(reading.troubles) + _FIRST))
    except ReportError:
        return False
    return any(isinstance(one, Finding) for one in first) or len(first) == len(reading.troubles)
