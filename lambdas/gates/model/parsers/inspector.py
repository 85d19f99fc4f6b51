"""Amazon Inspector (ListFindings); pure."""

from __future__ import annotations

from collections.abc import Iterator

from lambdas.common.evidence.finding import Finding
from lambdas.gates.model.aws import ONE_PAGE, inspector_finding
from lambdas.gates.model.formats import Format, Shape
from lambdas.gates.model.record import Record


def _finding(one: Record) -> Iterator[Finding]:
    one.text("findingArn")  # Security Hub's answer has the same name around other findings
    yield inspector_finding(one)


FORMAT = Format(tool="inspector", shapes=(Shape(records={"findings[]": _finding}, errors={"nextToken?": ONE_PAGE}),))
