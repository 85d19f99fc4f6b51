"""git-secrets: lines of text, and none at all where it has found nothing or had no patterns; pure."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lambdas.common.evidence.finding import Finding, Severity
from lambdas.gates.model.formats import Format, Shape
from lambdas.gates.model.record import Record, RecordError

_FOUND = re.compile(r"(?:(?P<commit>[0-9a-f]{40}):)?(?P<path>.+?):(?P<line>\d{1,9}):(?P<text>.*)")
_HELP = ("[ERROR] ", "Possible mitigations:", "- ")


def _line(one: Record) -> Iterator[Finding]:
    if found := _FOUND.fullmatch(one.data):
        yield one.finding(
            "",
            rule="prohibited-pattern",
            title="A text matches a prohibited pattern",
            severity=Severity.HIGH,
            path=found["path"],
            line=int(found["line"]),
            inside=found["commit"],
            content=found["text"],
        )
    elif one.data and not one.data.startswith(_HELP):
        raise RecordError("is no line of git-secrets")


FORMAT = Format(
    tool="git-secrets",
    shapes=(Shape(records={"lines[]": _line}, keeps=("told=[ERROR] Matched one or more prohibited patterns",)),),
)
