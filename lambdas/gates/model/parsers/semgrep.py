"""semgrep; pure."""

from __future__ import annotations

from collections.abc import Iterator

from lambdas.common.evidence.finding import Finding, State
from lambdas.gates.model.formats import Format, Shape
from lambdas.gates.model.record import Record, secretive


def _result(one: Record) -> Iterator[Finding]:
    rule, code = one.text("check_id"), one.maybe("extra.lines")
    yield one.finding(
        "rule=check_id! severity=extra.severity! path=path! line=start.line column=start.col url=extra.metadata.source",
        # The message may show what a variable of the pattern has caught.
        title=rule if secretive(rule) else one.text("extra.message"),
        state=State.SUPPRESSED if one.maybe("extra.is_ignored") == "true" else State.OPEN,
        content="" if code == "requires login" else code,
    )


_RECORDS = {"results[]": _result}
_ERRORS = {"errors[]": "semgrep could not scan all"}
FORMAT = Format(
    tool="semgrep",
    shapes=(
        Shape(
            records=_RECORDS,
            version="version",
            scanned=("paths.scanned[]",),
            errors={**_ERRORS, "skipped_rules?[]": "semgrep has passed over a rule"},
        ),
        Shape(records=_RECORDS, errors=_ERRORS, only=True),  # of before version 1
    ),
)
