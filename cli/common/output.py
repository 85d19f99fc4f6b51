"""Where things are written: results on stdout, everything else on stderr.

Whatever the texts come from, nothing of them is obeyed by a terminal: here, and nowhere else, that is seen to.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment

from lambdas.common.written import one_line, shown, visible


class _Console(Console):
    """A console for texts of any origin.

    It leaves a reader who has gone to the caller; rich's ends the program with a code of its own.
    """

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        for text, style, control in super().render(renderable, options):
            yield Segment(text if control else visible(text), style, control)

    def on_broken_pipe(self) -> None:
        self.quiet = True
        raise BrokenPipeError


def _stdout() -> Console:
    return _Console(highlight=False, emoji=False, soft_wrap=False)


def _stderr() -> Console:
    return _Console(stderr=True, highlight=False, emoji=False)


@dataclass(frozen=True, kw_only=True)
class Output:
    """How a command answers; with `as_json`, stdout has one JSON document and nothing else."""

    as_json: bool = False
    stdout: Console = field(default_factory=_stdout)
    stderr: Console = field(default_factory=_stderr)

    def data(self, document: Any) -> None:
        """Write a JSON document; a list has an entry a line, which takes a fraction of the time of indenting."""
        if isinstance(document, list):
            entries = ",\n".join(json.dumps(entry, default=_otherwise) for entry in document)
            text = f"[\n{entries}\n]" if entries else "[]"
        else:
            text = json.dumps(document, indent=2, default=_otherwise)
        # The one control character that JSON does not escape.
        print(text.replace("\x7f", "\\u007f"), file=sys.stdout)

    def lines(self, lines: Iterable[str]) -> None:
        """Write plain lines, each of which stays one."""
        sys.stdout.write("".join(f"{one_line(line)}\n" for line in lines))

    def result(self, document: Any, lines: Iterable[str]) -> None:
        """Write what was asked for: the document with --json, else the lines."""
        if self.as_json:
            self.data(document)
        else:
            self.lines(lines)

    def show(self, what: RenderableType) -> None:
        """Draw something for people."""
        self.stdout.print(what)

    def say(self, text: str) -> None:
        """Tell what goes on, or what was done."""
        self.stderr.print(text, markup=False)

    def answer(self, document: Any, *, said: str) -> None:
        """Answer a command that did something: the document with --json, else a sentence on stdout."""
        if self.as_json:
            self.data(document)
        else:
            self.stdout.print(said, markup=False, soft_wrap=True)


def _otherwise(value: object) -> object:
    """What JSON has no type for: numbers and sets of DynamoDB's are told, anything else as Python has it."""
    return str(value) if isinstance(value, (Decimal, datetime)) else shown(value)
