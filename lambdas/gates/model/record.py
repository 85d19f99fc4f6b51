"""One record of a report: its values by path, each of the kind that is meant, and the finding made of them; pure.

Whatever comes from a report is foreign: it is made visible and cut here, for all parsers.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import cache, cached_property, lru_cache
from typing import Any, TypeVar

from lambdas.common.evidence.finding import Finding, Package, Place, Severity, State, content_of
from lambdas.common.written import cut, one_line, shown, visible

T = TypeVar("T")
_NAME = 1_000  # characters of what identifies a finding; what is longer ends in a hash
_TITLE = 250
_TEXT = 2_000
_LARGEST = 10**12
_URL = re.compile(r"https?://[^\s\"'<>]+")
# Where CodeBuild has a source: the number in it is another in each build.
_BUILD = re.compile(
    r"^(?:file://)?(?:/codebuild/output/[^/]+/src/(?:[^/]+/v1/repos/[^/]+/|github\.com/[^/]+/[^/]+/)?)?"
)
# What a rule is about whose messages may show the secret that was found.
_SECRETS = re.compile(r"secret|passw|hard.?coded|credential|token|api.?key|private.?key|\bB10[5-7]\b", re.IGNORECASE)
_WORDS = {
    Severity.CRITICAL: ("critical", "extreme", "very_high", "fatal"),
    Severity.HIGH: ("high", "important", "error", "fail"),
    Severity.MEDIUM: ("medium", "moderate", "warning", "warn"),
    Severity.LOW: ("low", "minor", "note", "negligible"),
    Severity.INFORMATIONAL: ("informational", "info", "information", "none"),
}
_SEVERITIES = {word: one for one, words in _WORDS.items() for word in words}


class RecordError(ValueError):
    """A record is not what its format says; the text names the value."""


def secretive(*texts: str) -> bool:
    """Whether a rule is about secrets: what its tool says of a finding may then be one."""
    return any(_SECRETS.search(text) for text in texts)


def severity_of(word: str) -> Severity:
    """What a tool's word means; one that is not known is `UNKNOWN`, as none is."""
    return _SEVERITIES.get(word.strip().lower().replace(" ", "_").replace("-", "_"), Severity.UNKNOWN)


def severity_of_score(score: str) -> Severity:
    """What a score of CVSS means (https://www.first.org/cvss/v3.1/specification-document#Qualitative-Severity-Rating-Scale)."""
    try:
        value = float(score)
    except ValueError:
        return Severity.UNKNOWN
    for least, one in ((9, Severity.CRITICAL), (7, Severity.HIGH), (4, Severity.MEDIUM), (0.1, Severity.LOW)):
        if least <= value <= 10:  # noqa: PLR2004 - the scale's end
            return one
    return Severity.INFORMATIONAL if value == 0 else Severity.UNKNOWN


class Record:
    """A part of a report; `above` has what was kept of the parts around it, and `keys` are those that may be any."""

    def __init__(self, data: Any, *, tool: str, above: Record | None = None, keys: tuple[str, ...] = ()) -> None:
        self.data, self.tool, self.keys = data, tool, keys
        self.above: Record = above or self

    @cached_property
    def shared(self) -> dict[str, Any]:
        """What a parser makes of what is above once for all records below it."""
        return {}

    def get(self, path: str) -> Any:
        """The value at a path, or None."""
        value = self.data
        if not isinstance(value, dict):
            raise RecordError(f"is {_kind(value)}, no object")
        if path in value or "." not in path:
            return value.get(path)
        for name in path.split("."):
            if value is not None and not isinstance(value, dict):
                raise RecordError(f"has no object around `{path}`")
            value = None if value is None else value.get(name)
        return value

    def maybe(self, *paths: str) -> str:
        """The first text that is there and not empty, or an empty one."""
        for path in paths:
            if text := _text(path, self.get(path)):
                return text
        return ""

    def text(self, *paths: str) -> str:
        """The same, and it has to be there."""
        if not (found := self.maybe(*paths)):
            raise RecordError(f"has no `{paths[0]}`")
        return found

    def position(self, *paths: str) -> int:
        """The first line or column that is there, or 0."""
        return next((number for path in paths if (number := position(path, self.get(path)))), 0)

    def choice(self, path: str, of: Mapping[str, T]) -> T:
        """What the text at a path stands for, whether in capitals or not.

        Raises:
            RecordError: it is none of those: whatever it means, it is not "nothing found".
        """
        word = self.text(path)
        if word.upper() not in of:
            raise RecordError(f"`{path}` is {shown(word)}, which is unknown to this version")
        return of[word.upper()]

    def each(self, path: str) -> list[Record]:
        """The entries of a list, which may be missing."""
        value = self.get(path)
        if value is not None and not isinstance(value, list):
            raise RecordError(f"`{path}` is {_kind(value)}, no list")
        return [self.of(one) for one in value or ()]

    def elements(self, *names: str) -> list[Record]:
        """The elements of XML at a path: none, one or several. One without anything is there, and has nothing."""
        found = [self]
        for name in names:
            values = [one.get(name) for one in found]
            inner = [it for value in values for it in (value if isinstance(value, list) else [value])]
            found = [self.of(it or {}) for it in inner if it is not None]
        return found

    def of(self, data: Any) -> Record:
        """A part of this record, in the same place of the report."""
        return Record(data, tool=self.tool, above=self.above, keys=self.keys)

    def texts(self, path: str) -> tuple[str, ...]:
        """The texts of a list."""
        return tuple(text for one in self.each(path) if (text := _text(path, one.data)))

    def joined(self, path: str, key: str) -> str:
        """The texts at a path of the entries of a list, in an order of their own."""
        return ", ".join(sorted({text for one in self.each(path) if (text := one.maybe(key))}))

    def finding(self, fields: str, **given: Any) -> Finding:
        """A finding of what stands at the paths of a table: `rule=id! title=name|text path=^file`.

        `!` has to be there, the first of several that is not empty counts, and `^` is kept of what is above. Whatever
        is given, and not empty, goes before the table. `content` is the text that was found, which is not kept.
        """
        told: dict[str, Any] = {"tool": self.tool}
        for name, read, above, paths in _table(fields):
            if not given.get(name):
                told[name] = read(self.above if above else self, *paths)
        told |= {name: value for name, value in given.items() if value}
        return _finding(told)


