"""Anchore Engine, and the evaluations of its successor; pure."""

from __future__ import annotations

from collections.abc import Iterator

from lambdas.common.evidence.finding import Finding
from lambdas.gates.model.formats import Format, Shape
from lambdas.gates.model.record import Record


def _vulnerability(one: Record) -> Iterator[Finding]:
    yield one.finding(
        "rule=vuln! severity=severity description=extra.description inside=package_type installed=package_version "
        "package=package_name|package! url=url",
        path=_real(one.maybe("package_path")),
        fixed=[_real(one.maybe("fix"))],
    )


def _evaluation(one: Record) -> Iterator[Finding]:
    yield one.finding(
        "rule=vulnerabilityId! severity=severity description=description path=path package=package! "
        "installed=currentVersion url=link|url",
        fixed=[_real(one.maybe("fixAvailable"))],
    )


def _real(text: str) -> str:
    return "" if text in ("None", "none", "N/A") else text


FORMAT = Format(
    tool="anchore-engine",
    shapes=(
        Shape(records={"vulnerabilities[]": _vulnerability}, keeps=("vulnerability_type",)),
        Shape(records={"securityEvaluation[]": _evaluation}),
    ),
)
