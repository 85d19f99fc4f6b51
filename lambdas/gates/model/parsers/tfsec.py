"""tfsec, which Trivy has taken over; pure."""

from __future__ import annotations

from collections.abc import Iterator

from lambdas.common.evidence.finding import Finding, State
from lambdas.gates.model.formats import Format, Shape
from lambdas.gates.model.record import Record

_STATUS = {"0": State.OPEN, "1": State.PASSED, "2": State.SUPPRESSED}
_PASSED = {"TRUE": State.PASSED, "FALSE": State.OPEN}


def _result(one: Record) -> Iterator[Finding]:
    key, states = ("passed", _PASSED) if one.maybe("passed") else ("status", _STATUS)
    state = one.choice(key, states) if one.maybe(key) else State.OPEN
    if state is not State.PASSED:
        yield one.finding(
            "rule=long_id|rule_id! title=rule_description|description severity=severity description=description "
            "resource=resource path=location.filename! line=location.start_line remediation=resolution url=link "
            "aliases=rule_id",
            state=state,
        )


FORMAT = Format(tool="tfsec", shapes=(Shape(records={"results~[]": _result}, only=True),))