def _one_or_several(one: Record, path: str) -> tuple[str, ...]:
    return one.texts(path) if isinstance(one.get(path), list) else (one.maybe(path),)


_READS: Mapping[str, Callable[..., Any]] = {
    "line": Record.position,
    "column": Record.position,
    "aliases": _one_or_several,
    "fixed": _one_or_several,
}


@cache
def _table(fields: str) -> tuple[tuple[str, Callable[..., Any], bool, tuple[str, ...]], ...]:
    parts = [one.partition("=") for one in fields.split()]
    return tuple(
        (
            name,
            _READS.get(name, Record.text if paths.endswith("!") else Record.maybe),
            paths.startswith("^"),
            tuple(paths.strip("^!").split("|")),
        )
        for name, _, paths in parts
    )


def _finding(told: Mapping[str, Any]) -> Finding:
    text: Callable[[str], str] = lambda name: told.get(name) or ""  # noqa: E731 - what is not told is empty
    rule, path = _name(text("rule")), _path(text("path"))
    package, fixed = _name(text("package")), ", ".join(filter(None, told.get("fixed") or ()))
    severity, link = told.get("severity") or "", _URL.search(text("url"))
    repair = text("remediation") or (f"Update {package} to {fixed}" if package and fixed else "")
    return Finding(
        tool=_name(text("tool")),
        rule=rule,
        title=_line(text("title") or (f"{rule} in {package}" if package else rule)),
        severity=severity_of(severity) if isinstance(severity, str) else severity,
        state=told.get("state") or State.OPEN,
        description=cut(visible(text("description")), _TEXT),
        resource=_name(text("resource")),
        place=Place(
            path=path,
            line=told.get("line") or 0,
            column=told.get("column") or 0,
            inside=_name(text("inside")),
            commit=_line(text("commit")),
        ),
        package=Package(name=package, installed=_name(text("installed")), fixed=_line(fixed)) if package else None,
        remediation=cut(visible(repair), _TEXT),
        url=cut(one_line(link[0]), _TEXT) if link else "",
        aliases=tuple(sorted({_line(one) for one in told.get("aliases") or () if one} - {rule})),
        first_seen=_line(text("first_seen")),
        content=content_of(text("content"), rule=rule, path=path),
    )


def _kind(value: Any) -> str:
    """What a value is, without the value: that may be a secret."""
    return f"of the kind {type(value).__name__}"


def whole(name: str, value: Any) -> int:
    """A whole number, also where it is written as a text; 0 for none."""
    if value in (None, ""):
        return 0
    if isinstance(value, bool) or not isinstance(value, (int, Decimal, str)):
        raise RecordError(f"`{name}` is {_kind(value)}, no number")
    try:
        number = Decimal(value)
    except ArithmeticError:
        number = Decimal("NaN")
    if not number.is_finite() or not 0 <= number < _LARGEST or number % 1:
        raise RecordError(f"`{name}` is {shown(value)}, no whole number")
    return int(number)


def position(name: str, value: Any) -> int:
    """A line or a column; 0 for none, which some tools write as -1."""
    return 0 if str(value) == "-1" else whole(name, value)


def _text(name: str, value: Any) -> str:
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, dict) and "#text" in value:
        value = value["#text"]
    if isinstance(value, (list, dict)):
        raise RecordError(f"`{name}` is {_kind(value)}, no text")
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value).strip()


@lru_cache
def _path(text: str) -> str:
    return _name(_BUILD.sub("", text.replace("\\", "/")).removeprefix("./"))


def _name(text: str) -> str:
    """A text that identifies something: two of them stay apart however long they are."""
    told = text if text.isprintable() else one_line(text)
    return told if len(told) <= _NAME else f"{told[:_NAME]}~{hashlib.sha256(told.encode()).hexdigest()[:16]}"


def _line(text: str) -> str:
    return cut(text if text.isprintable() else one_line(" ".join(text.split())), _TITLE)
