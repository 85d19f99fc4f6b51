"""What the end of a build's log tells of its failure; pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

MAX_LINES = 3
MAX_CHARACTERS = 500

_SEPARATOR = " | "
_CUT = "…"
# CodeBuild's own lines say no more than the phase does: which command failed, and its exit status.
_OWN = "[Container]"
_COLOURS = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_ERROR = re.compile(
    r"\b(?:error|fatal|failed|denied|cannot|could not|not authorized|npm err!)|accessdenied|exception:", re.IGNORECASE
)
_CLASS = re.compile(r"[A-Z]\w*(?:Error|Exception)\b")


def telling_lines(messages: Iterable[str]) -> str:
    """Choose the last lines that look like errors, else the last lines of all, in the order of the log.

    A message of the log may hold several lines. At most MAX_LINES are chosen, without repetitions, and no more than
    MAX_CHARACTERS in all: the longest are cut first, at their ends. Empty when the commands wrote nothing.
    """
    lines = [line for message in messages for line in _lines(message)]
    errors = [line for line in lines if _looks_like_an_error(line)]
    return _SEPARATOR.join(_fitted(_last_distinct(errors or lines)))


def _lines(message: str) -> list[str]:
    stripped = (" ".join(line.split()) for line in _COLOURS.sub("", message).splitlines())
    return [line for line in stripped if line and not line.startswith(_OWN)]


def _looks_like_an_error(line: str) -> bool:
    # A traceback shows the statement that raised, and then the error itself.
    return not line.startswith("raise ") and bool(_ERROR.search(line) or _CLASS.search(line))


def _last_distinct(lines: Sequence[str]) -> list[str]:
    newest_first = dict.fromkeys(reversed(lines))
    return list(newest_first)[:MAX_LINES][::-1]


def _fitted(lines: Sequence[str]) -> list[str]:
    room = MAX_CHARACTERS - len(_SEPARATOR) * (len(lines) - 1)
    limits: dict[str, int] = {}
    for line in sorted(lines, key=len):
        # What a short line leaves goes to the longer ones.
        limits[line] = min(len(line), room // (len(lines) - len(limits)))
        room -= limits[line]
    return [line if len(line) == limits[line] else line[: limits[line] - len(_CUT)] + _CUT for line in lines]
