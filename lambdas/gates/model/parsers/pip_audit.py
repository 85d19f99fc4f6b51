"""pip-audit; it does not rate what it finds; pure."""

from __future__ import annotations

from collections.abc import Iterator

from lambdas.common.evidence.finding import Finding
from lambdas.common.written import shown
from lambdas.gates.model.formats import Format, Shape
from lambdas.gates.model.record import Record, RecordError


def _dependency(one: Record) -> Iterator[Finding]:
    if reason := one.maybe("skip_reason"):
        raise RecordError(f"was not audited: {shown(reason)}")
    if one.get("vulns") is None:
        raise RecordError("has no `vulns`")
    for problem in one.each("vulns"):
        yield problem.finding(
            "rule=id! description=description fixed=fix_versions aliases=aliases",
            package=one.text("name"),
            installed=one.text("version"),
            url=f"https://osv.dev/vulnerability/{problem.text('id')}",
        )


FORMAT = Format(
    tool="pip-audit",
    shapes=(
        Shape(records={"dependencies[]": _dependency}, keeps=("fixes?[]",), scanned=("dependencies[].name",)),
        Shape(records={"+[]": _dependency}, scanned=("[].name",)),  # of before version 2.1
    ),
)
