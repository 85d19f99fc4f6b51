"""Prowler's own JSON of version 3; pure."""

from __future__ import annotations

from collections.abc import Iterator

from lambdas.common.evidence.finding import Finding
from lambdas.gates.model.formats import Format, Shape
from lambdas.gates.model.record import Record

_FAILED = {"FAIL": True, "WARNING": True, "INFO": False, "MANUAL": False, "PASS": False, "MUTED": False}


def _check(one: Record) -> Iterator[Finding]:
    one.text("FindingUniqueId")
    if one.choice("Status", _FAILED):
        yield one.finding(
            "rule=CheckID! title=CheckTitle severity=Severity description=StatusExtended|Description "
            "resource=ResourceArn|ResourceId remediation=Remediation.Recommendation.Text "
            "url=Remediation.Recommendation.Url",
            inside=f"{one.maybe('AccountId')} {one.maybe('Region')}",
        )


FORMAT = Format(tool="prowler", shapes=(Shape(records={"[]": _check}),))
