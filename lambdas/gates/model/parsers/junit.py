"""JUnit's XML, as many tools write it: a finding for each case that failed; pure."""

from __future__ import annotations

from collections.abc import Iterator

from lambdas.common.evidence.finding import Finding
from lambdas.gates.model.formats import Format, Shape
from lambdas.gates.model.record import Record


def _case(one: Record) -> Iterator[Finding]:
    for failure in [*one.elements("failure"), *one.elements("error")][:1]:
        told = failure if isinstance(failure.data, dict) else one.of({"#text": failure.data})
        yield one.finding(
            "rule=@name! resource=@classname path=@file",
            title=told.maybe("@message"),
            description=told.maybe("#text"),
        )


def _shape(around: str) -> Shape:
    return Shape(records={f"{around}.testcase?[]": _case}, scanned=(f"{around}.testcase?[].@name",))


FORMAT = Format(tool="junit", shapes=(_shape("testsuites.testsuite[]"), _shape("testsuite")))
