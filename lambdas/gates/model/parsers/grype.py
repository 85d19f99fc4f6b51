"""Grype; pure."""

from __future__ import annotations

from collections.abc import Iterator

from lambdas.common.evidence.finding import Finding, State
from lambdas.gates.model.formats import Convert, Format, Shape
from lambdas.gates.model.record import Record


def _match(state: State) -> Convert:
    def convert(one: Record) -> Iterator[Finding]:
        related = one.each("relatedVulnerabilities")
        yield one.finding(
            "rule=vulnerability.id! severity=vulnerability.severity description=vulnerability.description "
            "inside=artifact.type package=artifact.name! installed=artifact.version "
            "fixed=vulnerability.fix.versions url=vulnerability.dataSource",
            state=state,
            path=min((it.maybe("path") for it in one.each("artifact.locations")), default=""),
            aliases=[it.text("id") for it in related],
        )

    return convert


FORMAT = Format(
    tool="grype",
    shapes=(
        Shape(
            records={"matches[]": _match(State.OPEN), "ignoredMatches?[]": _match(State.SUPPRESSED)},
            keeps=("descriptor.name=grype",),
            version="descriptor.version",
            data_of=("descriptor.db?.built?", "descriptor.db?.status?.built?"),  # the latter since version 0.88
        ),
    ),
)
