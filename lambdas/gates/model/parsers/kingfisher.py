"""Kingfisher: secrets, of which the place alone is taken; what it calls a rule's name is its id; pure."""

from __future__ import annotations

from lambdas.common.evidence.finding import Severity
from lambdas.gates.model.formats import Format, Shape, as_told

_SECRET = as_told(
    "rule=rule.id! title=rule.description|rule.name description=rule.description path=finding.path! line=finding.line "
    "column=finding.column_start commit=finding.git_metadata.commit.id content=finding.snippet",
    severity=Severity.HIGH,
)
_FAILED = ("fetch_failed", "scan_partial", "scan_failed")
FORMAT = Format(
    tool="kingfisher",
    tail=True,  # it prints a summary behind its report
    shapes=(
        Shape(
            records={"findings[]": _SECRET},
            version="metadata.kingfisher_version",
            scanned=("metadata.summary.blobs_scanned",),
            counts=("metadata.summary.findings",),
            errors={f"audit?.summary.{name}?": "kingfisher could not scan all repositories" for name in _FAILED},
        ),
    ),
)
