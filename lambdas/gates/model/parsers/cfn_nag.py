"""cfn_nag: a finding for each resource of a violation; pure."""

from __future__ import annotations

from collections.abc import Iterator

from lambdas.common.evidence.finding import Finding
from lambdas.gates.model.formats import Format, Shape
from lambdas.gates.model.record import Record, position

_SEVERITIES = {"FAIL": "high", "WARN": "medium"}


def _violation(one: Record) -> Iterator[Finding]:
    resources, lines = one.texts("logical_resource_ids"), one.each("line_numbers")
    for number, resource in enumerate(resources or ("",)):
        yield one.finding(
            "rule=id! title=message path=^filename!",
            severity=one.choice("type", _SEVERITIES),
            resource=resource,
            line=position("line_numbers", lines[number].data) if number < len(lines) else 0,
        )


FORMAT = Format(
    tool="cfn-nag",
    shapes=(
        Shape(
            records={"+[].file_results.violations[]": _violation},
            keeps=("[].filename",),
            scanned=("[].filename",),
            counts=("[].file_results.failure_count",),
        ),
    ),
)
