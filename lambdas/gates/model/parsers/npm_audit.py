"""npm audit, of npm 6 and of later ones; pure."""

from __future__ import annotations

from collections.abc import Iterator

from lambdas.common.evidence.finding import Finding
from lambdas.gates.model.formats import Format, Shape
from lambdas.gates.model.record import Record, RecordError


def _advisory(one: Record) -> Iterator[Finding]:
    yield one.finding(
        "rule=github_advisory_id title=title severity=severity description=overview package=module_name! "
        "fixed=patched_versions remediation=recommendation url=url aliases=cves",
        rule="" if one.maybe("github_advisory_id") else f"npm {one.text('id')}",
        installed=one.joined("findings", "version"),
    )


def _package(one: Record) -> Iterator[Finding]:
    if not (causes := one.each("via")):
        raise RecordError("has no `via`")
    for cause in causes:
        # A text is the package that brings it: that one has a finding of its own, and this one needs an update, too.
        advisory = cause if isinstance(cause.data, dict) else one.of({})
        yield one.finding(
            "package=name! severity=severity",
            rule=advisory.maybe("url").rpartition("/")[2] or f"through {cause.data}",
            title=advisory.maybe("title"),
            severity=advisory.maybe("severity"),
            inside=", ".join(sorted(one.texts("nodes"))),
            url=advisory.maybe("url"),
        )


FORMAT = Format(
    tool="npm-audit",
    shapes=(
        Shape(records={"advisories.*": _advisory}, keeps=("actions[]",), scanned=("metadata?.totalDependencies?",)),
        Shape(
            records={"vulnerabilities.*": _package},
            keeps=("auditReportVersion",),
            scanned=("metadata?.dependencies?.total?",),
            counts=("metadata?.vulnerabilities?.total?",),
        ),
    ),
)
