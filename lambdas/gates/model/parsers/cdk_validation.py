"""The CDK's validation report: cdk-nag and every other plugin of a synth; pure."""

from __future__ import annotations

from collections.abc import Iterator

from lambdas.common.evidence.finding import Finding, State
from lambdas.gates.model.formats import Convert, Format, Shape
from lambdas.gates.model.record import Record


def _violation(state: State) -> Convert:
    def convert(one: Record) -> Iterator[Finding]:
        for construct in one.each("violatingConstructs") or [one.of({})]:
            yield one.finding(
                "rule=ruleName! title=description severity=severity description=reason remediation=fix",
                state=state,
                resource=construct.maybe("constructPath"),
            )

    return convert


# `conclusion` says "success" beside violations: it has to be there, and is believed where it says "failure".
FORMAT = Format(
    tool="cdk-validation",
    shapes=(
        Shape(
            records={
                "pluginReports+[].violations[]": _violation(State.OPEN),
                "pluginReports+[].suppressedViolations?[]": _violation(State.SUPPRESSED),
            },
            keeps=("title=Validation Report", "pluginReports[].conclusion"),
            scanned=("pluginReports[].pluginName",),
            counts=("pluginReports[].conclusion=failure",),
        ),
    ),
)
