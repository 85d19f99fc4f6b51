"""cfn-policy-validator: findings of IAM Access Analyzer in templates; pure."""

from __future__ import annotations

from collections.abc import Iterator

from lambdas.common.evidence.finding import Finding
from lambdas.gates.model.formats import Format, Shape
from lambdas.gates.model.record import Record

# Of what does not block: whoever runs the tool says what does, by default errors and security warnings.
_SEVERITIES = {
    "ERROR": "medium",
    "SECURITY_WARNING": "medium",
    "WARNING": "medium",
    "SUGGESTION": "low",
    "NONE": "none",
}


def _blocking(one: Record) -> Iterator[Finding]:
    yield from _finding(one, severity="high")


def _other(one: Record) -> Iterator[Finding]:
    yield from _finding(one, severity=_SEVERITIES.get(one.text("findingType").upper(), ""))


def _finding(one: Record, *, severity: str) -> Iterator[Finding]:
    # `details` is what a service said, or a text.
    details = one.of(one.get("details") if isinstance(one.get("details"), dict) else {})
    yield one.finding(
        "rule=code! title=message resource=resourceName! inside=policyName",
        severity=severity,
        description=details.maybe("findingDetails"),
        url=details.maybe("learnMoreLink"),
    )


FORMAT = Format(
    tool="cfn-policy-validator",
    shapes=(Shape(records={"BlockingFindings[]": _blocking, "NonBlockingFindings[]": _other}),),
)
