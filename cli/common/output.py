"""Where things are written: results on stdout, everything else on stderr."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from rich.console import Console, RenderableType


class _Console(Console):
    """A console that leaves a reader who has gone to the caller; rich's ends the program with a code of its own."""

    def on_broken_pipe(self) -> None:
        self.quiet = True
        raise BrokenPipeError


def _stdout() -> Console:
    return _Console(highlight=False, soft_wrap=False)


def _stderr() -> Console:
    return _Console(stderr=True, highlight=False)


@dataclass(frozen=True, kw_only=True)
class Output:
    """How a command answers; with `as_json`, stdout has one JSON document and nothing else."""

    as_json: bool = False
    stdout: Console = field(default_factory=_stdout)
    stderr: Console = field(default_factory=_stderr)

    def data(self, document: Any) -> None:
        """Write a JSON document; a list has an entry a line, which takes a fraction of the time of indenting."""
        if isinstance(document, list):
            entries = ",\n".join(json.dumps(entry, default=str) for entry in document)
            sys.stdout.write(f"[\n{entries}\n]\n" if entries else "[]\n")
        else:
            print(json.dumps(document, indent=2, default=str), file=sys.stdout)

    def lines(self, lines: Iterable[str]) -> None:
        """Write plain lines as they are."""
        sys.stdout.write("".join(f"{line}\n" for line in lines))

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
