"""OWASP Dependency-Check, as XML; pure."""

from __future__ import annotations

from collections.abc import Iterator

from lambdas.common.evidence.finding import Finding, State
from lambdas.gates.model.formats import Format, Shape
from lambdas.gates.model.record import Record

_STATES = {"vulnerability": State.OPEN, "suppressedVulnerability": State.SUPPRESSED}


def _dependency(one: Record) -> Iterator[Finding]:
    packages = [*one.elements("identifiers", "package"), *one.elements("identifiers", "identifier")]
    for key, state in _STATES.items():
        for problem in one.elements("vulnerabilities", key):
            yield problem.finding(
                "rule=name! severity=severity description=description",
                state=state,
                path=one.text("fileName"),  # the whole path is a machine's
                package=next((it.maybe("id", "name") for it in packages), one.text("fileName")),
                url=next((it.maybe("url") for it in problem.elements("references", "reference")), ""),
            )


_EACH = "analysis.dependencies.dependency?[]"
FORMAT = Format(
    tool="dependency-check",
    shapes=(
        Shape(
            records={_EACH: _dependency},
            keeps=("analysis.projectInfo",),
            version="analysis.scanInfo.engineVersion?",
            scanned=(f"{_EACH}.fileName",),
            errors={
                f"analysis.scanInfo.{name}?.exception?[]": "Dependency-Check could not analyze all"
                for name in ("analysisExceptions", "exceptions")
            },
        ),
    ),
)
