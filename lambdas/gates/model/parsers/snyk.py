"""Snyk: a project, several of them, or an image with its applications; pure."""

from __future__ import annotations

from collections.abc import Iterator

from lambdas.common.evidence.finding import Finding
from lambdas.gates.model.formats import Format, Shape
from lambdas.gates.model.record import Record


def _issue(one: Record) -> Iterator[Finding]:
    # Versions in a chain change with each of its links: the names alone say who needs the package.
    chain = [step.rpartition("@")[0] or step for step in one.texts("from")]
    yield one.finding(
        "rule=id! title=title severity=severityWithCritical|severity description=description "
        "path=^displayTargetFile|targetFile|projectName package=packageName|moduleName|name! installed=version "
        "fixed=fixedIn",
        inside=" > ".join(chain[1:]),
        url=f"https://security.snyk.io/vuln/{one.text('id')}",
        aliases=[*one.texts("identifiers.CVE"), *one.texts("identifiers.GHSA")],
    )


def _shape(around: str) -> Shape:
    inner = f"{around}applications?[]."
    names = ("displayTargetFile?", "targetFile?", "projectName?")
    return Shape(
        records={f"{around}vulnerabilities[]": _issue, f"{inner}vulnerabilities[]": _issue},
        keeps=(f"{around}ok", *(f"{place}{name}" for place in (around, inner) for name in names)),
        scanned=(f"{around}dependencyCount", f"{inner}dependencyCount?"),
        counts=(f"{around}ok=false", f"{inner}ok?=false"),
        errors={f"{place}error?": "Snyk could not test a project" for place in (around, inner)},
    )


FORMAT = Format(tool="snyk", shapes=(_shape(""), _shape("+[].")))
