"""cfn-lint, as JSON; pure."""

from __future__ import annotations

from collections.abc import Iterator

from lambdas.common.evidence.finding import Finding
from lambdas.gates.model.formats import Format, Shape
from lambdas.gates.model.record import Record


def _match(one: Record) -> Iterator[Finding]:
    yield one.finding(
        "rule=Rule.Id! title=Message severity=Level! description=Rule.Description path=Filename! "
        "line=Location.Start.LineNumber column=Location.Start.ColumnNumber url=Rule.Source",
        inside="/".join(one.texts("Location.Path")),
    )


FORMAT = Format(tool="cfn-lint", shapes=(Shape(records={"[]": _match}),))
