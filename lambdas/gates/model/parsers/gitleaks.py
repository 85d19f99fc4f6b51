"""gitleaks, of version 8 and of version 7; pure."""

from __future__ import annotations

from lambdas.common.evidence.finding import Severity
from lambdas.gates.model.formats import Format, Shape, as_told

_SECRET = as_told(
    "rule=RuleID|rule! title=Description path=File|file! line=StartLine|lineNumber column=StartColumn "
    "inside=Commit|commit content=Secret|Match|offender",
    severity=Severity.HIGH,
)
FORMAT = Format(tool="gitleaks", shapes=(Shape(records={"~[]": _SECRET}),))
