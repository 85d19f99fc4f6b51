"""Wapiti; pure."""

from __future__ import annotations

from collections.abc import Iterator

from lambdas.common.evidence.finding import Finding
from lambdas.gates.model.formats import Format, Shape
from lambdas.gates.model.record import Record

_LEVELS = {"0": "info", "1": "low", "2": "medium", "3": "high", "4": "critical"}


def _found(one: Record) -> Iterator[Finding]:
    yield one.finding(
        "description=info resource=method! inside=parameter",
        rule=one.keys[-1],
        severity=_LEVELS.get(one.text("level"), ""),
        path=one.text("path").partition("?")[0],  # what is behind it may be a token, and another in each run
    )


_RECORDS = {"vulnerabilities.*[]": _found, "anomalies.*[]": _found, "additionals?.*[]": _found}


def _shape(*scanned: str) -> Shape:
    return Shape(records=_RECORDS, keeps=("infos.target",), version="infos.version", scanned=scanned)


# Pages are 0 where the target was down; versions before 3.0.5 do not tell them.
FORMAT = Format(tool="wapiti", shapes=(_shape("infos.crawled_pages_nbr"), _shape()))
