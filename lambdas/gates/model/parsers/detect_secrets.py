"""detect-secrets: its baseline, in which audited secrets are marked; pure."""

from __future__ import annotations

from collections.abc import Iterator

from lambdas.common.evidence.finding import Finding, Severity, State
from lambdas.gates.model.formats import Format, Shape
from lambdas.gates.model.record import Record


def _secret(one: Record) -> Iterator[Finding]:
    yield one.finding(
        "rule=type! path=filename line=line_number content=hashed_secret!",
        path="" if one.maybe("filename") else one.keys[-1],
        severity=Severity.HIGH,
        state=State.SUPPRESSED if one.maybe("is_secret") == "false" else State.OPEN,
    )


FORMAT = Format(
    tool="detect-secrets",
    shapes=(Shape(records={"results.*[]": _secret}, keeps=("plugins_used[]", "generated_at"), version="version"),),
)
