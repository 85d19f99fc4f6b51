"""What a parser declares of its format; those of the folder `parsers` are all that there are; pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

from lambdas.common.evidence.finding import Finding
from lambdas.gates.model import parsers
from lambdas.gates.model.record import Record
from lambdas.gates.model.walk import Node

Convert = Callable[[Record], Iterable[Finding]]


def as_told(fields: str, **given: Any) -> Convert:
    """Each record is a finding, by a table of `Record.finding`."""
    return lambda one: (one.finding(fields, **given),)


@dataclass(frozen=True, kw_only=True)
class Shape:
    """One of the forms that a tool's reports have, in patterns of `walk`.

    A record becomes findings; what is kept is there for the records below it. `scanned` proves that something was
    looked at: numbers are added, other entries counted; what was `passed_over` is taken off. `errors` are what the tool
    itself could not do, and what that means; an empty list, a 0 or a null is none. `data_of` is where the
    date stands of what it judged by. `counts` is where the tool says how
    many findings there are, or (with `=word`) that there is one: a report that holds fewer open ones contradicts
    itself. `only` is for reports with so few names that nothing else may be there: an empty one of another tool would
    look like it. With `lines` the file has the entries of a list one after the other, as JSON lines have them.
    """

    records: Mapping[str, Convert]
    keeps: tuple[str, ...] = ()
    version: str = ""
    data_of: tuple[str, ...] = ()
    scanned: tuple[str, ...] = ()
    passed_over: tuple[str, ...] = ()
    counts: tuple[str, ...] = ()
    errors: Mapping[str, str] = field(default_factory=dict)
    only: bool = False
    lines: bool = False

    @cached_property
    def root(self) -> Node:
        """The places that the patterns name."""
        root = Node()
        root.flags = "!" if self.only else ""
        for pattern, convert in self.records.items():
            root.add(pattern, "record", convert)
        for purpose, patterns in (
            ("keep", self.keeps),
            ("scanned", self.scanned),
            ("passed_over", self.passed_over),
            ("data_of", self.data_of),
            ("counts", self.counts),
            ("version", (self.version,) if self.version else ()),
        ):
            for pattern in patterns:
                root.add(pattern, purpose)
        for pattern, words in self.errors.items():
            root.add(pattern, "error", words)
        return root


@dataclass(frozen=True, kw_only=True)
class Format:
    """What a tool writes; `tail`: it writes something behind its report, which is left alone."""

    tool: str
    shapes: tuple[Shape, ...]
    tail: bool = False


@cache
def formats() -> Mapping[str, Format]:
    """All formats, by the name of their file with dashes."""
    names = sorted(one.name for one in iter_modules(parsers.__path__))
    return {name.replace("_", "-"): import_module(f"{parsers.__name__}.{name}").FORMAT for name in names}
