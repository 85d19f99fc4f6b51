"""bandit; pure."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lambdas.common.evidence.finding import Finding
from lambdas.gates.model.formats import Format, Shape
from lambdas.gates.model.record import Record, secretive

_NUMBER = re.compile(r"^\d+ ")


def _issue(one: Record) -> Iterator[Finding]:
    line = one.maybe("line_number")
    code = [_NUMBER.sub("", it) for it in one.maybe("code").splitlines() if it.startswith(f"{line} ")]
    yield one.finding(
        "rule=test_id! severity=issue_severity! path=filename! line=line_number column=col_offset url=more_info",
        # The text shows the password that was found.
        title=one.text("test_name" if secretive(one.text("test_id")) else "issue_text"),
        aliases=[f"CWE-{one.text('issue_cwe.id')}"] if one.maybe("issue_cwe.id") else (),
        content="".join(code),
    )


FORMAT = Format(
    tool="bandit",
    shapes=(
        Shape(
            records={"results[]": _issue},
            keeps=("generated_at",),
            scanned=("metrics._totals.loc",),
            errors={"errors[]": "bandit could not read a file"},
        ),
    ),
)
