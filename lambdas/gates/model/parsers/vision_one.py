"""Trend Vision One's template scanner, which has followed Conformity's; pure."""

from __future__ import annotations

from collections.abc import Iterator

from lambdas.common.evidence.finding import Finding
from lambdas.gates.model.formats import Format, Shape
from lambdas.gates.model.record import Record

_FAILED = {"FAILURE": True, "SUCCESS": False}


def _check(one: Record) -> Iterator[Finding]:
    if one.choice("status", _FAILED):
        yield one.finding(
            "rule=ruleId! title=ruleTitle severity=riskLevel description=description resource=resourceId! "
            "inside=resourceType url=resolutionReferenceLink"
        )


FORMAT = Format(
    tool="vision-one", shapes=(Shape(records={"scanResults[]": _check}, scanned=("scanResults[].ruleId",)),)
)
