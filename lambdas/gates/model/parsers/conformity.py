"""Cloud One Conformity's template scanner; pure."""

from __future__ import annotations

from collections.abc import Iterator

from lambdas.common.evidence.finding import Finding, State
from lambdas.gates.model.formats import Format, Shape
from lambdas.gates.model.record import Record

_FAILED = {"FAILURE": True, "SUCCESS": False}


def _check(one: Record) -> Iterator[Finding]:
    if one.choice("attributes.status", _FAILED):
        yield one.finding(
            "rule=relationships.rule.data.id! title=attributes.rule-title severity=attributes.risk-level "
            "description=attributes.message resource=attributes.logicalResourceId|attributes.resource! "
            "url=attributes.resolution-page-url",
            state=State.SUPPRESSED if one.maybe("attributes.ignored") == "true" else State.OPEN,
        )


FORMAT = Format(tool="conformity", shapes=(Shape(records={"data[]": _check}, scanned=("data[].type=checks",)),))
