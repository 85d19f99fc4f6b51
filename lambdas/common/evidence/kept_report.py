"""A gate's report as it is kept in the reports bucket: what was looked at, whether to the end, and each finding; pure.

Packed JSON lines: the head, then one finding a line. So it is read a line at a time, and a line that cannot be read
harms no other. Its arrival starts the import into Security Hub.
"""

from __future__ import annotations

import gzip
import re
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from io import BytesIO
from itertools import chain
from typing import Annotated, Self

from lambdas.common.clock import Stamp
from lambdas.common.errors import UnreadableError
from lambdas.common.evidence.finding import Finding
from lambdas.common.versioned_json import Text
from lambdas.common.written import cut, one_line, shown

FOLDER = "findings/"
SUFFIX = ".jsonl.gz"
_SBOM = ".cdx.json"
_LONGEST = 1_000_000  # bytes of a line: packed, a gigabyte is one of a megabyte
_GATE = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
# What names of branches may have, but for the colon, which separates the parts of an id in Security Hub.
_TARGET = re.compile(r"[!-9;-~]{1,250}")


def _gate(name: str) -> None:
    if not _GATE.fullmatch(name):
        raise ValueError(f"{shown(name)} is no name of a gate: lower-case letters, digits and dashes, at most 63")


def _target(name: str) -> None:
    if not _TARGET.fullmatch(name):
        raise ValueError(f"{shown(name)} is no target: at most 250 letters of ASCII, no space and no colon")


@dataclass(frozen=True, kw_only=True)
class Head(Text):
    """What a report is about: a gate's look at a target (`source`, `templates`, a repository's branch, a tenant).

    `findings` is how many follow. Only a `complete` report proves that what it does not name is gone. `tools` are
    versions by tool. Findings of a tenant's component name the `deployment` and its `revision`.
    """

    gate: Annotated[str, _gate]
    target: Annotated[str, _target]
    created: Stamp
    findings: int
    complete: bool = False
    tools: dict[str, str] = field(default_factory=dict)
    revision: str = ""
    deployment: str = ""

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read what `to_json` of this or a later version wrote.

        Raises:
            UnreadableError: that is no head.
        """
        try:
            head = super().from_json(text)
            if missing := [name for name in ("gate", "target", "created") if not getattr(head, name)]:
                raise ValueError(f"{missing[0]} is empty")  # noqa: TRY301 - whatever is wrong, it is said the same way
        except (ValueError, OverflowError) as error:
            raise UnreadableError(f"no head of a report can be read ({error}): run the gate again") from error
        return head

    def key(self, run: str) -> str:
        """Key of a run's report in the bucket."""
        return f"{FOLDER}{self.target}/{self.gate}/{run}{SUFFIX}"

    def belongs(self, key: str) -> bool:
        """Whether it stands where its gate may write: a role that writes for one gate says nothing for another."""
        run = key.removesuffix(SUFFIX).rpartition("/")[2]
        return bool(run) and key == self.key(run)


def sbom_key(key: str) -> str:
    """Key of the bill of materials beside a report."""
    return f"{key.removesuffix(SUFFIX)}{_SBOM}"


def packed(head: Head, findings: Iterable[Finding]) -> bytes:
    """A report to be kept; the same one has the same bytes."""
    out = BytesIO()
    with gzip.GzipFile(fileobj=out, mode="wb", mtime=0) as stream:
        stream.writelines(f"{one.to_json()}\n".encode() for one in chain([head], findings))
    return out.getvalue()


@dataclass(frozen=True)
class Unread:
    """Something of a report that could not be read."""

    where: str
    reason: str


class KeptReport:
    """A report that was kept: iterate it, as often as needed, for its findings and for what could not be read.

    Raises:
        UnreadableError: it is none at all, or of an unknown target.
    """

    def __init__(self, data: bytes) -> None:
        self._data = data
        try:
            self.head = Head.from_json(next(self._lines(), ""))
        except (EOFError, OSError, ValueError, zlib.error) as error:
            raise UnreadableError(f"it is no report of a gate ({error}): keep what `packed` makes") from error

    def __iter__(self) -> Iterator[Finding | Unread]:
        lines, number = self._lines(), 0
        next(lines)
        try:
            for number, line in enumerate(lines, 1):
                yield _finding(number, line)
        except (EOFError, OSError, zlib.error) as error:
            yield Unread(f"line {number + 1}", f"the report ends in the middle ({error})")
            return
        if number != self.head.findings:
            yield Unread("end", f"{self.head.findings:,} findings were written, and {number:,} are there")

    def _lines(self) -> Iterator[str]:
        """Its lines, and of one that is longer than any finding so much as shows that."""
        with gzip.open(BytesIO(self._data), "rb") as lines:
            while line := lines.readline(_LONGEST):
                yield line.decode(errors="replace")
                while len(line) == _LONGEST and not line.endswith(b"\n"):
                    line = lines.readline(_LONGEST)


def _finding(number: int, line: str) -> Finding | Unread:
    if len(line) >= _LONGEST:
        return Unread(f"line {number}", f"it has more than {_LONGEST:,} bytes")
    try:
        return Finding.from_json(line)
    except (ValueError, OverflowError) as error:
        return Unread(f"line {number}", cut(one_line(str(error)), 200))
