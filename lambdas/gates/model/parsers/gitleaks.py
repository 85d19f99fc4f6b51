"""gitleaks 8; pure."""

from __future__ import annotations

from lambdas.common.evidence.finding import Severity
from lambdas.gates.model.formats import Format, Shape, as_told

_SECRET = as_told(
    "rule=RuleID! title=Description path=File! line=StartLine column=StartColumn inside=Commit content=Secret|Match",
    severity=Severity.HIGH,
)
FORMAT = Format(tool="gitleaks", shapes=(Shape(records={"~[]": _SECRET}),))
