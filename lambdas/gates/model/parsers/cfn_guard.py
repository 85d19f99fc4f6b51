"""cfn-guard, as JSON, structured or not: a finding for each resource that a rule does not hold for; pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from lambdas.common.evidence.finding import Finding
from lambdas.gates.model.formats import Format, Shape
from lambdas.gates.model.record import Record

_RESOURCES = "/Resources/"


def _rule(one: Record) -> Iterator[Finding]:
    name = one.text("Rule.name")
    places, messages = set[str](), list[str]()
    for check in one.each("Rule.checks"):
        found = set[str]()
        _gather(check.data, found, messages)
        places |= found or {""}
    for resource in sorted(places) or [""]:
        yield one.finding("rule=Rule.name! path=^name", title=next(iter(messages), name), resource=resource)


def _gather(data: Any, places: set[str], messages: list[str]) -> None:
    """The logical ids of the resources that a check has looked at, however it is nested, and what its rule says."""
    if isinstance(data, list):
        for part in data:
            _gather(part, places, messages)
    elif isinstance(data, dict):
        path, message = data.get("path"), data.get("custom_message")
        if isinstance(path, str) and path.startswith(_RESOURCES):
            places.add(path.removeprefix(_RESOURCES).split("/")[0])
        if isinstance(message, str) and message:
            messages.append(message)
        _gather(list(data.values()), places, messages)


def _shape(*, lines: bool) -> Shape:
    return Shape(
        records={"+[].not_compliant[]": _rule},
        keeps=("[].name", "[].status=PASS|FAIL|SKIP"),
        scanned=("[].not_compliant[]", "[].compliant[]"),  # a rule that was skipped has seen nothing
        counts=("[].status=FAIL",),
        lines=lines,
    )


FORMAT = Format(tool="cfn-guard", shapes=(_shape(lines=False), _shape(lines=True)))
