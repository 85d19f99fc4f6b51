"""terrascan; pure."""

from __future__ import annotations

from lambdas.common.evidence.finding import State
from lambdas.gates.model.formats import Convert, Format, Shape, as_told


def _violation(state: State) -> Convert:
    fields = "rule=rule_id! title=description|rule_name severity=severity path=file line=line inside=resource_type"
    return as_told(f"{fields} resource=resource_name", state=state)


_SUMMARY = "results.scan_summary"
FORMAT = Format(
    tool="terrascan",
    shapes=(
        Shape(
            records={
                "results.violations~[]": _violation(State.OPEN),
                "results.skipped_violations?[]": _violation(State.SUPPRESSED),
            },
            scanned=(f"{_SUMMARY}.policies_validated",),
            counts=(f"{_SUMMARY}.violated_policies",),
            errors={"results.scan_errors?[]": "terrascan could not read all"},
        ),
    ),
)
