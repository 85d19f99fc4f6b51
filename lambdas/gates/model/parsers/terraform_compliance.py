"""terraform-compliance: Cucumber's JSON of its run, a finding for each scenario that failed; pure."""

from __future__ import annotations

from collections.abc import Iterator

from lambdas.common.evidence.finding import Finding
from lambdas.gates.model.formats import Format, Shape
from lambdas.gates.model.record import Record, RecordError

_STATUS = dict.fromkeys(("PASSED", "SKIPPED"), False) | dict.fromkeys(("FAILED", "UNDEFINED", "PENDING"), True)


def _scenario(one: Record) -> Iterator[Finding]:
    if not (steps := one.each("steps")):
        raise RecordError("has no `steps`")
    if failed := [step for step in steps if step.choice("result.status", _STATUS)]:
        yield one.finding(
            "path=^uri line=line",
            rule=f"{one.above.text('name')}: {one.text('name')}",
            description=failed[0].text("name"),  # its message is a line feed
        )


FORMAT = Format(
    tool="terraform-compliance",
    shapes=(
        Shape(
            records={"+[].elements+[]": _scenario},
            keeps=("[].name", "[].uri", "[].keyword=Feature"),
            # A scenario whose resource is not in the plan is skipped, and proves nothing.
            scanned=("[].elements[].steps[].result.status=passed|failed",),
        ),
    ),
)
