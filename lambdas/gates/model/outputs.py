"""What gates found, as other tools read it: JUnit for reports of tests, and SARIF 2.1.0; pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any, Protocol
from urllib.parse import quote
from xml.etree import ElementTree

from lambdas.common.evidence.finding import Finding, Severity
from lambdas.common.evidence.verdict import Outcome
from lambdas.common.written import one_line
from lambdas.gates.model.gate import Decision, Gate, Scanned, place_of

_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_LEVELS = {
    Severity.CRITICAL: "error",
    Severity.HIGH: "error",
    Severity.MEDIUM: "warning",
    Severity.LOW: "note",
    Severity.INFORMATIONAL: "note",
    Severity.UNKNOWN: "warning",
}
_COUNTED = {"failures": "failure", "errors": "error", "skipped": "skipped"}
# XML has no place for them, nor has anything else.
_NO_CHARACTERS = {0xFFFE: "?", 0xFFFF: "?"}


class Ran(Protocol):
    """A gate that has run."""

    @property
    def gate(self) -> Gate: ...
    @property
    def scanned(self) -> Scanned: ...
    @property
    def decision(self) -> Decision: ...


def junit(gates: Iterable[Ran]) -> str:
    """A suite a gate: what blocks has failed, what is excepted is skipped, and that a gate cannot tell is an error."""
    root = ElementTree.Element("testsuites")
    for ran in gates:
        cases = list(_cases(ran))
        counts = {name: sum(one.find(verb) is not None for one in cases) for name, verb in _COUNTED.items()}
        told = {"name": ran.gate.name, "tests": str(len(cases)), **{name: str(many) for name, many in counts.items()}}
        suite = ElementTree.SubElement(root, "testsuite", told)
        suite.extend(cases)
    return ElementTree.tostring(root, encoding="unicode")


def _cases(ran: Ran) -> Iterator[ElementTree.Element]:
    decision = ran.decision
    whole = _case(ran, f"{ran.gate.scanner} could tell")
    if decision.outcome not in (Outcome.PASS, Outcome.FAIL):
        ElementTree.SubElement(whole, "error", message=_text(decision.reason))
    yield whole
    for verb, findings in (("failure", decision.blocking), ("skipped", decision.excepted), ("", decision.others)):
        for one in findings:
            case = _case(ran, f"{one.rule} at {place_of(one)}")
            if verb:
                said = f"{one.severity.value}: {one.title}"
                told = ElementTree.SubElement(case, verb, message=_text(said))
                told.text = _text(f"{one.remediation or one.url} fingerprint {one.fingerprint}".strip())
            yield case


def _case(ran: Ran, name: str) -> ElementTree.Element:
    return ElementTree.Element("testcase", classname=ran.gate.name, name=_text(name))


def _text(text: str) -> str:
    return one_line(text).translate(_NO_CHARACTERS)


def sarif(gates: Iterable[Ran]) -> str:
    """A run a gate; what is excepted is a result that is suppressed."""
    return json.dumps({"$schema": _SCHEMA, "version": "2.1.0", "runs": [_run(ran) for ran in gates]})


def _run(ran: Ran) -> dict[str, Any]:
    decision = ran.decision
    shown = [*decision.blocking, *decision.others]
    told = [{"level": "error", "message": {"text": f"{word.value}: {text}"}} for word, text in ran.scanned.troubles]
    rules = {one.rule: _rule(one) for one in (*shown, *decision.excepted)}
    driver = {"name": ran.gate.scanner, "version": ran.scanned.tool_version, "rules": list(rules.values())}
    return {
        "tool": {"driver": driver},
        "automationDetails": {"id": f"{ran.gate.name}/"},
        "invocations": [{"executionSuccessful": not told, "toolExecutionNotifications": told}],
        "results": [
            *map(_result, shown),
            *({**_result(one), "suppressions": [{"kind": "external"}]} for one in decision.excepted),
        ],
    }


def _rule(one: Finding) -> dict[str, Any]:
    told: dict[str, Any] = {"id": one.rule, "shortDescription": {"text": one.title or one.rule}}
    return told | ({"helpUri": one.url} if one.url else {})


def _result(one: Finding) -> dict[str, Any]:
    place = one.place
    where: dict[str, Any] = {}
    if place.path:
        region = {"region": {"startLine": place.line}} if place.line else {}
        where["physicalLocation"] = {"artifactLocation": {"uri": quote(place.path)}, **region}
    if one.resource:
        where["logicalLocations"] = [{"fullyQualifiedName": one.resource}]
    return {
        "ruleId": one.rule,
        "level": _LEVELS[one.severity],
        "message": {"text": one.title or one.rule},
        "partialFingerprints": {"granary": one.fingerprint},
        "properties": {"severity": one.severity.value},
        **({"locations": [where]} if where else {}),
    }
