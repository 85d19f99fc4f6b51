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


def _shape(suite: str) -> Shape:
    inner = (suite, f"{suite}.testsuite?[]", f"{suite}.testsuite?[].testsuite?[]")
    return Shape(
        records={f"{one}.testcase?[]": _case for one in inner},
        scanned=tuple(f"{one}.testcase?[].@name" for one in inner),
        passed_over=tuple(f"{one}.testcase?[].skipped?" for one in inner),
        counts=(f"{suite}.@failures?", f"{suite}.@errors?"),  # those of a suite around others have theirs
        errors={f"{inner[-1]}.testsuite?[]": "a suite is nested too deeply, and was not read"},
    )


FORMAT = Format(tool="junit", shapes=(_shape("testsuites.testsuite[]"), _shape("testsuite")))
