"""ZAP, as XML or JSON: an alert is a finding, however many pages have it; pure."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lambdas.common.evidence.finding import Finding, State
from lambdas.gates.model.formats import Format, Shape
from lambdas.gates.model.record import Record

_FALSE = "-1"  # somebody has marked it as a false positive
_SEVERITIES = {"0": "info", "1": "low", "2": "medium", "3": "high", _FALSE: "info"}
_TAG = re.compile(r"<[^<>]{1,40}>")


def _alert(one: Record) -> Iterator[Finding]:
    risk = one.text("riskcode")
    yield one.finding(
        "rule=alertRef|pluginid! title=alert|name resource=^@name!",
        severity=_SEVERITIES.get(risk, ""),
        state=State.SUPPRESSED if risk == _FALSE else State.OPEN,
        description=_TAG.sub(" ", one.maybe("desc")).strip(),
        remediation=_TAG.sub(" ", one.maybe("solution")).strip(),
        url=_TAG.sub(" ", one.maybe("reference")),
        aliases=[f"CWE-{one.text('cweid')}"] if one.maybe("cweid") not in ("", "-1", "0") else (),
    )


def _shape(root: str, alerts: str) -> Shape:
    return Shape(
        records={f"{root}site+[].{alerts}": _alert},
        keeps=(f"{root}site[].@name", f"{root}@generated"),
        version=f"{root}@version",
        scanned=(f"{root}site[].@host",),
    )


FORMAT = Format(tool="zap", shapes=(_shape("", "alerts[]"), _shape("OWASPZAPReport.", "alerts!.alertitem?[]")))
