"""cfn-policy-validator: findings of IAM Access Analyzer in templates; pure."""

from __future__ import annotations

from collections.abc import Iterator

from lambdas.common.evidence.finding import Finding
from lambdas.gates.model.formats import Format, Shape
from lambdas.gates.model.record import Record

_SEVERITIES = {"ERROR": "high", "SECURITY_WARNING": "high", "WARNING": "medium", "SUGGESTION": "low", "NONE": "none"}


def _finding(one: Record) -> Iterator[Finding]:
    # `details` is what a service said, or a text.
    details = one.of(one.get("details") if isinstance(one.get("details"), dict) else {})
    yield one.finding(
        "rule=code! title=message resource=resourceName! inside=policyName",
        severity=_SEVERITIES.get(one.text("findingType").upper(), ""),
        description=details.maybe("findingDetails"),
        url=details.maybe("learnMoreLink"),
    )


FORMAT = Format(
    tool="cfn-policy-validator",
    shapes=(Shape(records={"BlockingFindings[]": _finding, "NonBlockingFindings[]": _finding}),),
)
